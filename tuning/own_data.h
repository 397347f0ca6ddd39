#pragma once

#include <map>
#include <string>
#include <vector>

#include "tuning/foley_tuner.h"
#include "tuning/labels.h"
#include "tuning/takes.h"
#include "tuning/tune.h"

namespace qingyin::tuning {

/// What is heard in a video: an onset that the picture should explain.
struct HeardOnset {
  double time_s;
  double intensity;  // [0, 1]
  int kind = -1;     // of `OnsetKind`; -1: not known
};

struct OwnVideo {
  std::filesystem::path file;
  std::vector<HeardOnset> onsets;
};

/// What a folder gives to learn from.
struct OwnData {
  std::vector<AdapterClass> classes;
  std::vector<OwnSound> sounds;
  std::vector<OwnVideo> videos;
  DataReport report;
  std::string digest;  // of all that decides what is learnt
};

/// Reads every file of the request's folder, in the order of their names. A file that cannot be
/// used is told of in the report, and the others go on.
/// @throws Error  kInvalidInput if the folder or the labels are not there or unreadable; kUsage for
/// a
///                class of the user's own that is in the vocabulary; kCancelled
OwnData read_own_data(const TuneRequest& request, const Progress& progress);

}  // namespace qingyin::tuning
