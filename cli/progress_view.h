#pragma once

#include <chrono>
#include <string>

#include "cli/console.h"
#include "core/progress.h"

namespace qingyin::cli {

enum class ProgressStyle { kAuto, kJson, kNone };

/// One moment of a run.
struct ProgressMoment {
  std::string item;  // empty: the whole
  std::string step;  // "STAGE: DETAIL 3/12"
  double fraction;
  double eta_s;  // NaN: not known
};

/// A line of the schema qingyin.progress/1.
std::string progress_json(const ProgressMoment& moment);

/// Shows the progress of one item on stderr: a line that replaces itself on a terminal, one JSON
/// object per line (schema qingyin.progress/1), or nothing. Also where a signal stops the work.
class ProgressView {
 public:
  explicit ProgressView(Console& console) : console_(console) {}

  void set_style(ProgressStyle style) { style_ = style; }
  /// Starts the clock of an item; `name` is its input.
  void begin(const std::string& item);
  /// The function to hand to long work; valid as long as this object.
  Progress watcher();
  void end() { console_.status_line(""); }

 private:
  using Clock = std::chrono::steady_clock;

  bool update(std::string_view step, double fraction);
  void show_line(std::string_view step, double fraction, double eta_s);
  void show_json(std::string_view step, double fraction, double eta_s);

  Console& console_;
  ProgressStyle style_ = ProgressStyle::kAuto;
  std::string item_;
  std::string last_stage_;
  Clock::time_point begin_, last_shown_;
};

}  // namespace qingyin::cli
