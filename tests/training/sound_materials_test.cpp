#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include "audio_gen/vocabulary.h"
#include "tests/training/sound_figures.h"
#include "training/sound_bank.h"

// Can a simple listener tell the materials? Linear discriminants on the levels of 18 bands in four
// stretches of time and on how tonal each octave is, learned on some draws and asked about others.
namespace qingyin::training {
namespace {

using namespace qingyin::test;

constexpr std::size_t kBands = 18, kTimes = 4, kOctaves = 9,
                      kFeatures = kBands * kTimes + kOctaves + 1;
constexpr std::size_t kMaterials = 9;
using Features = std::array<double, kFeatures>;
using Matrix = std::array<Features, kFeatures>;

struct Example {
  Features features;
  std::size_t material;
};

std::vector<double> short_spectrum(std::span<const float> x) {
  static const Fft transform(1 << 14);
  Fft::Workspace space(transform.size());
  std::fill(space.signal().begin(), space.signal().end(), 0.0F);
  std::copy_n(x.begin(), std::min(x.size(), space.signal().size()), space.signal().begin());
  transform.forward(space);
  std::vector<double> power;
  for (const auto& value : space.spectrum()) power.push_back(std::norm(value));
  return power;
}

/// Band of a bin, `per_octave` of them from 45 Hz on.
std::size_t band_of(std::size_t bin, double per_octave) {
  const double hz = static_cast<double>(bin) * kRate / (1 << 14);
  const double band = per_octave * std::log2(std::max(hz, 1.0) / 45.0);
  return band < 0 ? kBands : std::min(kBands, static_cast<std::size_t>(band));
}

/// Band levels in dB under the whole sound's, at least -70, of a stretch of the sound.
void hear_levels(std::span<const float> x, double top_db, double* features) {
  std::array<double, kBands + 1> power{};
  const auto spectrum = short_spectrum(x);
  for (std::size_t bin = 0; bin < spectrum.size(); ++bin) power[band_of(bin, 2)] += spectrum[bin];
  for (std::size_t band = 0; band < kBands; ++band) {
    *features++ = std::max(-70.0, 10 * std::log10(power[band] + 1e-20) - top_db);
  }
}

/// By octave, how far the arithmetic mean of the power lies above the geometric one, in dB.
void hear_tones(std::span<const float> x, double* features) {
  std::array<double, kBands + 1> sum{}, logs{}, count{};
  const auto spectrum = short_spectrum(x);
  for (std::size_t bin = 0; bin < spectrum.size(); ++bin) {
    const std::size_t octave = band_of(bin, 1);
    ++count[octave];
    sum[octave] += spectrum[bin] + 1e-20;
    logs[octave] += 10 * std::log10(spectrum[bin] + 1e-20);
  }
  for (std::size_t k = 0; k < kOctaves; ++k) {
    *features++ = 10 * std::log10(sum[k] / count[k]) - logs[k] / count[k];
  }
}

Example example_of(int class_id, std::size_t material, std::uint64_t seed) {
  SoundRecipe recipe = draw_recipe(class_id, seed);
  recipe.material_id = static_cast<int>(material);
  recipe.level_curve.clear();
  const BankSound sound = synthesise(recipe, 0, 0.7);
  const std::span<const float> all(sound.samples);
  double energy = 1e-20;
  for (const float v : all) energy += static_cast<double>(v) * v * (1 << 13);
  constexpr std::array<std::size_t, kTimes + 1> kEnds{0, 960, 3840, 12000, 28000};
  Example example{{}, material};
  for (std::size_t t = 0; t < kTimes; ++t) {
    hear_levels(all.subspan(kEnds[t], kEnds[t + 1] - kEnds[t]), 10 * std::log10(energy),
                example.features.data() + t * kBands);
  }
  hear_tones(all.subspan(2400, 16384), example.features.data() + kTimes * kBands);
  example.features.back() = 1;
  return example;
}

/// Solves a x = b for a positive definite `a`, by elimination.
Features solve(Matrix a, Features b) {
  for (std::size_t i = 0; i < kFeatures; ++i) {
    for (std::size_t j = i + 1; j < kFeatures; ++j) {
      const double f = a[j][i] / a[i][i];
      for (std::size_t k = i; k < kFeatures; ++k) a[j][k] -= f * a[i][k];
      b[j] -= f * b[i];
    }
  }
  for (std::size_t i = kFeatures; i-- > 0;) {
    for (std::size_t k = i + 1; k < kFeatures; ++k) b[i] -= a[i][k] * b[k];
    b[i] /= a[i][i];
  }
  return b;
}

/// One direction per material with a common covariance (Fisher 1936); the last weight is the
/// offset.
std::vector<Features> learn(const std::vector<Example>& examples) {
  std::vector<Features> means(kMaterials, Features{});
  std::vector<double> counts(kMaterials, 0);
  for (const Example& e : examples) {
    ++counts[e.material];
    for (std::size_t i = 0; i < kFeatures; ++i) means[e.material][i] += e.features[i];
  }
  for (std::size_t m = 0; m < kMaterials; ++m) {
    for (double& x : means[m]) x /= counts[m];
  }
  Matrix spread{};
  for (std::size_t i = 0; i < kFeatures; ++i) spread[i][i] = 4.0;  // dB^2
  for (const Example& e : examples) {
    for (std::size_t i = 0; i + 1 < kFeatures; ++i) {
      const double off = e.features[i] - means[e.material][i];
      for (std::size_t j = 0; j + 1 < kFeatures; ++j) {
        spread[i][j] +=
            off * (e.features[j] - means[e.material][j]) / static_cast<double>(examples.size());
      }
    }
  }
  std::vector<Features> directions;
  for (std::size_t m = 0; m < kMaterials; ++m) {
    Features mean = means[m];
    mean.back() = 0;
    Features direction = solve(spread, mean);
    direction.back() = 0;
    for (std::size_t i = 0; i + 1 < kFeatures; ++i) {
      direction.back() -= 0.5 * direction[i] * mean[i];
    }
    directions.push_back(direction);
  }
  return directions;
}

std::size_t guess(const std::vector<Features>& directions, const Features& features) {
  std::size_t best = 0;
  double top = -1e300;
  for (std::size_t m = 0; m < directions.size(); ++m) {
    double score = 0;
    for (std::size_t i = 0; i < kFeatures; ++i) score += directions[m][i] * features[i];
    if (score > top) {
      top = score;
      best = m;
    }
  }
  return best;
}

/// Share of held-out draws of a class whose material is told; the confusions in `table`.
double told(std::string_view name, std::ostream& table) {
  constexpr std::uint64_t kLearned = 100, kAsked = 20;
  const int id = class_id(name).value();
  std::vector<Example> examples;
  const std::size_t materials = name == "rolling" ? 7 : kMaterials;  // neither earth nor cloth
  for (std::size_t m = 0; m < kMaterials; ++m) {
    for (std::uint64_t seed = 0; seed < kLearned; ++seed) {
      examples.push_back(example_of(id, m, 100 + seed));
    }
  }
  const auto directions = learn(examples);
  double right = 0;
  for (std::size_t m = 0; m < materials; ++m) {
    std::array<int, kMaterials> answers{};
    for (std::uint64_t seed = 0; seed < kAsked; ++seed) {
      const std::size_t answer = guess(directions, example_of(id, m, 9000 + seed).features);
      ++answers[answer];
      right += answer == m;
    }
    table << "\n" << sound_materials()[m] << ":";
    for (const int n : answers) table << " " << n;
  }
  return right / static_cast<double>(kAsked * materials);
}

class Materials : public testing::TestWithParam<std::pair<const char*, double>> {};

TEST_P(Materials, CanBeTold) {
  std::ostringstream table;
  const double share = told(GetParam().first, table);
  RecordProperty("share", std::to_string(share));
  EXPECT_GE(share, GetParam().second) << table.str();
}

INSTANTIATE_TEST_SUITE_P(SoundBank, Materials,
                         testing::Values(std::pair{"impact", 0.85}, std::pair{"footstep", 0.85},
                                         std::pair{"scrape", 0.85}, std::pair{"rolling", 0.85}),
                         [](const auto& each) { return std::string(each.param.first); });

}  // namespace
}  // namespace qingyin::training
