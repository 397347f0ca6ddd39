#include "pipeline/batch/work_left.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace qingyin::batch {
namespace {

// What opening, copying and storing a clip of no length costs, in seconds of picture.
constexpr double kEachItem = 0.5;

}  // namespace

WorkLeft::WorkLeft(std::vector<std::int64_t> bytes)
    : bytes_(std::move(bytes)), is_waiting_(bytes_.size(), true), waiting_(bytes_.size()) {
  for (const auto size : bytes_) waiting_bytes_ += static_cast<double>(size);
}

void WorkLeft::opened(std::size_t index, Seconds duration) {
  if (!is_waiting_[index]) return;
  is_waiting_[index] = false;
  --waiting_;
  const auto size = static_cast<double>(bytes_[index]);
  waiting_bytes_ -= size;
  ++seen_;
  seen_s_ += duration.count();
  seen_bytes_ += size;
  active_[index] = {kEachItem + duration.count(), 0};
}

void WorkLeft::progressed(std::size_t index, double fraction) {
  const auto found = active_.find(index);
  if (found != active_.end()) found->second.fraction = std::clamp(fraction, 0.0, 1.0);
}

void WorkLeft::ended(std::size_t index, bool was_made) {
  if (is_waiting_[index]) {
    is_waiting_[index] = false;
    --waiting_;
    waiting_bytes_ -= static_cast<double>(bytes_[index]);
    return;
  }
  const auto found = active_.find(index);
  if (found == active_.end()) return;
  if (was_made) done_ += found->second.weight;
  active_.erase(found);
}

// Of what waits.
double WorkLeft::expected() const {
  if (waiting_ == 0) return 0;
  const auto count = static_cast<double>(waiting_);
  const double seconds = seen_bytes_ > 0 ? std::max(0.0, waiting_bytes_) * seen_s_ / seen_bytes_
                                         : count * seen_s_ / static_cast<double>(seen_);
  return count * kEachItem + seconds;
}

double WorkLeft::fraction() const {
  if (seen_ == 0) return 0;
  double done = done_, whole = done_ + expected();
  for (const auto& [index, active] : active_) {
    done += active.weight * active.fraction;
    whole += active.weight;
  }
  return whole > 0 ? std::min(1.0, done / whole) : 0;
}

Seconds WorkLeft::left(Seconds elapsed) const {
  constexpr double kTooLittle = 0.005;
  const double done = fraction();
  if (done < kTooLittle) return Seconds(std::numeric_limits<double>::quiet_NaN());
  return elapsed / done * (1 - done);
}

}  // namespace qingyin::batch
