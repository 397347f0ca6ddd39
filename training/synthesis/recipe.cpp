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
constexpr Weights kShut{0.08, 0.5, 0.22, 0.12, 0.0, 0.08, 0.0, 0.0, 0.0};
constexpr Weights kBroken{0.0, 0.18, 0.0, 0.46, 0.2, 0.08, 0.08, 0.0, 0.0};
constexpr Weights kCrumpled{0.34, 0.0, 0.0, 0.0, 0.0, 0.24, 0.0, 0.18, 0.24};
constexpr Weights kPressed{0.08, 0.1, 0.22, 0.0, 0.0, 0.6, 0.0, 0.0, 0.0};

const Weights& weights_of(int class_id) {
  switch (class_id) {
    case kImpact:
      return kHit;
    case kFootstep:
      return kWalked;
    case kScrape:
      return kRubbed;
    case kDoor:
      return kShut;
    case kBreak:
      return kBroken;
    case kRustle:
      return kCrumpled;
    case kClick:
      return kPressed;
    default:
      return kRolled;
  }
}

int draw_material(int class_id, Random& random) {
  const Weights& weights = weights_of(class_id);
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
    case kRustle:
      return random.log_range(0.3, 2.5);
    case kVehicle:
      return random.log_range(1.0, 7.0);
    case kRiser:
      return random.log_range(0.4, 3.0);
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
  const bool has_own_course = class_id == kWhoosh || class_id == kVehicle || class_id == kRiser;
  if (!has_own_course && random.chance(0.7)) {
    recipe.level_curve = draw_curve(recipe.duration_s, random);
  }
  return recipe;
}

}  // namespace qingyin::training
