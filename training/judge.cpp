#include "training/judge.h"

#include <ATen/ATen.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>

#include <filesystem>

#include "audio_gen/bundled/representation.h"
#include "audio_gen/vocabulary.h"
#include "core/philox.h"
#include "models/layers/conv_next.h"
#include "training/sound_pool.h"
#include "training/trainer.h"

namespace qingyin::training {
namespace nn = torch::nn;
namespace {

constexpr std::int64_t kWidth = 64, kBatch = 64;
constexpr double kSeconds = 1.28;

at::Tensor latents_of(const bundled::LatentCodec& codec, std::span<const float> samples) {
  return at::tensor(codec.encode(bundled::clamped_log_mel(samples)))
      .view({bundled::kWindowTokens, bundled::kLatentSize});
}

/// A folder for one run's state.
class Scratch {
 public:
  explicit Scratch(std::uint64_t seed)
      : path_(std::filesystem::temp_directory_path() / ("qingyin-judge-" + std::to_string(seed))) {
    std::filesystem::remove_all(path_);
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

struct Judge::Network : nn::Module {
  Network()
      : input(register_module("input", nn::Linear(bundled::kLatentSize, kWidth))),
        block1(register_module("block1", ConvNext(kWidth, 2 * kWidth, 5, 0.5))),
        block2(register_module("block2", ConvNext(kWidth, 2 * kWidth, 5, 0.5))),
        output(register_module(
            "output", nn::Linear(2 * kWidth, static_cast<std::int64_t>(sound_classes().size())))) {}

  /// [B, T, N] -> [B, classes]
  at::Tensor forward(const at::Tensor& latents) {
    const at::Tensor x = block2(block1(input(latents)));
    return output(at::cat({x.mean(1), x.amax(1)}, 1));
  }

  nn::Linear input;
  ConvNext block1, block2;
  nn::Linear output;
};

Judge::Judge(const bundled::LatentCodec& codec, const Settings& settings) : codec_(codec) {
  std::vector<at::Tensor> rendered(static_cast<std::size_t>(settings.sounds));
  in_parallel(settings.sounds, settings.threads, [&](std::int64_t i) {
    const TrainingSound sound = training_sound(settings.seed, i, kSeconds);
    rendered[static_cast<std::size_t>(i)] = latents_of(codec, sound.samples);
  });
  const at::Tensor latents = at::stack(rendered);
  const at::Tensor labels = at::remainder(at::arange(settings.sounds, at::kLong),
                                          static_cast<std::int64_t>(sound_classes().size()));
  at::manual_seed(settings.seed);
  network_ = std::make_unique<Network>();
  const Scratch scratch(settings.seed);
  Trainer trainer(*network_,
                  {.folder = scratch.path(),
                   .seed = settings.seed,
                   .steps = settings.steps,
                   .threads = settings.threads,
                   .bf16 = false,
                   .progress = {}},
                  {.peak = 2e-3, .warm_up = 20, .decay_from = 0.3});
  trainer.run([&](std::int64_t step) {
    const Philox random(settings.seed, static_cast<std::uint64_t>(step));
    std::vector<std::int64_t> rows;
    for (std::int64_t b = 0; b < kBatch; ++b) {
      const auto row = static_cast<std::int64_t>(random.uniform(static_cast<std::uint64_t>(b)) *
                                                 static_cast<float>(settings.sounds));
      rows.push_back(std::min(row, settings.sounds - 1));
    }
    const at::Tensor index = at::tensor(rows);
    const at::Tensor clean = latents.index_select(0, index);
    const at::Tensor x = clean + 0.1 * normal_noise(clean.sizes(), settings.seed, step, "judge");
    return Losses{at::cross_entropy_loss(network_->forward(x), labels.index_select(0, index)), {}};
  });
}

Judge::~Judge() = default;

double Judge::accuracy(const std::vector<std::vector<float>>& sounds, int class_id) const {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> latents;
  for (const auto& sound : sounds) latents.push_back(latents_of(codec_, sound));
  const at::Tensor guessed = network_->forward(at::stack(latents)).argmax(1);
  return guessed.eq(class_id).to(at::kDouble).mean().item<double>();
}

}  // namespace qingyin::training
