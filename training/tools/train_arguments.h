#pragma once

#include <filesystem>
#include <string>

#include "training/trainer.h"

namespace qingyin::training {

/// What the command line asks for.
struct TrainArguments {
  std::string what;             // "all", "latent", "vocoder", "foley", "eval" or "help"
  RunOptions run;               // steps and sounds are 0 where the schedule's count
  std::filesystem::path codec;  // latent.safetensors
  std::filesystem::path from;   // weights to go on from; empty: a first course
  std::int64_t course =
      0;  // of vocoder or foley; 0: the first, or the second where there is `from`
  std::filesystem::path weights;  // folder of the bundled weights
  std::filesystem::path images;   // of an evaluation; empty: none
  std::int64_t batch = 0;         // 0: the trainer's own
  double rate = 0;                // 0: the trainer's own
  std::filesystem::path adapter;  // to be judged
};

/// @throws Error kUsage naming the argument
TrainArguments parse_train_arguments(int count, const char* const* words);

/// What `--help` prints.
std::string train_help();

}  // namespace qingyin::training
