#pragma once

#include <utility>

#include "training/scenes/film.h"

namespace qingyin::training {

/// Size of the world that is seen.
inline constexpr double kFilmWidth = 1.5, kFilmHeight = 1;

/// A shape of random look, at rest at a place.
inline Thing draw_thing(Draw& draw, double x, double y, double size) {
  Thing thing;
  thing.is_box = draw.chance(0.5);
  thing.half_width = size * draw.ratio(0.6, 1.6);
  thing.half_height = size * size / thing.half_width;
  thing.x = Track(x);
  thing.y = Track(y);
  thing.angle = Track(draw.chance(0.5) ? 0 : draw.between(-1.5, 1.5));
  thing.grey = Track(draw.between(15, 240));
  thing.contrast = draw.between(0, 60);
  thing.grain = draw.ratio(3, 25);
  thing.texture_x = draw.between(0, 100);
  thing.soft = draw.ratio(0.004, 0.04);
  return thing;
}

/// A moment between 0.3 s and the end, not too near to it.
inline double draw_moment(Draw& draw, const FilmPlan& plan) {
  return draw.between(0.3, std::max(0.4, plan.duration_s - 0.4));
}

/// A stretch that begins and ends somewhere around the film; one in three goes all through.
inline std::pair<double, double> draw_stretch(Draw& draw, const FilmPlan& plan) {
  if (draw.chance(0.33)) return {-1, plan.duration_s + 1};
  const double begin = draw.between(-0.5, plan.duration_s - 0.8);
  return {begin, begin + draw.between(0.8, plan.duration_s)};
}

inline FilmEvent event_at(double time_s, OnsetKind kind, double intensity, double x, double y) {
  FilmEvent event;
  event.onset_kind = kind;
  event.onset_s = time_s;
  event.offset_s = time_s + 0.2;
  event.intensity = std::clamp(intensity, 0.0, 1.0);
  event.x = 2 * x / kFilmWidth - 1;
  event.y = 1 - 2 * y / kFilmHeight;
  event.hidden = std::abs(event.x) > 1.05 || std::abs(event.y) > 1.05;
  return event;
}

inline FilmEvent lasting(double begin_s, double end_s, LastingKind kind, double intensity, double x,
                         double y) {
  FilmEvent event = event_at(begin_s, OnsetKind::kImpact, intensity, x, y);
  event.lasts = true;
  event.lasting_kind = kind;
  event.offset_s = end_s;
  return event;
}

/// How loud a contact at a speed is (world heights per second), [0, 1].
inline double loudness(double speed) {
  return std::clamp(std::log(std::max(speed, 1e-6) / 0.1) / std::log(80.0), 0.0, 1.0);
}

}  // namespace qingyin::training
