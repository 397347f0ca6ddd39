#include "understanding/labels/label_choice.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "core/error.h"

namespace qingyin {
namespace {

// CLIP's share of all labels of a kind above which its first guess is believed.
constexpr double kSureOfEvent = 0.2, kSureOfAmbience = 0.3;
constexpr double kFoundBedGainDb = -12;
constexpr const char* kSource = "clip";

/// What the motion alone calls what it cannot tell.
constexpr std::array<std::string_view, 3> kUnnamed{"impact", "scrape", "rolling"};

double rounded(double score) { return std::round(score * 1e4) / 1e4; }

void bring_to_length(std::span<double> row, double length) {
  double sum = 0;
  for (const double x : row) sum += x * x;
  const double factor = sum > 0 ? length / std::sqrt(sum) : 0;
  for (double& x : row) x *= factor;
}

std::vector<ScoredLabel> scored(const LabelSet& set, const std::vector<LabelGuess>& guesses) {
  std::vector<ScoredLabel> labels;
  for (const LabelGuess& guess : guesses)
    labels.push_back({set.labels[guess.label].name, rounded(guess.score)});
  return labels;
}

void name_event(const SoundLabel& label, SoundEvent& event) {
  const bool is_unnamed = std::ranges::count(kUnnamed, event.label) > 0;
  if (!is_unnamed && event.label != label.sound) return;
  event.label = label.sound;
  event.lane = label.lane;
  if (!label.material.empty()) event.material = label.material;
  event.caption = label.caption;
}

std::string free_id(const EventTimeline& timeline) {
  std::set<std::string> taken;
  for (const auto& event : timeline.events) taken.insert(event.id);
  for (const auto& layer : timeline.ambience) taken.insert(layer.id);
  for (int number = 1;; ++number)
    if (auto id = "a" + std::to_string(number); !taken.contains(id)) return id;
}

void add_layer(const SoundLabel& label, const LabelTarget& target,
               const std::vector<ScoredLabel>& labels, EventTimeline& timeline) {
  if (label.sound.empty()) return;
  if (!timeline.ambience.empty()) {
    AmbienceLayer& last = timeline.ambience.back();
    if (last.caption == label.caption && last.offset == target.begin) {
      last.offset = target.end;
      return;
    }
  }
  AmbienceLayer layer;
  layer.id = free_id(timeline);
  layer.label = label.sound;
  layer.caption = label.caption;
  layer.onset = target.begin;
  layer.offset = target.end;
  layer.gain_db = kFoundBedGainDb;
  layer.source = kSource;
  layer.labels = labels;
  timeline.ambience.push_back(std::move(layer));
}

}  // namespace

std::vector<std::string> texts_of(const LabelSet& set) {
  std::vector<std::string> texts;
  for (const SoundLabel& label : set.labels) {
    texts.push_back("a photo of " + label.picture + ".");
    texts.push_back(label.picture);
  }
  static_assert(kTextsPerLabel == 2);
  return texts;
}

FeatureTensor label_rows(const FeatureTensor& texts, double logit_scale) {
  require(texts.shape.size() == 2 && texts.shape[0] % std::int64_t{kTextsPerLabel} == 0,
          ErrorCode::kInternal, "labels: rows of texts do not come in pairs");
  const auto width = static_cast<std::size_t>(texts.shape[1]);
  FeatureTensor rows{.shape = {texts.shape[0] / std::int64_t{kTextsPerLabel}, texts.shape[1]},
                     .values = {},
                     .hop = Seconds(0)};
  for (std::size_t i = 0; i < texts.values.size(); i += kTextsPerLabel * width) {
    std::vector<double> row(width);
    for (std::size_t k = 0; k < kTextsPerLabel * width; ++k) row[k % width] += texts.values[i + k];
    bring_to_length(row, logit_scale);
    for (const double x : row) rows.values.push_back(static_cast<float>(x));
  }
  return rows;
}

std::vector<LabelGuess> likeliest(const LabelSet& set, const FeatureTensor& rows,
                                  std::span<const std::vector<float>> pictures, LabelKind kind,
                                  std::size_t count) {
  const auto width = static_cast<std::size_t>(rows.shape.at(1));
  require(rows.values.size() == set.labels.size() * width, ErrorCode::kInternal,
          "labels: not one row for each label");
  std::vector<double> seen(width);
  for (const auto& picture : pictures)
    for (std::size_t k = 0; k < width; ++k) seen[k] += picture.at(k);
  bring_to_length(seen, 1);
  std::vector<LabelGuess> guesses;
  for (std::size_t i = 0; i < set.labels.size(); ++i) {
    if (set.labels[i].kind != kind) continue;
    double logit = 0;
    for (std::size_t k = 0; k < width; ++k) logit += seen[k] * rows.values[i * width + k];
    guesses.push_back({i, logit});
  }
  std::ranges::stable_sort(guesses, std::ranges::greater{}, &LabelGuess::score);
  if (guesses.empty()) return {};
  const double most = guesses.front().score;
  double sum = 0;
  for (LabelGuess& guess : guesses) sum += guess.score = std::exp(guess.score - most);
  for (LabelGuess& guess : guesses) guess.score /= sum;
  guesses.resize(std::min(count, guesses.size()));
  return guesses;
}

void write_labels(const LabelSet& set, const LabelPlan& plan,
                  std::span<const std::vector<LabelGuess>> guesses, EventTimeline& timeline) {
  for (std::size_t t = 0; t < plan.targets.size(); ++t) {
    if (guesses[t].empty()) continue;
    const LabelTarget& target = plan.targets[t];
    const auto labels = scored(set, guesses[t]);
    const LabelGuess& first = guesses[t].front();
    for (const std::size_t i : target.events) {
      timeline.events[i].labels = labels;
      if (first.score >= kSureOfEvent) name_event(set.labels[first.label], timeline.events[i]);
    }
    if (target.kind == LabelKind::kAmbience && first.score >= kSureOfAmbience)
      add_layer(set.labels[first.label], target, labels, timeline);
  }
}

}  // namespace qingyin
