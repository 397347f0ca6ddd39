#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "core/time.h"

namespace qingyin::batch {

/// How much of a batch is done, and how long the rest takes. An item weighs as its picture lasts;
/// one that was not opened yet as its size in bytes lets expect from those that were. What ends
/// without being made (done before, made elsewhere, failed) weighs nothing.
class WorkLeft {
 public:
  /// @param bytes  of each input; 0: not known
  explicit WorkLeft(std::vector<std::int64_t> bytes);

  void opened(std::size_t index, Seconds duration);
  /// @param fraction  of this item, 0 to 1
  void progressed(std::size_t index, double fraction);
  void ended(std::size_t index, bool was_made);

  /// Of the whole batch, 0 to 1; 0 as long as nothing was opened.
  double fraction() const;
  /// From the time that this took; NaN as long as too little is known.
  Seconds left(Seconds elapsed) const;

 private:
  struct Active {
    double weight, fraction;
  };

  double expected() const;

  std::vector<std::int64_t> bytes_;
  std::vector<bool> is_waiting_;
  std::map<std::size_t, Active> active_;
  std::size_t waiting_ = 0;
  double waiting_bytes_ = 0;
  double seen_s_ = 0, seen_bytes_ = 0;  // of all that were opened
  std::size_t seen_ = 0;
  double done_ = 0;
};

}  // namespace qingyin::batch
