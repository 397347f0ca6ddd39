#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/progress.h"
#include "training/sound_bank.h"

namespace qingyin::training {

/// A synthesised sound at the level that the networks see (`bundled::kNominalDbfs`), its attack
/// after `bundled::kLeadSamples`.
struct TrainingSound {
  SoundRecipe recipe;
  bool is_texture;
  std::vector<float> samples;
};

/// The recipe of sound number `index`. Some sustained sounds last longer than the bank draws them,
/// up to 6 s.
SoundRecipe training_recipe(std::uint64_t seed, std::int64_t index);

/// Sound number `index` of an endless list that `seed` stands for; all classes in turn. Textures
/// begin anywhere in themselves, without an attack and without the lead.
TrainingSound training_sound(std::uint64_t seed, std::int64_t index, double length_s);
/// The same of a recipe of one's own.
TrainingSound training_sound(const SoundRecipe& recipe, double length_s);

/// Calls `work(0)` to `work(count - 1)` on so many threads; the first exception is thrown on.
void in_parallel(std::int64_t count, int threads, const std::function<void(std::int64_t)>& work);

}  // namespace qingyin::training
