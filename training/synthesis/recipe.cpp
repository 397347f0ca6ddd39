#include <algorithm>
#include <array>
#include <cmath>

#include "audio_gen/vocabulary.h"
#include "core/error.h"
#include "training/sound_bank.h"
#include "training/synthesis/layers.h"
#include "training/synthesis/modes.h"

namespace qingyin::training {
namespace {

using Weights = std::array<double, 9>;  // by material

// How often each material is met, none first.
constexpr Weights kHit{0.06, 0.2, 0.18, 0.12, 0.1, 0.13, 0.09, 0.06, 0.06};
constexpr Weights kWalked{0.05, 0.25, 0.08, 0.02, 0.1, 0.05, 0.22, 0.15, 0.08};
constexpr Weights kRubbed{0.05, 0.19, 0.17, 0.09, 0.1, 0.12, 0.13, 0.07, 0.08};
constexpr Weights kRolled{0.05, 0.24, 0.2, 0.13, 0.13, 0.14, 0.11, 0.0, 0.0};

int draw_material(int class_id, Random& random) {
  const Weights& weights = class_id == kImpact     ? kHit
                           : class_id == kFootstep ? kWalked
                           : class_id == kScrape   ? kRubbed
                                                   : kRolled;
  double total = 0;
  for (const double w : weights) total += w;
  double u = random.range(0, total);
  for (std::size_t id = 0; id < weights.size(); ++id) {
    u -= weights[id];
    if (u < 0) return static_cast<int>(id);
  }
  return kNone;
}

/// Mostly middling, both ends met: the mean of two uniform numbers, spread to [0, 1].
double middling(Random& random) {
  return std::clamp(0.5 + 0.75 * (random.uniform() + random.uniform() - 1.0), 0.0, 1.0);
}

/// A level that moves smoothly within 18 dB below full, or swells and dies.
std::vector<float> draw_curve(double duration_s, Random& random) {
  const auto length = std::max<std::size_t>(2, static_cast<std::size_t>(duration_s * 100));
  const double depth_db = random.range(3, 18), period = random.range(20, 120);
  const double phase = random.uniform();
  const bool arch = random.chance(0.4);
  const double top = random.range(0.2, 0.8);
  std::vector<float> curve(length);
  for (std::size_t i = 0; i < length; ++i) {
    const double u = static_cast<double>(i) / static_cast<double>(length - 1);
    const double wave = 0.5 + 0.5 * std::sin(2 * kPi * (phase + static_cast<double>(i) / period));
    const double rise = u < top ? u / top : (1 - u) / (1 - top);
    const double drop_db = depth_db * (arch ? 1 - rise : wave);
    curve[i] = static_cast<float>(std::pow(10.0, -drop_db / 20));
  }
  return curve;
}

double draw_duration(int class_id, Random& random) {
  switch (class_id) {
    case kWhoosh:
      return random.log_range(0.18, 0.9);
    case kScrape:
      return random.log_range(0.2, 1.6);
    case kRolling:
      return random.log_range(0.35, 2.5);
    default:
      return random.log_range(0.6, 8.0);
  }
}

}  // namespace

SoundRecipe draw_recipe(int class_id, std::uint64_t seed) {
  const bool known = class_id >= 0 && class_id < static_cast<int>(sound_classes().size());
  require(known, ErrorCode::kUsage, "sound recipe: the class is not in the vocabulary");
  const SoundClassInfo& info = sound_classes()[static_cast<std::size_t>(class_id)];
  Random random(seed * 0x9E3779B97F4A7C15ull + 0xD1B54A32D192ED03ull);
  SoundRecipe recipe{};
  recipe.class_id = class_id;
  recipe.material_id = info.uses_material ? draw_material(class_id, random) : kNone;
  recipe.size = middling(random);
  recipe.intensity = middling(random);
  recipe.seed = random.bits();
  if (info.shape == SoundShape::kOneShot) return recipe;
  recipe.duration_s = draw_duration(class_id, random);
  // A whoosh has its own envelope.
  if (class_id != kWhoosh && random.chance(0.7)) {
    recipe.level_curve = draw_curve(recipe.duration_s, random);
  }
  return recipe;
}

}  // namespace qingyin::training
