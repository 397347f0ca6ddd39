#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace qingyin {

/// CLIP's byte-pair tokenizer (Radford et al., 2021; mlfoundations/open_clip,
/// open_clip/tokenizer.py). Const calls may overlap.
class ClipTokenizer {
 public:
  static constexpr std::int32_t kStart = 49406, kEnd = 49407, kPadding = 0;
  static constexpr std::size_t kContext = 77;  // tokens of a text
  static constexpr std::size_t kMerges = 48894;

  /// @param file    `bpe_simple_vocab_16e6.txt.gz`, its text unpacked, `merges.txt`, or
  ///                `tokenizer.json`; told apart by content
  /// @throws Error  kModelMissing if there is no such file; kBadCheckpoint naming it and its defect
  explicit ClipTokenizer(const std::filesystem::path& file);

  static constexpr std::size_t kMaxPromptBytes = 16384;  // a word costs the square of its length

  /// The tokens of a prompt: start, text, end, padding. A text that is too long loses its end.
  /// @param prompt  UTF-8
  /// @return        kContext ids
  /// @throws Error  kInvalidInput if it is not UTF-8 or over the limit
  std::vector<std::int32_t> operator()(std::string_view prompt) const;

  /// The ids of a text that was cleaned already (`cleaned_prompt`): without start, end and limit.
  std::vector<std::int32_t> ids_of(std::string_view cleaned) const;

 private:
  void add_word(std::string_view word, std::vector<std::int32_t>& ids) const;

  /// The id that two neighbours become; smaller ids were learnt earlier and are joined first.
  std::unordered_map<std::uint64_t, std::int32_t> joined_;
};

}  // namespace qingyin
