#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/atomic_file.h"
#include "sync/stem_block.h"

namespace qingyin {

/// File names (without extension) for lanes: [A-Za-z0-9_.-] stays, any other character becomes
/// `_`; names that are alike but for case are numbered (`foley`, `foley_2`); `mix` is taken.
std::vector<std::string> stem_file_names(const std::vector<std::string>& lanes);

/// A folder of stems for a sound editor: `LANE.wav` for each lane and `mix.wav`, 24 bit, all
/// equally long, all starting with the picture (`bext` TimeReference 0). The stems sum to the mix
/// within rounding. Destroyed without `finish`, it leaves no file.
class StemWriter {
 public:
  /// Makes the folder if only it is missing.
  /// @throws Error kIo if the folder is not writable, or a file exists and `overwrite` is kNo
  StemWriter(const std::filesystem::path& folder, const std::vector<std::string>& lanes,
             Overwrite overwrite);
  ~StemWriter();

  /// Fits `Mastering::Sink`. @throws Error kIo
  void write(std::span<const float> mix, const StemBlock& stems);
  void finish();

  /// In the order of the lanes, then the mix.
  const std::vector<std::filesystem::path>& files() const;
  /// Samples of stems that were past full scale and had to be clipped: there the stems do not sum
  /// to the mix.
  std::int64_t clipped() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace qingyin
