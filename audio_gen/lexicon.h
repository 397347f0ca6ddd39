#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace qingyin {

/// Words that mean the same to the engine. Unset fields say nothing.
struct LexiconEntry {
  std::string_view words;          // separated by ", "; English in the singular, or Chinese
  std::string_view sound = {};     // class
  double score = 0;                // 1: the class itself; lower: the nearest class there is
  bool is_object = false;          // a thing, not a sound: counts only where no sound is named
  std::string_view material = {};  // material named or, for things and sounds, usual
  std::optional<double> size = {};
  std::optional<double> intensity = {};
  std::optional<bool> sustained = {};
};

/// The whole lexicon, as documented in docs/sound-bank.md.
std::span<const LexiconEntry> lexicon_entries();

/// A class found in a text.
struct SoundWord {
  int class_id;
  double score;      // best of the words that named it
  std::string word;  // that word, as the lexicon has it
  bool is_exact() const { return score >= 0.8; }
};

/// What a text says about a sound.
struct LexiconMatch {
  std::vector<SoundWord> sounds;  // each class once, in the order of the text; empty: none is known
  std::optional<int> material_id;
  std::optional<double> size;       // 0 small to 1 large
  std::optional<double> intensity;  // 0 to 1
  std::optional<bool> sustained;

  /// The class that the text is most about: the highest score, the later one among equals (English
  /// and Chinese put the head last: "metal bell ring", "木门敲击"). Null if there is none.
  const SoundWord* best() const;
};

/// Finds classes, material, size, strength and duration in English or Chinese text. English words
/// are matched by their stem ("footsteps", "dripping"), the longest phrase first; Chinese by the
/// longest entry at each place. Adjectives of material win over what a thing is usually made of.
/// Bytes that are not UTF-8 are passed over; never throws for bad text.
LexiconMatch look_up(std::string_view text);

/// Up to `count` classes whose name or words look like the text (for messages: typing errors, parts
/// of words), the nearest first; empty if nothing is alike.
std::vector<std::string_view> nearest_classes(std::string_view text, std::size_t count = 3);

}  // namespace qingyin
