// What moves and is not heard, and what stands in the way.
#include <numbers>

#include "training/scenes/film_parts.h"

namespace qingyin::training {
namespace {

constexpr double kPi = std::numbers::pi;

/// An arm or a branch that sways.
void add_swaying(Draw& draw, FilmPlan& plan) {
  Thing thing = draw_thing(draw, draw.between(0, 1.5), draw.between(0, 1), draw.ratio(0.05, 0.3));
  thing.arm = draw.between(0.1, 0.4);
  const double middle = draw.between(-kPi, kPi), half = draw.ratio(0.3, 1.5);
  double side = 1;
  for (double now = -1; now < plan.duration_s; now += half, side = -side)
    thing.angle.go(now, now + half, middle + side * draw.between(0.05, 0.5), Way::kEase);
  plan.things.push_back(thing);
}

/// Goes from place to place with smooth starts and stops.
void add_wanderer(Draw& draw, FilmPlan& plan) {
  Thing thing = draw_thing(draw, draw.between(0, 1.5), draw.between(0, 1), draw.ratio(0.05, 0.4));
  for (double now = draw.between(-1, 1); now < plan.duration_s;) {
    const double there = now + draw.between(0.4, 2);
    const double far = draw.ratio(0.03, 0.5), way = draw.between(0, 2 * kPi);
    thing.x.go(now, there, thing.x.last() + far * std::cos(way), Way::kEase);
    thing.y.go(now, there, thing.y.last() + far * std::sin(way), Way::kEase);
    now = there + draw.between(0, 1.5);
  }
  plan.things.push_back(thing);
}

/// Passes at one speed: a cloud, a far car, a panel.
void add_passing(Draw& draw, FilmPlan& plan) {
  const double side = draw.sign(), y = draw.between(0, 1);
  Thing thing = draw_thing(draw, side > 0 ? -0.4 : 1.9, y, draw.ratio(0.05, 0.4));
  const double begin = draw.between(-3, 2);
  thing.x.go(begin, begin + draw.between(1.5, 8), side > 0 ? 1.9 : -0.4, Way::kEven);
  plan.things.push_back(thing);
}

/// Leaves or waves: a texture that shifts to and fro, or a glitter.
void add_shimmer(Draw& draw, FilmPlan& plan) {
  Thing thing = draw_thing(draw, draw.between(0, 1.5), draw.between(0, 1), draw.ratio(0.15, 0.8));
  thing.contrast = draw.between(5, 40);
  thing.soft = 0.05;
  const double half = draw.ratio(0.2, 1.2), far = draw.ratio(0.02, 0.2);
  double side = 1;
  for (double now = -1; now < plan.duration_s; now += half * draw.between(0.7, 1.3), side = -side)
    thing.slide.go(now, now + half, side * far * draw.between(0.5, 1), Way::kEase);
  plan.things.push_back(thing);
}

/// Comes into the picture or leaves it, and stands still outside.
void add_visitor(Draw& draw, FilmPlan& plan) {
  const double y = draw.between(0.1, 0.9), out = draw.chance(0.5) ? -0.5 : 2.0;
  const bool comes = draw.chance(0.5);
  const double in = draw.between(0.2, 1.3), now = draw_moment(draw, plan);
  Thing thing = draw_thing(draw, comes ? out : in, y, draw.ratio(0.05, 0.3));
  thing.x.go(now, now + draw.between(0.3, 1.5), comes ? in : out,
             comes ? Way::kEase : Way::kSpeedUp);
  plan.things.push_back(thing);
}

/// A lamp or a screen that changes its brightness.
void add_lamp(Draw& draw, FilmPlan& plan) {
  Thing thing = draw_thing(draw, draw.between(0, 1.5), draw.between(0, 1), draw.ratio(0.02, 0.2));
  for (double now = draw.between(0, 1); now < plan.duration_s; now += draw.between(0.2, 2))
    thing.grey.go(now, now + draw.between(0.04, 0.5), draw.between(20, 250), Way::kEven);
  plan.things.push_back(thing);
}

/// Clouds or the camera's own exposure.
void add_light_change(Draw& draw, FilmPlan& plan) {
  if (plan.light.moves()) return;
  for (double now = draw.between(0, 2); now < plan.duration_s; now += draw.between(0.5, 3)) {
    const double there = now + draw.between(0.2, 1.5);
    plan.light.go(now, there, draw.between(0.7, 1.3), Way::kEase);
    now = there;
  }
}

}  // namespace

void add_distractor(Draw& draw, FilmPlan& plan) {
  static constexpr void (*kDistractors[])(Draw&, FilmPlan&) = {
      add_swaying, add_wanderer, add_wanderer, add_passing,     add_shimmer,
      add_shimmer, add_visitor,  add_lamp,     add_light_change};
  kDistractors[draw.below(static_cast<int>(std::size(kDistractors)))](draw, plan);
}

void add_occluder(Draw& draw, FilmPlan& plan) {
  Thing thing = draw_thing(draw, draw.between(0, 1.5), draw.between(0, 1), draw.ratio(0.08, 0.3));
  for (FilmEvent& event : plan.events) {
    const double x = (event.x + 1) / 2 * kFilmWidth, y = (1 - event.y) / 2 * kFilmHeight;
    const double reach = std::max(thing.half_width, thing.half_height);
    if (std::hypot(x - thing.x.last(), y - thing.y.last()) < reach) event.hidden = true;
  }
  plan.things.push_back(thing);
}

}  // namespace qingyin::training
