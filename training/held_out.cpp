#include "training/held_out.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "audio_gen/bundled/representation.h"
#include "audio_gen/vocabulary.h"
#include "core/philox.h"
#include "training/figures.h"

namespace qingyin::training {
namespace {

constexpr std::size_t kSamples = bundled::kWindowTokens * bundled::kTokenSamples;
/// Of the teacher that a decay is measured on, and of what was made.
constexpr double kDecaySeconds = 2.5;

double geometric_mean(const std::vector<double>& values) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  const double sum = std::accumulate(values.begin(), values.end(), 0.0,
                                     [](double s, double x) { return s + std::log(x); });
  return std::exp(sum / static_cast<double>(values.size()));
}

void add_decay(std::span<const float> samples, std::vector<double>& times) {
  if (const auto decay = decay_time(samples)) times.push_back(*decay);
}

}  // namespace

SoundEvent event_of(const SoundRecipe& recipe, const std::string& label, bool is_texture) {
  SoundEvent event;
  event.id = "held-out";
  event.label = label;
  event.material = sound_materials()[static_cast<std::size_t>(recipe.material_id)];
  event.size = recipe.size;
  event.intensity = recipe.intensity;
  event.offset = Seconds(is_texture ? 2.0 : recipe.duration_s);
  event.seed = recipe.seed;
  for (std::size_t i = 0; i < recipe.level_curve.size(); i += 5)
    event.envelope.push_back({Seconds(0.01 * static_cast<double>(i)), recipe.level_curve[i]});
  return event;
}

SoundEvent event_of(const TrainingSound& sound) {
  const auto id = static_cast<std::size_t>(sound.recipe.class_id);
  return event_of(sound.recipe, std::string(sound_classes()[id].name), sound.is_texture);
}

std::vector<float> heard(std::vector<float> samples, bool is_texture) {
  if (is_texture) samples.erase(samples.begin(), samples.begin() + 2 * bundled::kLeadSamples);
  const double gain =
      bundled::amplitude_of(bundled::kNominalDbfs) / std::max(bundled::loudest_rms(samples), 1e-9);
  for (float& x : samples) x = static_cast<float>(x * gain);
  return first_window(std::move(samples));
}

std::vector<float> first_window(std::vector<float> samples) {
  samples.resize(kSamples);
  return samples;
}

DecayRatio compare_decays(const AudioGenerator& engine, std::uint64_t seed, std::int64_t class_id,
                          std::int64_t count) {
  const auto classes = static_cast<std::int64_t>(sound_classes().size());
  std::vector<double> made, taught, others;
  for (std::int64_t k = 0; k < count; ++k) {
    const TrainingSound teacher = training_sound(seed, class_id + k * classes, kDecaySeconds);
    const auto samples = engine.render(event_of(teacher), {}).audio.samples;
    add_decay(std::span(samples).first(std::min(samples.size(), teacher.samples.size())), made);
    add_decay(teacher.samples, taught);
    const auto other =
        training_sound(derive_seed(seed, "others"), class_id + k * classes, kDecaySeconds);
    add_decay(other.samples, others);
  }
  const double reference = geometric_mean(taught);
  return {geometric_mean(made) / reference, geometric_mean(others) / reference};
}

}  // namespace qingyin::training
