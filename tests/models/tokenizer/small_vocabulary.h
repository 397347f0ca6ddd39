#pragma once

#include <string>
#include <vector>

#include "models/tokenizer/clip_tokenizer.h"

namespace qingyin::test {

/// As many merges as CLIP has, none of them published: first those given, then pairs of the letters
/// from U+00AE on, which no ASCII text contains.
inline std::vector<std::string> merges_with(std::vector<std::string> merges) {
  std::vector<std::string> letters;
  for (int c = 0xAE; c < 0x144; ++c)
    letters.push_back({static_cast<char>(0xC0 | c >> 6), static_cast<char>(0x80 | (c & 0x3F))});
  for (const char* end : {"", "</w>"})
    for (const std::string& left : letters)
      for (const std::string& right : letters)
        if (merges.size() < ClipTokenizer::kMerges) merges.push_back(left + " " + right + end);
  for (std::size_t i = 0; merges.size() < ClipTokenizer::kMerges; ++i) {
    const std::string& left = letters[i / letters.size() % letters.size()];
    const std::string& right = letters[i % letters.size()];
    merges.push_back(left + right + " " + left + right);
  }
  return merges;
}

/// A merges file: a line of comment, then one merge a line.
inline std::string merges_text(const std::vector<std::string>& merges) {
  std::string text = "#version: 0.2\n";
  for (const std::string& merge : merges) text += merge + "\n";
  return text;
}

}  // namespace qingyin::test
