#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/progress.h"
#include "core/time.h"
#include "models/checkpoint/tensor_io.h"

namespace qingyin::training {

/// How a run is carried out. What is learned depends on `seed`, `steps` and the trainer's own
/// settings; with one thread on a CPU the same options give the same weights, bit for bit.
struct RunOptions {
  std::filesystem::path folder;  // receives state.safetensors, weights.safetensors, log.csv
  std::uint64_t seed = 1;
  std::int64_t steps = 1000;
  std::int64_t sounds = 2000;  // rendered for training
  int threads = 1;
  std::string device = "cpu";
  bool bf16 = true;         // matrix products in bfloat16
  Seconds save_every{120};  // a kill loses at most this much work
  Progress progress;        // stops the run after saving
};

/// Learning rate: linear warm-up to `peak`, then constant, then linear down to zero.
struct Rates {
  double peak;
  std::int64_t warm_up;    // steps
  double decay_from;       // fraction of all steps
  double average = 0.999;  // of the exponential moving average
};
double learning_rate(const Rates& rates, std::int64_t step, std::int64_t steps);

/// What one step found: `total` is minimised, `parts` go to the log.
struct Losses {
  at::Tensor total;
  std::vector<std::pair<std::string, at::Tensor>> parts;
};

/// Matrix products in bfloat16 while it lives.
class LowPrecision {
 public:
  LowPrecision(bool enabled, const std::string& device);
  ~LowPrecision();
  LowPrecision(const LowPrecision&) = delete;
  LowPrecision& operator=(const LowPrecision&) = delete;

 private:
  bool enabled_, is_cuda_;
};

/// Standard normal numbers that depend on (seed, step, name) alone, made on the CPU.
at::Tensor normal_noise(at::IntArrayRef shape, std::uint64_t seed, std::int64_t step,
                        const char* name);

/// What a run's weights.safetensors holds.
struct Product {
  std::map<std::string, std::string> facts;  // metadata: the network's config
  std::string prefix;                        // of the parameters that go into it; not in its names
};

/// Loads a product's weights into the network that it was made of; nothing for an empty path.
/// @throws Error  kIo, kBadCheckpoint
void begin_with(torch::nn::Module& module, const std::filesystem::path& weights);

/// AdamW (Loshchilov & Hutter, 2019) with gradient clipping and an exponential moving average of
/// the weights. Matrices decay, vectors do not.
class Trainer {
 public:
  /// Goes on from the folder's state if there is one.
  /// @throws Error  kUsage if that state is of another seed; kDevice; kBadCheckpoint; kIo
  Trainer(torch::nn::Module& module, const RunOptions& options, const Rates& rates,
          Product product = {});

  /// Runs up to `options.steps`, logs and saves on the way.
  /// @return false if the progress said stop; the state is saved either way
  bool run(const std::function<Losses(std::int64_t step)>& losses_of);

  /// The product's moving average, which is what inference uses.
  TensorMap average() const;

 private:
  void update(double rate);
  void resume(const TensorMap& state);
  void save() const;
  void note(const Losses& losses);
  void log(double rate, double seconds);

  RunOptions options_;
  Rates rates_;
  Product product_;
  std::int64_t step_ = 0;
  double gradient_norm_ = 0;
  std::int64_t noted_ = 0;  // steps since the last row of the log
  std::vector<std::pair<std::string, double>> sums_;
  std::vector<std::string> names_;
  std::vector<at::Tensor> weights_, average_, first_, second_;
};

}  // namespace qingyin::training
