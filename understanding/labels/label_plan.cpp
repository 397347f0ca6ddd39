#include "understanding/labels/label_plan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

namespace qingyin {
namespace {

constexpr double kSquareShare = 0.6;               // of the shorter side
constexpr double kSamePlace = 0.35;                // the picture is 2 wide and 2 high
constexpr std::size_t kMostSeen = 3;               // events of a target
constexpr std::array kAlong{0.5, 1 / 6., 5 / 6.};  // of a shot, for its ambience

/// A glance that a target would like; low ranks come first.
struct Wish {
  Glance glance;
  int rank;
  std::size_t target;
};

std::size_t shot_of(const EventTimeline& timeline, Seconds time) {
  return static_cast<std::size_t>(std::ranges::upper_bound(timeline.cuts, time) -
                                  timeline.cuts.begin());
}

bool is_near(const SoundEvent& a, const SoundEvent& b) {
  if (a.position.has_value() != b.position.has_value()) return false;
  return !a.position || std::hypot((*a.position)[0] - (*b.position)[0],
                                   (*a.position)[1] - (*b.position)[1]) <= kSamePlace;
}

/// What lasts has a course of its own.
LabelKind kind_of(const SoundEvent& event) {
  return event.envelope.empty() ? LabelKind::kStrike : LabelKind::kLasting;
}

/// When an event shows best what it is.
Seconds moment_of(const SoundEvent& event) {
  return kind_of(event) == LabelKind::kStrike ? event.onset : (event.onset + event.offset) / 2;
}

std::vector<LabelTarget> group_events(const EventTimeline& timeline) {
  std::vector<LabelTarget> targets;
  for (std::size_t i = 0; i < timeline.events.size(); ++i) {
    const SoundEvent& event = timeline.events[i];
    if (event.locked || event.source == "user") continue;
    const LabelKind kind = kind_of(event);
    const auto same = std::find_if(targets.rbegin(), targets.rend(), [&](const LabelTarget& t) {
      const SoundEvent& last = timeline.events[t.events.back()];
      return t.kind == kind && is_near(last, event) &&
             shot_of(timeline, last.onset) == shot_of(timeline, event.onset);
    });
    if (same != targets.rend())
      same->events.push_back(i);
    else
      targets.push_back({.kind = kind, .events = {i}, .glances = {}});
  }
  return targets;
}

void wish_for_events(const EventTimeline& timeline, const LabelTarget& target, std::size_t number,
                     std::vector<Wish>& wishes) {
  const std::size_t count = target.events.size();
  std::vector<std::size_t> seen{target.events.front()};
  if (count > 2) seen.push_back(target.events[count / 2]);
  if (count > 1) seen.push_back(target.events.back());
  static_assert(kMostSeen == 3);
  int rank = 0;
  for (const std::size_t i : seen) {
    const SoundEvent& event = timeline.events[i];
    const Seconds time = moment_of(event);
    if (event.position) wishes.push_back({{time, event.position}, rank++, number});
    wishes.push_back({{time, {}}, rank++, number});
  }
}

void add_ambience(const EventTimeline& timeline, std::vector<LabelTarget>& targets,
                  std::vector<Wish>& wishes) {
  std::vector<Seconds> borders{Seconds(0)};
  borders.insert(borders.end(), timeline.cuts.begin(), timeline.cuts.end());
  borders.push_back(timeline.clip.duration);
  for (std::size_t i = 0; i + 1 < borders.size(); ++i) {
    const Seconds begin = borders[i], length = borders[i + 1] - begin;
    if (length <= Seconds(0)) continue;
    for (std::size_t k = 0; k < kAlong.size(); ++k)
      wishes.push_back({{begin + kAlong[k] * length, {}}, static_cast<int>(k), targets.size()});
    targets.push_back({.kind = LabelKind::kAmbience,
                       .events = {},
                       .begin = begin,
                       .end = borders[i + 1],
                       .glances = {}});
  }
}

/// Gives the wishes out until there are enough; equal ones cost nothing.
LabelPlan granted(std::vector<LabelTarget> targets, std::vector<Wish> wishes, std::size_t most) {
  std::ranges::stable_sort(wishes, {}, &Wish::rank);
  LabelPlan plan;
  for (const Wish& wish : wishes) {
    auto known = std::ranges::find(plan.glances, wish.glance);
    if (known == plan.glances.end()) {
      if (plan.glances.size() >= most) continue;
      known = plan.glances.insert(plan.glances.end(), wish.glance);
    }
    targets[wish.target].glances.push_back(static_cast<std::size_t>(known - plan.glances.begin()));
  }
  std::vector<std::size_t> order(plan.glances.size()), place(plan.glances.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return plan.glances[i].time; });
  std::vector<Glance> sorted;
  for (const std::size_t i : order) {
    place[i] = sorted.size();
    sorted.push_back(plan.glances[i]);
  }
  plan.glances = std::move(sorted);
  for (LabelTarget& target : targets) {
    for (std::size_t& glance : target.glances) glance = place[glance];
    if (target.glances.empty())
      ++plan.unseen;
    else
      plan.targets.push_back(std::move(target));
  }
  return plan;
}

}  // namespace

SquareCut square_around(const std::array<double, 2>& place, std::int64_t width,
                        std::int64_t height) {
  const std::int64_t side = std::max<std::int64_t>(
      1, std::llround(kSquareShare * static_cast<double>(std::min(width, height))));
  const auto begin = [&](double middle, std::int64_t length) {
    const double pixel = (middle + 1) / 2 * static_cast<double>(length);
    return std::clamp<std::int64_t>(std::llround(pixel - static_cast<double>(side) / 2), 0,
                                    length - side);
  };
  return {begin(place[0], width), begin(-place[1], height), side};
}

LabelPlan plan_labels(const EventTimeline& timeline, const LabelLimits& limits) {
  std::vector<LabelTarget> targets = group_events(timeline);
  std::vector<Wish> wishes;
  for (std::size_t i = 0; i < targets.size(); ++i) wish_for_events(timeline, targets[i], i, wishes);
  if (limits.wants_ambience) add_ambience(timeline, targets, wishes);
  return granted(std::move(targets), std::move(wishes), limits.most_glances);
}

}  // namespace qingyin
