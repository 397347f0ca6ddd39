#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace qingyin {

/// What a thing that sounds does in time.
enum class LabelKind {
  kStrike,    // ends by itself
  kLasting,   // goes on while it is seen
  kAmbience,  // a bed under a whole shot
};

/// A thing that sounds, as a picture shows it.
struct SoundLabel {
  std::string name;  // in the timeline
  LabelKind kind;
  std::string sound;     // class of the bundled engine; empty: it has no sound of its own
  std::string lane;      // stem of that class
  std::string material;  // empty: none
  std::string picture;   // what is seen, for CLIP: "an axe splitting a log"
  std::string caption;   // what is heard, for a text-conditioned engine: "an axe splits a log"
};

/// What a label list may name.
struct LabelVocabulary {
  struct Sound {
    std::string_view name, lane;
  };
  std::vector<Sound> sounds;
  std::vector<std::string_view> materials;
};

/// What zero-shot labels are chosen from.
struct LabelSet {
  std::vector<SoundLabel> labels;  // at least one
  std::string sha256;              // of the list's bytes
};

/// Reads a label list: tab-separated with the header `label kind sound material picture caption`,
/// lines that begin with # and empty ones aside (docs/understanding.md).
/// @param name    stands in messages
/// @throws Error  kInvalidInput (reason "broken_labels") with the line of every fault
LabelSet parse_labels(std::string_view text, const std::string& name,
                      const LabelVocabulary& vocabulary);

/// The same from a file. @throws Error also if it cannot be read or is over 1 MiB
LabelSet read_labels(const std::filesystem::path& path, const LabelVocabulary& vocabulary);

/// The list that ships with the program (sounding_things.tsv).
std::string_view built_in_labels();

}  // namespace qingyin
