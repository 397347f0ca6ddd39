#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/atomic_file.h"
#include "core/progress.h"
#include "core/time.h"
#include "models/adapter/adapter.h"

namespace qingyin::tuning {

/// Which networks learn.
enum class Parts { kSounds, kDetector, kBoth };

/// A class of the user's own.
struct NewClass {
  std::string name;
  std::string shape;  // "one_shot", "sustained", "texture"; empty: as its sounds are
};

struct TuneRequest {
  std::filesystem::path folder;   // of sounds or videos, searched with all below it
  std::filesystem::path labels;   // empty: labels.csv in the folder, where there is one
  std::filesystem::path weights;  // folder of the bundled weights
  std::filesystem::path output;
  Overwrite overwrite = Overwrite::kNo;
  std::string sound_class;  // of files without a label; empty: their names have to say
  std::vector<NewClass> new_classes;
  std::optional<Parts> parts;  // none: the detector too where there are videos
  std::int64_t steps = 1200;
  std::int64_t rank = 16;
  double rate = 2e-3;
  Seconds longest{0};  // of the learning; 0: no limit
  std::uint64_t seed = 1;
  int threads = 1;
  bool restarts = false;  // an unfinished run is thrown away
  bool checks_only = false;
  std::string author, licence, note, made_with;
};

/// A file that nothing was learnt from, or a row that was passed over.
struct Refusal {
  std::string file, reason, message;
};

/// What was found in the files.
struct DataReport {
  struct ClassCount {
    std::string name;
    bool is_new = false;
    std::string shape, like;
    std::int64_t files = 0, sounds = 0;
  };
  std::vector<ClassCount> classes;
  std::vector<Refusal> refused;
  std::vector<std::string> warnings;
  std::int64_t files = 0;   // that something was learnt from
  std::int64_t onsets = 0;  // in pictures
  double seconds = 0;
};

struct TuneReport {
  DataReport data;
  AdapterFacts facts;
  std::int64_t steps = 0;        // done
  bool is_whole = true;          // false: the time was over before the steps were
  std::filesystem::path output;  // empty: nothing was written
};

/// Reads the folder, learns, writes the adapter. Its state lies in OUTPUT.run beside the output
/// until it is done; the same request goes on from there. What is learnt depends on the sounds, the
/// request and the number of threads alone (with a time limit: on how fast the machine is, too).
/// @throws Error  kInvalidInput, reason "no_data", if not one file can be used; kUsage if an
///                unfinished run there is of other sounds or settings; kModelMissing,
///                kBadCheckpoint, kIo; kCancelled if the progress said stop (the state is kept)
/// @param found   told what was found before learning begins
TuneReport tune(const TuneRequest& request, const Progress& progress = {},
                const std::function<void(const DataReport&)>& found = {});

}  // namespace qingyin::tuning
