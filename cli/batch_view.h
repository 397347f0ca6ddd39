#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "cli/console.h"
#include "cli/progress_view.h"
#include "pipeline/batch/runner.h"
#include "pipeline/batch/work_left.h"

namespace qingyin::cli {

/// Shows a batch on stderr: on a terminal one line with the totals, the time left and what is under
/// way; as JSON one line (schema qingyin.progress/1) per step of an item and one with the totals
/// (item null, stage "batch") after each item; failures as they happen. All calls may overlap.
class BatchView : public batch::BatchWatcher {
 public:
  BatchView(Console& console, ProgressStyle style, const std::vector<batch::PlannedItem>& planned);

  bool is_stopped() const override;
  void begun(std::size_t index) override;
  void opened(std::size_t index, const ClipInfo& clip) override;
  void progress(std::size_t index, std::string_view step, double fraction) override;
  void finished(std::size_t index, const batch::ItemResult& result) override;

 private:
  using Clock = std::chrono::steady_clock;

  struct Active {
    std::string step;
    double fraction = 0;
    Clock::time_point begin;
    Clock::time_point shown = {};
    std::string shown_stage = {};
  };

  std::string name_of(std::size_t index) const;
  double eta_s() const;
  void show_line();
  void show_totals();
  void show_item(std::size_t index, Active& active);

  Console& console_;
  const bool is_line_, is_json_;
  const std::vector<batch::PlannedItem>& planned_;
  std::mutex mutex_;
  std::map<std::size_t, Active> active_;
  batch::WorkLeft work_;
  std::size_t ended_ = 0, failed_ = 0;
  const Clock::time_point begin_ = Clock::now();
  Clock::time_point last_shown_ = {};
};

}  // namespace qingyin::cli
