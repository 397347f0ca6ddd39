#include "cli/progress_view.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/signals.h"

namespace qingyin::cli {
namespace {

using json = nlohmann::ordered_json;

// "render: event 3/12" names a stage, and counts.
struct Step {
  std::string_view stage, detail;
  std::optional<int> done, total;
};

std::optional<int> number_at_end_or_begin(std::string_view text, bool is_end) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  std::size_t begin = 0, end = text.size();
  if (is_end) {
    begin = end;
    while (begin > 0 && is_digit(text[begin - 1])) --begin;
  } else {
    end = 0;
    while (end < text.size() && is_digit(text[end])) ++end;
  }
  int value = 0;
  const auto result = std::from_chars(text.data() + begin, text.data() + end, value);
  if (result.ec != std::errc()) return {};
  return value;
}

Step parse_step(std::string_view text) {
  Step step{text, {}, {}, {}};
  if (const auto colon = text.find(": "); colon != text.npos) {
    step.stage = text.substr(0, colon);
    step.detail = text.substr(colon + 2);
  }
  if (const auto slash = step.detail.find('/'); slash != step.detail.npos) {
    step.done = number_at_end_or_begin(step.detail.substr(0, slash), true);
    step.total = number_at_end_or_begin(step.detail.substr(slash + 1), false);
  }
  return step;
}

template <class Value>
json or_null(const std::optional<Value>& value) {
  return value ? json(*value) : json(nullptr);
}

double unix_time() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(since_epoch).count();
}

}  // namespace

std::string progress_json(const ProgressMoment& moment) {
  const Step step = parse_step(moment.step);
  json line = {{"schema", "qingyin.progress/1"}};
  line["item"] = moment.item.empty() ? json(nullptr) : json(moment.item);
  line["stage"] = std::string(step.stage);
  line["step"] = or_null(step.done);
  line["steps"] = or_null(step.total);
  line["fraction"] = moment.fraction;
  line["eta_s"] = std::isnan(moment.eta_s) ? json(nullptr) : json(moment.eta_s);
  line["time"] = unix_time();
  return line.dump(-1, ' ', true, json::error_handler_t::replace);
}

void ProgressView::begin(const std::string& item) {
  item_ = item;
  last_stage_.clear();
  begin_ = Clock::now();
  last_shown_ = {};
}

Progress ProgressView::watcher() {
  return [this](std::string_view step, double fraction) { return update(step, fraction); };
}

bool ProgressView::update(std::string_view step, double fraction) {
  if (stop_signal()) return false;
  const bool is_line = style_ == ProgressStyle::kAuto && console_.has_terminal() &&
                       console_.verbosity() != Verbosity::kQuiet;
  if (!is_line && style_ != ProgressStyle::kJson) return true;
  const auto now = Clock::now();
  const std::string stage(parse_step(step).stage);
  const bool is_news = stage != last_stage_ || fraction >= 1;
  if (!is_news && now - last_shown_ < std::chrono::milliseconds(is_line ? 100 : 250)) return true;
  last_stage_ = stage;
  last_shown_ = now;
  fraction = std::clamp(fraction, 0.0, 1.0);
  const double elapsed_s = std::chrono::duration<double>(now - begin_).count();
  const double eta_s = fraction > 0.02 ? elapsed_s / fraction * (1 - fraction) : NAN;
  if (is_line) {
    show_line(step, fraction, eta_s);
  } else {
    show_json(step, fraction, eta_s);
  }
  return true;
}

void ProgressView::show_line(std::string_view step, double fraction, double eta_s) {
  char numbers[64];
  if (std::isnan(eta_s)) {
    std::snprintf(numbers, sizeof numbers, "%3.0f %%", fraction * 100);
  } else {
    const int seconds = static_cast<int>(std::ceil(eta_s));
    std::snprintf(numbers, sizeof numbers, "%3.0f %%  %d:%02d left", fraction * 100, seconds / 60,
                  seconds % 60);
  }
  console_.status_line(item_ + "  " + std::string(step) + "  " + numbers);
}

void ProgressView::show_json(std::string_view step, double fraction, double eta_s) {
  console_.raw_line(progress_json({item_, std::string(step), fraction, eta_s}));
}

}  // namespace qingyin::cli
