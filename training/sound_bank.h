#pragma once

#include <cstdint>
#include <vector>

namespace qingyin::training {

/// What to synthesise. Every other parameter of a sound is drawn from `seed`.
struct SoundRecipe {
  int class_id;
  int material_id;    // 0: none
  double size;        // 0 small to 1 large
  double intensity;   // 0 to 1
  double duration_s;  // extent of sustained classes and textures, from the onset
  std::vector<float>
      level_curve;  // wanted level in [0, 1], one value per 10 ms from the onset; empty: steady
  std::uint64_t seed;
};

/// Samples of one sound, mono, 48 kHz, at their natural level: the loudest 50 ms at
/// -40 + 29 * intensity dBFS.
struct BankSound {
  std::vector<float> samples;
  std::int64_t onset_sample;  // first audible sample of the attack
};

/// Synthesises one sound: `lead_s` of silence, the attack at the lead's end, then the sound,
/// `length_s` in all (cut there, with the tail going on where it rings longer). A function of its
/// arguments alone; calls may overlap.
BankSound synthesise(const SoundRecipe& recipe, double lead_s, double length_s);

/// Draws a recipe for a class: material, size, intensity and curve as they occur in nature.
SoundRecipe draw_recipe(int class_id, std::uint64_t seed);

}  // namespace qingyin::training
