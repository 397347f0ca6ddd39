#pragma once

#include <cstdint>
#include <filesystem>

#include "training/sound_pool.h"

namespace qingyin::training {

/// A squeak (a hinge, a shoe, a rubber toy): a class that the sound bank does not have, to try
/// fine-tuning on. Friction that sticks and slips hundreds of times a second: a sawtooth-like tone
/// that glides and is rough, heard through a small body, and noise of the rubbing. A function of
/// its arguments alone.
/// @param size       0 small and high to 1 large and low
/// @param intensity  0 to 1: harder is brighter, rougher and a little longer
/// @return           mono, 48 kHz: `lead_s` of silence, then the squeak; loudest 50 ms at
///                   -40 + 29 * intensity dBFS
BankSound synthesise_squeak(double size, double intensity, std::uint64_t seed, double lead_s,
                            double length_s);

/// Squeak number `index` of an endless list, as `training_sound`; its class id is one past the
/// vocabulary.
TrainingSound squeak_sound(std::uint64_t seed, std::int64_t index, double length_s);

/// Writes squeaks as WAV files with labels.csv, as a user's own library might be: most files hold
/// one, every sixth three in a row.
/// @param sounds  squeaks in all
/// @throws Error  kIo
void write_squeak_library(const std::filesystem::path& folder, std::uint64_t seed,
                          std::int64_t sounds);

}  // namespace qingyin::training
