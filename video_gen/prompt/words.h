#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace qingyin::prompt {

enum class WordKind : std::uint8_t {
  kNoun,     // takes an article: "a cat"
  kMass,     // takes none: "rain", "people"
  kPlace,    // takes "the": "the sea"
  kVerb,     // English is the form in -ing
  kQuality,  // an adjective
  kManner,   // an adverb
  kTime,     // "at night": stands at the end
  kCount,    // a number with its measure word: "两只"
};

/// One word in both languages, and what it sounds like.
struct Word {
  std::string_view chinese;
  std::string_view english;
  WordKind kind;
  std::string_view plural = {};  // of a noun, where it is not made with s
  std::string_view sound = {};   // what a clip with it should sound of, or empty
};

/// The words, longest Chinese first among those that begin alike.
std::span<const Word> words();

}  // namespace qingyin::prompt
