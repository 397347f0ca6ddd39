#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/summary.h"
#include "pipeline/batch/plan.h"
#include "pipeline/batch/process_item.h"
#include "pipeline/pipeline.h"

namespace qingyin::cli {

/// How many items ended in which way.
class BatchTotals {
 public:
  void add(const Summary::Item& item);
  /// The object {"totals": {...}}.
  std::string json() const;
  /// A line with the totals, and one for each failed item.
  std::string text(const std::vector<Summary::Item>& items) const;

 private:
  std::size_t ok_ = 0, skipped_ = 0, failed_ = 0, not_run_ = 0;
};

/// The status of a whole batch: "ok", "failed", "cancelled".
std::string status_word(int exit_code);

struct PlanFacts {
  batch::OutputChoice output;
  int jobs = 1, threads = 1;
  std::function<Seconds(Seconds duration)> time;  // that a clip takes
};

/// What a batch would do, for --dry-run: items, durations, windows, time, disk, names.
void show_batch_plan(const Pipeline& pipeline, const std::vector<batch::PlannedItem>& planned,
                     const PlanFacts& facts, Context& context);

}  // namespace qingyin::cli
