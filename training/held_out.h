#pragma once

#include <string>
#include <vector>

#include "audio_gen/audio_generator.h"
#include "core/events.h"
#include "training/sound_pool.h"

namespace qingyin::training {

/// The event that asks an engine for what a recipe of the sound bank says.
/// @param label       the recipe's class, or the name by which an adapter knows it
/// @param is_texture  lasts two seconds
SoundEvent event_of(const SoundRecipe& recipe, const std::string& label, bool is_texture);
SoundEvent event_of(const TrainingSound& sound);

/// What a judge hears of a made sound: the first window at the nominal level, a texture from where
/// it is fully on.
std::vector<float> heard(std::vector<float> samples, bool is_texture);
/// The same of the teacher's, which is at that level already.
std::vector<float> first_window(std::vector<float> samples);

/// Decay times of the sounds that an engine makes of held-out recipes of a class, over the
/// teacher's: ratio of the geometric means. `teacher` is the same of as many other sounds of the
/// teacher: what chance makes of the figure. Not numbers where nothing decays.
struct DecayRatio {
  double made, teacher;
};
DecayRatio compare_decays(const AudioGenerator& engine, std::uint64_t seed, std::int64_t class_id,
                          std::int64_t count);

}  // namespace qingyin::training
