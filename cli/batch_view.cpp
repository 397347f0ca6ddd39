#include "cli/batch_view.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "cli/signals.h"
#include "core/text.h"

namespace qingyin::cli {
namespace {

using Lock = std::lock_guard<std::mutex>;

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

std::string clock_text(double seconds) {
  const auto whole = static_cast<long>(std::ceil(seconds));
  char text[64];
  if (whole >= 3600) {
    std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
  } else {
    std::snprintf(text, sizeof text, "%ld:%02ld", whole / 60, whole % 60);
  }
  return text;
}

// 0 for what is not there: the item says so itself.
std::vector<std::int64_t> sizes_of(const std::vector<batch::PlannedItem>& planned) {
  std::vector<std::int64_t> sizes;
  for (const auto& entry : planned) {
    std::error_code error;
    const auto size = std::filesystem::file_size(entry.item.input, error);
    sizes.push_back(error ? 0 : static_cast<std::int64_t>(size));
  }
  return sizes;
}

}  // namespace

BatchView::BatchView(Console& console, ProgressStyle style,
                     const std::vector<batch::PlannedItem>& planned)
    : console_(console),
      is_line_(style == ProgressStyle::kAuto && console.has_terminal() &&
               console.verbosity() != Verbosity::kQuiet),
      is_json_(style == ProgressStyle::kJson),
      planned_(planned),
      work_(sizes_of(planned)) {}

bool BatchView::is_stopped() const { return stop_signal().has_value(); }

std::string BatchView::name_of(std::size_t index) const {
  return planned_[index].item.input.string();
}

double BatchView::eta_s() const { return work_.left(Seconds(seconds_since(begin_))).count(); }

void BatchView::begun(std::size_t index) {
  const Lock lock(mutex_);
  active_[index] = {.step = "opening", .fraction = 0, .begin = Clock::now()};
  show_line();
}

void BatchView::opened(std::size_t index, const ClipInfo& clip) {
  const Lock lock(mutex_);
  work_.opened(index, clip.duration);
}

void BatchView::progress(std::size_t index, std::string_view step, double fraction) {
  const Lock lock(mutex_);
  Active& active = active_[index];
  active.step = step;
  active.fraction = std::clamp(fraction, 0.0, 1.0);
  work_.progressed(index, active.fraction);
  show_item(index, active);
  if (Clock::now() - last_shown_ > std::chrono::milliseconds(100)) show_line();
}

void BatchView::finished(std::size_t index, const batch::ItemResult& result) {
  const Lock lock(mutex_);
  const bool was_begun = active_.erase(index) > 0;
  ++ended_;
  work_.ended(index, result.status == batch::ItemStatus::kDone);
  const std::string name = printable(planned_[index].item.input);
  if (result.fault) {
    ++failed_;
    if (was_begun) console_.warning(name + " failed: " + result.fault->message);
  } else if (was_begun) {
    console_.detail(name + ": " + (result.note.empty() ? "done" : result.note));
    for (const auto& warning : result.warnings) console_.detail("  " + warning);
  }
  if (was_begun) show_totals();
  show_line();
}

void BatchView::show_line() {
  if (!is_line_) return;
  last_shown_ = Clock::now();
  std::string text = std::to_string(ended_) + "/" + std::to_string(planned_.size());
  if (failed_ > 0) text += ", " + std::to_string(failed_) + " failed";
  const double left = eta_s();
  if (!std::isnan(left)) text += ", " + clock_text(left) + " left";
  for (const auto& [index, active] : active_) {
    char percent[16];
    std::snprintf(percent, sizeof percent, " %.0f %%", 100 * active.fraction);
    text += " | " + planned_[index].item.input.filename().string() + "  " + active.step + percent;
  }
  console_.status_line(text);
}

void BatchView::show_totals() {
  if (!is_json_) return;
  console_.raw_line(progress_json(
      {.item = {},
       .step = "batch: " + std::to_string(ended_) + "/" + std::to_string(planned_.size()),
       .fraction = work_.fraction(),
       .eta_s = eta_s()}));
}

void BatchView::show_item(std::size_t index, Active& active) {
  if (!is_json_) return;
  const std::string stage = active.step.substr(0, active.step.find(':'));
  const auto now = Clock::now();
  const bool is_news = stage != active.shown_stage || active.fraction >= 1;
  if (!is_news && now - active.shown < std::chrono::milliseconds(250)) return;
  active.shown = now;
  active.shown_stage = stage;
  const double left = active.fraction > 0.02
                          ? seconds_since(active.begin) / active.fraction * (1 - active.fraction)
                          : NAN;
  console_.raw_line(progress_json(
      {.item = name_of(index), .step = active.step, .fraction = active.fraction, .eta_s = left}));
}

}  // namespace qingyin::cli
