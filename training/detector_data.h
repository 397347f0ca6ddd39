#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "training/scenes/film.h"

namespace qingyin::training {

/// Films as the detector network sees them and what it should say. N films, T maps, K onset kinds,
/// L lasting kinds.
struct DetectorExamples {
  at::Tensor maps;       // [N, T, kMapChannels, kMapRows, kMapColumns] float16
  at::Tensor onset;      // [N, T] 1 where a seen event begins between the frames
  at::Tensor near;       // [N, T] 1 beside such a map, where no clear answer is wanted
  at::Tensor share;      // [N, T] how far between the frames, where `onset` is 1
  at::Tensor kind;       // [N, T] int64, where `onset` is 1
  at::Tensor intensity;  // [N, T] where `onset` is 1
  at::Tensor place;      // [N, T, 2] where `onset` is 1
  at::Tensor lasting;    // [N, T, L] share of the time between the frames that it lasts
};

/// Motion maps of a film, repeated frames left out as by the frame sieve.
std::vector<MotionMap> maps_of(const Film& film);

/// The first `steps` maps of one shot, and what is heard in it.
DetectorExamples examples_of(const std::vector<MotionMap>& maps,
                             const std::vector<FilmEvent>& events, std::int64_t steps);

/// The first `steps` maps of a film; what is missing at its end is zero and counts as quiet.
DetectorExamples examples_of(const Film& film, std::int64_t steps);

/// Films [0, count) of a seed.
DetectorExamples shoot_examples(std::uint64_t seed, std::int64_t count, double duration_s,
                                std::int64_t steps, int threads);

}  // namespace qingyin::training
