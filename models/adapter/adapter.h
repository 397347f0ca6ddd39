#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace qingyin {

/// An adapter to be put onto the bundled weights, and how strongly: at 0 nothing changes, 1 is what
/// was trained.
struct AdapterChoice {
  std::filesystem::path file;
  double scale = 1;
  bool operator==(const AdapterChoice&) const = default;
};

/// FILE or FILE:SCALE, as on a command line. What follows the last colon counts as a scale if it is
/// a number; a file of that whole name goes first.
/// @throws Error kUsage if the scale is not from -4 to 4
AdapterChoice parse_adapter_choice(const std::string& text);

/// "adapter NAME:SCALE": how it stands among the models of a report.
std::string name_of(const AdapterChoice& choice);

/// A class of sound that an adapter makes: one of the bundled ones in another way, or a new one.
struct AdapterClass {
  std::string name;  // lower case
  bool is_new = false;
  std::string shape;  // of a new one: "one_shot", "sustained" or "texture"
  std::string lane;   // of a new one
  std::string like;   // of a new one: the bundled class that it starts from
  bool uses_material = false;
  std::int64_t sounds = 0;  // that it was learnt from
};

/// What an adapter says about itself. File (safetensors): metadata `format`, `facts` (JSON), and
/// the tensors of `low_rank.h`.
struct AdapterFacts {
  std::string sha256;         // of the file; not stored in it
  std::string foley_base;     // SHA-256 of foley.safetensors that it belongs to; empty: no sounds
  std::string detector_base;  // the same of detector.safetensors; empty: no detector
  std::vector<AdapterClass> classes;
  std::int64_t rank = 0, steps = 0;
  std::uint64_t seed = 0;
  double data_seconds = 0;  // of sound that was learnt from
  std::int64_t onsets = 0;  // in videos that were learnt from
  std::string author, licence, note, made_with;
};

std::map<std::string, std::string> to_metadata(const AdapterFacts& facts);

/// @throws Error kModelMissing if there is no such file, kBadCheckpoint if it is no adapter or says
/// nonsense
AdapterFacts read_adapter_facts(const std::filesystem::path& file);

/// Throws kBadCheckpoint, reason "other_base", unless the adapter belongs to these weights.
/// @param part   "foley" or "detector"
/// @param wanted what the adapter says, never empty
void require_base(const std::filesystem::path& file, const std::string& part,
                  const std::string& wanted, const std::string& found);

}  // namespace qingyin
