#include <algorithm>
#include <cstdio>
#include <string>

#include "audio_gen/bundled/representation.h"
#include "audio_gen/vocabulary.h"
#include "core/atomic_file.h"
#include "core/dsp/audio_file.h"
#include "core/philox.h"
#include "training/squeak.h"

namespace qingyin::training {
namespace {

constexpr double kLead = static_cast<double>(bundled::kLeadSamples) / bundled::kSampleRate;

SoundRecipe squeak_recipe(std::uint64_t seed, std::int64_t index) {
  const Philox random(derive_seed(seed, "squeak"), static_cast<std::uint64_t>(index));
  // Mostly middling, as the bank draws sizes and intensities.
  const auto middling = [&](std::uint64_t at) {
    return std::clamp(0.5 + 0.75 * (random.uniform(at) + random.uniform(at + 1) - 1.0), 0.0, 1.0);
  };
  return {.class_id = static_cast<int>(sound_classes().size()),
          .material_id = 0,
          .size = middling(0),
          .intensity = middling(2),
          .duration_s = 0,
          .level_curve = {},
          .seed = derive_seed(seed, "squeak " + std::to_string(index))};
}

}  // namespace

TrainingSound squeak_sound(std::uint64_t seed, std::int64_t index, double length_s) {
  TrainingSound sound{squeak_recipe(seed, index), false, {}};
  sound.samples = synthesise_squeak(sound.recipe.size, sound.recipe.intensity, sound.recipe.seed,
                                    kLead, length_s)
                      .samples;
  const double now = std::max(bundled::loudest_rms(sound.samples), 1e-9);
  const double gain = bundled::amplitude_of(bundled::kNominalDbfs) / now;
  for (float& x : sound.samples) x = static_cast<float>(x * gain);
  return sound;
}

void write_squeak_library(const std::filesystem::path& folder, std::uint64_t seed,
                          std::int64_t sounds) {
  constexpr double kLength = 1.6, kPause = 0.15;
  constexpr std::int64_t kInARow = 3, kEverySixth = 6;
  std::filesystem::create_directories(folder);
  std::string labels = "file,class,size,intensity,onset\n";
  std::int64_t file = 0;
  for (std::int64_t i = 0; i < sounds; ++file) {
    char name[48];
    std::snprintf(name, sizeof name, "squeak-%03d.wav", static_cast<int>(file));
    const std::int64_t count =
        std::min(file % kEverySixth == kEverySixth - 1 ? kInARow : 1, sounds - i);
    AudioFileWriter out(folder / name, bundled::kSampleRate, 1, SampleFormat::kPcm24,
                        Overwrite::kYes);
    double onset = kPause;
    for (std::int64_t k = 0; k < count; ++k, ++i) {
      const SoundRecipe recipe = squeak_recipe(seed, i);
      out.write(
          synthesise_squeak(recipe.size, recipe.intensity, recipe.seed, kPause, kPause + kLength)
              .samples);
      char row[96];
      std::snprintf(row, sizeof row, "%s,squeak,%.3f,%.3f,%.3f\n", name, recipe.size,
                    recipe.intensity, onset);
      labels += row;
      onset += kPause + kLength;
    }
    out.finish();
  }
  write_file_atomically(folder / "labels.csv", labels, Overwrite::kYes);
}

}  // namespace qingyin::training
