#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/batch/journal.h"
#include "pipeline/batch/plan.h"
#include "pipeline/batch/process_item.h"
#include "pipeline/pipeline.h"

namespace qingyin::batch {

enum class ItemStatus {
  kDone,     // made by this run
  kSkipped,  // made before, or by another process
  kFailed,
  kNotRun  // the batch ended before it, or in it
};

struct ItemResult {
  ItemStatus status = ItemStatus::kNotRun;
  std::optional<Fault> fault = {};
  std::string note = {};  // "already_made", "made_elsewhere", "failed_before"
  std::vector<std::filesystem::path> outputs = {};
  std::vector<std::string> warnings = {};
  Stopwatch::Timings timings = {};
};

/// Who looks on. Called from several threads at once.
class BatchWatcher {
 public:
  virtual ~BatchWatcher() = default;
  /// True once the batch shall end in order: what is under way is given back.
  virtual bool is_stopped() const = 0;
  virtual void begun(std::size_t index) = 0;
  virtual void opened(std::size_t index, const ClipInfo& clip) = 0;
  virtual void progress(std::size_t index, std::string_view step, double fraction) = 0;
  virtual void finished(std::size_t index, const ItemResult& result) = 0;
};

struct RunOptions {
  OutputChoice output;
  int jobs = 1;                       // items at a time; never changes a result
  int threads = 1;                    // of each of them
  bool retries_failed = false;        // also what failed before for a lasting reason
  bool overwrites = false;            // also files that are not the batch's own
  bool stops_at_first = false;        // after one failure
  std::optional<int> max_failures{};  // after so many
  Seconds stop_limit{8};              // to end in order after a stop
  /// Called when a stop takes longer, after all leases are given back: ends the process.
  std::function<void()> on_stuck = {};
};

struct BatchResult {
  std::vector<ItemResult> items;  // as planned
  /// Why the batch ended early: kIo ("disk_full"), kCancelled ("max_failures", "fail_fast",
  /// "stopped", "lost").
  std::optional<Fault> stop = {};
};

/// The same item with the same settings has the same hash.
Wanted wanted_of(const Pipeline& pipeline, const PlannedItem& planned, const OutputChoice& output);

/// Makes what is not done yet, and shares the work with other processes on the same folder. One bad
/// item never stops the others. Returns when every item has ended, here or elsewhere, or the batch
/// was stopped.
/// @throws Error  of the journal, before anything is begun
BatchResult run_batch(const Pipeline& pipeline, const std::vector<PlannedItem>& planned,
                      const RunOptions& options, Journal& journal, BatchWatcher& watcher);

}  // namespace qingyin::batch
