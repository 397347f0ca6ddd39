#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/events.h"

// The rules of docs/events.md, one place for every text form and for timelines made in memory.
namespace qingyin {

constexpr std::size_t kMaxEventFileBytes = std::size_t{16} << 20U;
constexpr std::size_t kMaxEvents = 100'000;
constexpr std::string_view kEventSchema = "qingyin.events/1";

/// What is wrong and where, in the order found. A place is reported once, with its first fault;
/// of many faults the first are kept as text and the rest counted.
class Faults {
 public:
  explicit Faults(std::size_t most_kept = 50) : most_kept_(most_kept) {}

  void add(const std::string& place, const std::string& fault);
  bool empty() const { return count_ == 0; }
  const std::vector<std::string>& lines() const { return lines_; }
  /// @throws Error kInvalidInput with every line, if there is one
  void throw_if_any(const std::string& name) const;

 private:
  std::size_t most_kept_;
  std::size_t count_ = 0;
  std::vector<std::string> lines_;
  std::unordered_set<std::string> places_;
};

/// Takes the field ("onset_s", "envelope/3/1") and what is wrong with it.
using FaultReport = std::function<void(const std::string& field, const std::string& fault)>;

/// Where events must end: the clip's duration, or the longest time there is for an unknown clip.
Seconds end_of(const TimelineClip& clip);

void check_clip(const TimelineClip& clip, const FaultReport& report);
void check_cuts(const std::vector<Seconds>& cuts, Seconds end, const FaultReport& report);
void check_layer(const AmbienceLayer& layer, Seconds end, const FaultReport& report);
void check_event(const SoundEvent& event, Seconds end, const FaultReport& report);
void check_count(std::size_t events, const FaultReport& report);

/// True for 1 to 64 characters of [A-Za-z0-9_.-].
bool is_event_id(std::string_view id);

/// Finds ids that are used twice in a file.
class IdRegister {
 public:
  /// Reports under "id" if `id` stands at an earlier place already; malformed ids are not looked
  /// at.
  void add(const std::string& id, const std::string& place, const FaultReport& report);
  bool contains(const std::string& id) const { return places_.contains(id); }

 private:
  std::unordered_map<std::string, std::string> places_;
};

}  // namespace qingyin
