#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/media/clip.h"
#include "core/progress.h"
#include "pipeline/batch/plan.h"
#include "pipeline/pipeline.h"

namespace qingyin::batch {

/// The files that every result of a batch gets.
struct OutputChoice {
  std::filesystem::path folder;
  bool wants_stems = false;
  bool wants_timeline = false;
  bool trusts_inputs = false;  // clips are read in this process, not in a sandboxed one
};

/// One item to be made.
struct ItemWork {
  const PlannedItem& planned;
  OutputChoice output;
  int threads = 1;           // never changes a sample
  bool may_replace = false;  // what stands under the final names already
  /// Called once the final names are known to be free, before anything is written.
  std::function<void()> before_writing = {};
  /// Called with the clip once it was opened.
  std::function<void(const ClipInfo&)> on_opened = {};
};

/// What came of it. With a fault nothing new stands under a final name, or not all of it does.
struct ItemOutcome {
  std::optional<Fault> fault = {};
  bool was_already_made = false;
  std::vector<std::filesystem::path> outputs = {};  // below the output folder, the report last
  std::string key = {};
  std::vector<std::string> warnings = {};
  Stopwatch::Timings timings = {};
};

/// The files of a result, with this extension of the mix.
OutputRequest request_for(const PlannedItem& planned, const std::string& extension,
                          const OutputChoice& output);

/// The extension that the mix of a clip gets.
std::string extension_for(const PlannedItem& planned, const ClipInfo& clip);

/// Makes one item, from its clip to its report: the only place where a batch touches media. Never
/// throws; all files are stored when it returns without a fault.
ItemOutcome process_item(const Pipeline& pipeline, const ItemWork& work, const Progress& progress);

}  // namespace qingyin::batch
