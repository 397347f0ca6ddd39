#pragma once

#include <ATen/core/Tensor.h>

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "audio_gen/bundled/flow_transformer.h"
#include "audio_gen/bundled/latent_codec.h"
#include "core/philox.h"
#include "training/sound_bank.h"

namespace qingyin::training {

/// A sound of the bank, as the flow transformer learns it.
struct FoleyItem {
  SoundRecipe recipe;
  bool is_texture, is_sustained;
  at::Tensor latents;  // [T, N] float16
};

/// Windows of one step. Shapes as in `FlowCondition`.
struct FoleyBatch {
  at::Tensor latents;  // [B, T, N]
  FlowCondition condition;
};

/// One window of each item, as the random numbers choose: where it begins, whether it goes on from
/// given tokens, and whether class, material, size and intensity are withheld. Number b of the
/// items uses the random positions 4 b + 1 to 4 b + 3.
FoleyBatch foley_batch(const std::vector<const FoleyItem*>& items, const Philox& random,
                       double drop_share);

/// How often a class comes for once of those that are not named.
using ClassRepeats = std::map<std::string, std::int64_t>;

/// The sound that is number `place` of a list in which all classes come in turn, as often as
/// `repeats` says; no sound of the endless list comes twice. Without repeats it is `place`.
std::int64_t sound_index(const ClassRepeats& repeats, std::int64_t place);

/// Sounds of the bank in the latent, rendered by threads of its own while training goes on, and
/// kept in files, so that a run that goes on need not render them again. What a step sees
/// depends on the step alone, never on how fast they are rendered.
class FoleyData {
 public:
  struct Settings {
    std::filesystem::path folder;  // for the files
    std::uint64_t seed;
    std::int64_t sounds;  // rounded up to whole files
    int threads;
    std::int64_t per_file;
    ClassRepeats repeats = {};
  };

  FoleyData(const bundled::LatentCodec& codec, const Settings& settings);
  ~FoleyData();
  FoleyData(const FoleyData&) = delete;
  FoleyData& operator=(const FoleyData&) = delete;

  /// Waits for the sounds that the step needs. @throws what rendering threw
  FoleyBatch batch(std::int64_t step, std::int64_t size, double drop_share);

 private:
  void make_files();
  std::vector<FoleyItem> make_file(std::int64_t index);
  const std::vector<FoleyItem>& wait_for(std::size_t count);

  const bundled::LatentCodec& codec_;
  Settings settings_;
  std::vector<FoleyItem> items_;  // reserved at once: never moves
  std::size_t ready_ = 0;
  bool stop_ = false;
  std::exception_ptr failure_;
  std::mutex mutex_;
  std::condition_variable more_;
  std::thread maker_;
};

/// Sound `index` of the endless list that `seed` stands for (`training_sound`), in the latent.
FoleyItem make_foley_item(const bundled::LatentCodec& codec, std::uint64_t seed,
                          std::int64_t index);

}  // namespace qingyin::training
