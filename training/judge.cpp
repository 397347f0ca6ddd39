#include "training/judge.h"

#include <ATen/ATen.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "audio_gen/bundled/representation.h"
#include "audio_gen/vocabulary.h"
#include "core/philox.h"
#include "models/layers/conv_next.h"
#include "training/sound_pool.h"
#include "training/trainer.h"

namespace qingyin::training {
namespace nn = torch::nn;
namespace {

constexpr std::int64_t kWidth = 96, kBatch = 64;
constexpr std::int64_t kPatch = bundled::kMelBands * bundled::kFramesPerToken;
constexpr double kSeconds = 1.28;

/// [T, 4 M], about zero mean and unit deviation
at::Tensor picture_of(std::span<const float> samples) {
  const auto mel = bundled::clamped_log_mel(samples);
  return (at::tensor(mel).view({bundled::kWindowTokens, kPatch}) + 3) / 3;
}

std::int64_t count(std::size_t n) { return static_cast<std::int64_t>(n); }

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
  explicit Network(std::int64_t known)
      : input(register_module("input", nn::Linear(kPatch, kWidth))),
        block1(register_module("block1", ConvNext(kWidth, 2 * kWidth, 5, 0.5))),
        block2(register_module("block2", ConvNext(kWidth, 2 * kWidth, 5, 0.5))),
        classes(register_module("classes", nn::Linear(2 * kWidth, known))),
        materials(
            register_module("materials", nn::Linear(2 * kWidth, count(sound_materials().size())))),
        intensity(register_module("intensity", nn::Linear(2 * kWidth, 1))) {}

  /// [B, T, 4 M] -> [B, 2 W]
  at::Tensor embed(const at::Tensor& pictures) {
    const at::Tensor x = block2(block1(input(pictures)));
    return at::cat({x.mean(1), x.amax(1)}, 1);
  }

  nn::Linear input;
  ConvNext block1, block2;
  nn::Linear classes, materials, intensity;
};

Judge::Judge(const Settings& settings) {
  const std::int64_t known = count(sound_classes().size()) + (settings.extra != nullptr ? 1 : 0);
  std::vector<at::Tensor> rendered(static_cast<std::size_t>(settings.sounds));
  std::vector<std::int64_t> class_ids(rendered.size()), material_ids(rendered.size());
  std::vector<float> intensities(rendered.size());
  in_parallel(settings.sounds, settings.threads, [&](std::int64_t i) {
    const std::int64_t turn = i / known, place = i % known;
    const TrainingSound sound =
        settings.extra != nullptr && place + 1 == known
            ? settings.extra(settings.seed, turn, kSeconds)
            : training_sound(settings.seed, i - (settings.extra ? turn : 0), kSeconds);
    const auto at = static_cast<std::size_t>(i);
    rendered[at] = picture_of(sound.samples).to(at::kHalf);
    class_ids[at] = sound.recipe.class_id;
    material_ids[at] = sound.recipe.material_id;
    intensities[at] = static_cast<float>(sound.recipe.intensity);
  });
  const at::Tensor pictures = at::stack(rendered), class_of = at::tensor(class_ids),
                   material_of = at::tensor(material_ids), strength = at::tensor(intensities);
  at::manual_seed(settings.seed);
  network_ = std::make_unique<Network>(known);
  const Scratch scratch(settings.seed);
  Trainer trainer(*network_,
                  {.folder = scratch.path(),
                   .seed = settings.seed,
                   .steps = settings.steps,
                   .threads = settings.threads,
                   .bf16 = false,
                   .progress = {}},
                  {.peak = 2e-3, .warm_up = 20, .decay_from = 0.3, .average = 0.99});
  trainer.run([&](std::int64_t step) {
    const Philox random(settings.seed, static_cast<std::uint64_t>(step));
    std::vector<std::int64_t> rows;
    for (std::int64_t b = 0; b < kBatch; ++b) {
      const auto row = static_cast<std::int64_t>(random.uniform(static_cast<std::uint64_t>(b)) *
                                                 static_cast<float>(settings.sounds));
      rows.push_back(std::min(row, settings.sounds - 1));
    }
    const at::Tensor index = at::tensor(rows);
    const at::Tensor clean = pictures.index_select(0, index).to(at::kFloat);
    const at::Tensor x =
        network_->embed(clean + 0.05 * normal_noise(clean.sizes(), settings.seed, step, "judge"));
    const auto loss_of = [&](nn::Linear& head, const at::Tensor& truth) {
      return at::cross_entropy_loss(head(x), truth.index_select(0, index));
    };
    const at::Tensor found = at::sigmoid(network_->intensity(x)).squeeze(1);
    const at::Tensor error = (found - strength.index_select(0, index)).square().mean();
    return Losses{loss_of(network_->classes, class_of) + loss_of(network_->materials, material_of) +
                      10 * error,
                  {}};
  });
  // What the optimiser ends with is noisier than its average.
  const at::NoGradGuard no_grad;
  const TensorMap average = trainer.average();
  for (const auto& item : network_->named_parameters()) item.value().copy_(average.at(item.key()));
}

Judge::~Judge() = default;

Hearing Judge::hear(const std::vector<std::vector<float>>& sounds) const {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> pictures;
  for (const auto& sound : sounds) pictures.push_back(picture_of(sound));
  Hearing hearing;
  hearing.embedding = network_->embed(at::stack(pictures));
  const at::Tensor class_of = network_->classes(hearing.embedding).argmax(1);
  const at::Tensor material_of = network_->materials(hearing.embedding).argmax(1);
  const at::Tensor strength = at::sigmoid(network_->intensity(hearing.embedding)).squeeze(1);
  for (std::int64_t i = 0; i < class_of.size(0); ++i) {
    hearing.class_id.push_back(class_of[i].item<int>());
    hearing.material_id.push_back(material_of[i].item<int>());
    hearing.intensity.push_back(strength[i].item<double>());
  }
  return hearing;
}

}  // namespace qingyin::training
