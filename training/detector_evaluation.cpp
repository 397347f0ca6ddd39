#include "training/detector_evaluation.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <mutex>

#include "core/philox.h"
#include "training/detector_data.h"
#include "training/sound_pool.h"

namespace qingyin::training {
namespace {

constexpr double kNear = 0.1;  // seconds
constexpr double kLeastOnset = 0.4;
constexpr double kSure = 0.8;

struct Sums {
  DetectorFigures figures;
  std::vector<double> errors_s;
};

void judge_hit(const RollStep& said, const FilmEvent& wanted, Sums& sums) {
  DetectorFigures& f = sums.figures;
  sums.errors_s.push_back(std::abs(said.onset_s - wanted.onset_s));
  const auto best = std::ranges::max_element(said.kinds);
  const auto kind = static_cast<std::size_t>(best - said.kinds.begin());
  const auto true_kind = static_cast<std::size_t>(wanted.onset_kind);
  const double right = kind == true_kind ? 1 : 0;
  f.onsets.hits += 1;
  f.kinds_right += right;
  f.kinds[true_kind].true_ones += 1;
  f.kinds[kind].said += 1;
  f.kinds[kind].hits += right;
  f.sure_kinds[true_kind].true_ones += 1;
  if (*best >= kSure) {
    f.sure_kinds[kind].said += 1;
    f.sure_kinds[kind].hits += right;
  }
  f.place_error += std::hypot(said.x - wanted.x, said.y - wanted.y);
  f.intensity_error += std::abs(said.intensity - wanted.intensity);
}

// Pairs that are nearest first, one to one.
void judge_onsets(const std::vector<RollStep>& found, const Film& film, Sums& sums) {
  struct Pair {
    double distance;
    std::size_t said, wanted;
  };
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < found.size(); ++i)
    for (std::size_t j = 0; j < film.events.size(); ++j) {
      const double distance = std::abs(found[i].onset_s - film.events[j].onset_s);
      if (!film.events[j].lasts && distance <= kNear) pairs.push_back({distance, i, j});
    }
  std::ranges::sort(pairs, {}, &Pair::distance);
  std::vector<bool> used(found.size()), done(film.events.size());
  for (const Pair& pair : pairs) {
    if (used[pair.said] || done[pair.wanted]) continue;
    used[pair.said] = done[pair.wanted] = true;
    if (film.events[pair.wanted].hidden) continue;
    sums.figures.onsets.said += 1;
    judge_hit(found[pair.said], film.events[pair.wanted], sums);
  }
  sums.figures.onsets.said += static_cast<double>(std::ranges::count(used, false));
  const double end_s = film.frames.back().time_s;
  for (const FilmEvent& event : film.events)
    if (!event.lasts && !event.hidden && event.onset_s >= 0 && event.onset_s < end_s)
      sums.figures.onsets.true_ones += 1;
}

void judge_lasting(const std::vector<RollStep>& steps, const Film& film, Sums& sums) {
  for (const RollStep& step : steps)
    for (std::size_t k = 0; k < kLastingKinds; ++k) {
      const double now_s = 0.5 * (step.start_s + step.end_s);
      const bool is_on = std::ranges::any_of(film.events, [&](const FilmEvent& e) {
        return e.lasts && static_cast<std::size_t>(e.lasting_kind) == k && e.onset_s <= now_s &&
               e.offset_s > now_s;
      });
      const bool said = step.lasting[k] > 0.5F;
      Shares& shares = sums.figures.lasting[k];
      shares.true_ones += is_on ? 1 : 0;
      shares.said += said ? 1 : 0;
      shares.hits += is_on && said ? 1 : 0;
    }
}

std::string row(std::string_view name, const Shares& shares) {
  char text[160];
  std::snprintf(text, sizeof text, "| %s | %.0f | %.3f | %.3f | %.3f |\n",
                std::string(name).c_str(), shares.true_ones, shares.precision(), shares.recall(),
                shares.f1());
  return text;
}

}  // namespace

std::vector<RollStep> onsets_in(const std::vector<RollStep>& steps, double least) {
  std::vector<RollStep> found;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].onset < least) continue;
    bool is_largest = true;
    for (std::size_t j = 0; j < steps.size() && is_largest; ++j)
      if (j != i && std::abs(steps[j].onset_s - steps[i].onset_s) < kNear)
        is_largest = steps[j].onset < steps[i].onset || (steps[j].onset == steps[i].onset && j > i);
    if (is_largest) found.push_back(steps[i]);
  }
  return found;
}

DetectorFigures evaluate_detector(const DetectorEvaluation& settings) {
  const RollNetwork network(settings.weights);
  const std::uint64_t seed = derive_seed(settings.seed, "held-out films");
  std::mutex mutex;
  Sums sums;
  in_parallel(settings.films, settings.threads, [&](std::int64_t i) {
    const Film film = shoot_film(seed, static_cast<std::uint64_t>(i), settings.film_s);
    const std::vector<RollStep> steps = network.read(maps_of(film));
    const std::lock_guard lock(mutex);
    judge_onsets(onsets_in(steps, kLeastOnset), film, sums);
    judge_lasting(steps, film, sums);
  });
  DetectorFigures& f = sums.figures;
  const double hits = std::max(1.0, f.onsets.hits);
  f.kinds_right /= hits;
  f.place_error /= hits;
  f.intensity_error /= hits;
  std::ranges::sort(sums.errors_s);
  if (!sums.errors_s.empty()) {
    f.median_error_s = sums.errors_s[sums.errors_s.size() / 2];
    f.p90_error_s = sums.errors_s[sums.errors_s.size() * 9 / 10];
  }
  return f;
}

std::string to_markdown(const DetectorFigures& f) {
  std::string text = "| | true | precision | recall | F1 |\n| --- | ---: | ---: | ---: | ---: |\n";
  text += row("onsets within 0.1 s", f.onsets);
  for (std::size_t k = 0; k < kOnsetKinds; ++k) {
    text += row("named " + std::string(kOnsetLabels[k]), f.kinds[k]);
    text += row("surely named " + std::string(kOnsetLabels[k]), f.sure_kinds[k]);
  }
  for (std::size_t k = 0; k < kLastingKinds; ++k)
    text += row("frames of " + std::string(kLastingLabels[k]), f.lasting[k]);
  char line[240];
  std::snprintf(line, sizeof line,
                "\nOf the hits: kind right %.3f, timing error median %.1f ms, 90th percentile %.1f "
                "ms, place off by %.2f, intensity by %.2f\n",
                f.kinds_right, 1e3 * f.median_error_s, 1e3 * f.p90_error_s, f.place_error,
                f.intensity_error);
  return text + line;
}

}  // namespace qingyin::training
