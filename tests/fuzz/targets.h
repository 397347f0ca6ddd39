#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace qingyin::fuzz {

/// Feeds one input to a reader. A refusal with an Error is an answer like any other; anything else
/// that is thrown, and an answer that contradicts itself, is a fault (`require_that`).
using Target = std::function<void(std::string_view)>;

void events(std::string_view bytes);         // event file: JSON
void subtitles(std::string_view bytes);      // first byte: CSV, labels, SRT or VTT
void manifest(std::string_view bytes);       // first byte: the form
void safetensors(std::string_view bytes);    // a whole file
void pth(std::string_view bytes);            // a whole file
void tokenizer(std::string_view bytes);      // first byte: a list of merges, or a prompt
void sentencepiece(std::string_view bytes);  // a whole file
void media(std::string_view bytes);          // a whole file, through our own AVIOContext

/// Ends the process, as a sanitizer would, unless `holds`.
void require_that(bool holds, const char* what);

/// Runs `work`, in which an Error of ours is allowed.
void tolerate(const std::function<void()>& work);

/// All of them by name.
inline const std::map<std::string, Target>& targets() {
  static const std::map<std::string, Target> all{{"events", events},
                                                 {"subtitles", subtitles},
                                                 {"manifest", manifest},
                                                 {"safetensors", safetensors},
                                                 {"pth", pth},
                                                 {"tokenizer", tokenizer},
                                                 {"sentencepiece", sentencepiece},
                                                 {"media", media}};
  return all;
}

}  // namespace qingyin::fuzz
