#include "training/sound_pool.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <string>
#include <thread>

#include "audio_gen/bundled/representation.h"
#include "audio_gen/vocabulary.h"
#include "core/philox.h"

namespace qingyin::training {
namespace {

/// Textures are cut this far from their start at least: their first second is a beginning.
constexpr double kEarliestCut = 0.5;
/// Sustained sounds that are made up to three times as long.
constexpr float kLongShare = 0.3F;
constexpr double kLongest = 6;

}  // namespace

SoundRecipe training_recipe(std::uint64_t seed, std::int64_t index) {
  const auto classes = static_cast<std::int64_t>(sound_classes().size());
  const auto class_id = static_cast<int>(index % classes);
  SoundRecipe recipe = draw_recipe(class_id, derive_seed(seed, std::to_string(index)));
  const SoundShape shape = sound_classes()[static_cast<std::size_t>(class_id)].shape;
  const Philox random(recipe.seed, 7);
  if (shape != SoundShape::kSustained || random.uniform(1) >= kLongShare) return recipe;
  const double longer = std::min(kLongest, recipe.duration_s * (1 + 2 * random.uniform(2)));
  const auto points = static_cast<std::size_t>(longer * 100);
  std::vector<float> curve(recipe.level_curve.empty() ? 0 : points);
  for (std::size_t i = 0; i < curve.size(); ++i) {
    curve[i] = recipe.level_curve[i * recipe.level_curve.size() / points];
  }
  recipe.duration_s = longer;
  recipe.level_curve = curve;
  return recipe;
}

TrainingSound training_sound(std::uint64_t seed, std::int64_t index, double length_s) {
  return training_sound(training_recipe(seed, index), length_s);
}

TrainingSound training_sound(const SoundRecipe& recipe, double length_s) {
  TrainingSound sound{recipe, false, {}};
  const auto class_id = static_cast<std::size_t>(sound.recipe.class_id);
  sound.is_texture = sound_classes()[class_id].shape == SoundShape::kTexture;
  if (sound.is_texture) {
    const double cut = kEarliestCut + 0.5 * Philox(sound.recipe.seed, 7).uniform(0);
    sound.recipe.duration_s = cut + length_s + 1;
    sound.recipe.level_curve.clear();
    sound.samples = synthesise(sound.recipe, 0, cut + length_s).samples;
    sound.samples.erase(
        sound.samples.begin(),
        sound.samples.end() - static_cast<std::int64_t>(length_s * bundled::kSampleRate));
  } else {
    const double lead = static_cast<double>(bundled::kLeadSamples) / bundled::kSampleRate;
    sound.samples = synthesise(sound.recipe, lead, length_s).samples;
  }
  const double now = bundled::loudest_rms(sound.samples);
  const double gain = bundled::amplitude_of(bundled::kNominalDbfs) / std::max(now, 1e-9);
  for (float& x : sound.samples) x = static_cast<float>(x * gain);
  return sound;
}

void in_parallel(std::int64_t count, int threads, const std::function<void(std::int64_t)>& work) {
  std::atomic<std::int64_t> next = 0;
  std::mutex mutex;
  std::exception_ptr failure;
  const auto take = [&] {
    try {
      for (std::int64_t i = next++; i < count; i = next++) work(i);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
      next = count;
    }
  };
  std::vector<std::thread> others;
  for (int t = 1; t < threads; ++t) others.emplace_back(take);
  take();
  for (auto& thread : others) thread.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace qingyin::training
