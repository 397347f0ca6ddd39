#include "training/detector_data.h"

#include <ATen/ATen.h>

#include <cmath>

#include "training/sound_pool.h"

namespace qingyin::training {
namespace {

/// Two frames that are nearer than this, in grey levels, are one shown twice.
constexpr double kSame = 0.02;

bool is_repeat(const SmallPicture& a, const SmallPicture& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]);
  return sum < kSame * static_cast<double>(a.size());
}

void mark_onset(const FilmEvent& event, const std::vector<MotionMap>& maps, std::int64_t steps,
                DetectorExamples& out) {
  const auto length = std::min<std::int64_t>(steps, static_cast<std::int64_t>(maps.size()));
  for (std::int64_t t = 0; t < length; ++t) {
    const MotionMap& map = maps[static_cast<std::size_t>(t)];
    if (event.onset_s < map.start_s || event.onset_s >= map.end_s) continue;
    for (std::int64_t beside = std::max<std::int64_t>(0, t - 1);
         beside <= std::min(length - 1, t + 1); ++beside)
      out.near[0][beside] = 1;
    if (event.hidden) return;
    // Of two between the same frames the louder one is learnt.
    if (out.onset[0][t].item<float>() > 0 &&
        out.intensity[0][t].item<float>() > static_cast<float>(event.intensity))
      return;
    out.onset[0][t] = 1;
    out.share[0][t] = (event.onset_s - map.start_s) / (map.end_s - map.start_s);
    out.kind[0][t] = static_cast<std::int64_t>(event.onset_kind);
    out.intensity[0][t] = event.intensity;
    out.place[0][t][0] = std::clamp(event.x, -1.0, 1.0);
    out.place[0][t][1] = std::clamp(event.y, -1.0, 1.0);
    return;
  }
}

void mark_lasting(const FilmEvent& event, const std::vector<MotionMap>& maps, std::int64_t steps,
                  DetectorExamples& out) {
  auto lasting = out.lasting.accessor<float, 3>();
  const auto kind = static_cast<std::int64_t>(event.lasting_kind);
  for (std::int64_t t = 0; t < std::min<std::int64_t>(steps, std::ssize(maps)); ++t) {
    const MotionMap& map = maps[static_cast<std::size_t>(t)];
    const double begin = std::max(map.start_s, event.onset_s);
    const double end = std::min(map.end_s, event.offset_s);
    const double share = std::max(0.0, end - begin) / (map.end_s - map.start_s);
    lasting[0][t][kind] = std::max(lasting[0][t][kind], static_cast<float>(share));
  }
}

}  // namespace

std::vector<MotionMap> maps_of(const Film& film) {
  std::vector<MotionMap> maps;
  std::size_t last = 0;
  for (std::size_t i = 1; i < film.frames.size(); ++i) {
    const FilmFrame &before = film.frames[last], &after = film.frames[i];
    const bool next_moves =
        i + 1 < film.frames.size() && !is_repeat(after.picture, film.frames[i + 1].picture);
    if (is_repeat(before.picture, after.picture) && next_moves && last + 1 == i) continue;
    maps.push_back(map_motion(before.picture, after.picture, before.time_s, after.time_s));
    last = i;
  }
  return maps;
}

DetectorExamples examples_of(const Film& film, std::int64_t steps) {
  return examples_of(maps_of(film), film.events, steps);
}

DetectorExamples examples_of(const std::vector<MotionMap>& maps,
                             const std::vector<FilmEvent>& events, std::int64_t steps) {
  constexpr auto kLasting = static_cast<std::int64_t>(kLastingKinds);
  DetectorExamples out{.maps = at::zeros({1, steps, kMapChannels, kMapRows, kMapColumns}),
                       .onset = at::zeros({1, steps}),
                       .near = at::zeros({1, steps}),
                       .share = at::zeros({1, steps}),
                       .kind = at::zeros({1, steps}, at::kLong),
                       .intensity = at::zeros({1, steps}),
                       .place = at::zeros({1, steps, 2}),
                       .lasting = at::zeros({1, steps, kLasting})};
  auto* data = out.maps.mutable_data_ptr<float>();
  for (std::int64_t t = 0; t < std::min<std::int64_t>(steps, std::ssize(maps)); ++t)
    data = std::ranges::copy(maps[static_cast<std::size_t>(t)].values, data).out;
  out.maps = out.maps.to(at::kHalf);
  for (const FilmEvent& event : events) {
    if (event.lasts)
      mark_lasting(event, maps, steps, out);
    else
      mark_onset(event, maps, steps, out);
  }
  return out;
}

DetectorExamples shoot_examples(std::uint64_t seed, std::int64_t count, double duration_s,
                                std::int64_t steps, int threads) {
  std::vector<DetectorExamples> all(static_cast<std::size_t>(count));
  in_parallel(count, threads, [&](std::int64_t i) {
    all[static_cast<std::size_t>(i)] =
        examples_of(shoot_film(seed, static_cast<std::uint64_t>(i), duration_s), steps);
  });
  const auto joined = [&](at::Tensor DetectorExamples::*part) {
    std::vector<at::Tensor> parts;
    for (const DetectorExamples& e : all) parts.push_back(e.*part);
    return at::cat(parts);
  };
  using E = DetectorExamples;
  return {joined(&E::maps), joined(&E::onset),     joined(&E::near),  joined(&E::share),
          joined(&E::kind), joined(&E::intensity), joined(&E::place), joined(&E::lasting)};
}

}  // namespace qingyin::training
