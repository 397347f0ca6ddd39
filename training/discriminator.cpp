#include "training/discriminator.h"

#include <ATen/ATen.h>

#include <array>
#include <cmath>
#include <string>

namespace qingyin::training {
namespace {

struct Resolution {
  std::int64_t size, hop;
};
constexpr std::array<Resolution, 3> kResolutions{{{1920, 480}, {512, 160}, {128, 64}}};

struct Shape {
  std::int64_t in, out, frames, bins, stride;  // kernel and its stride along the bins
};
constexpr std::array<Shape, 4> kLayers{
    {{1, 16, 3, 9, 4}, {16, 24, 3, 7, 3}, {24, 32, 3, 5, 2}, {32, 1, 3, 3, 1}}};
constexpr double kSlope = 0.1;  // of the leaky rectifier

/// [B, L] -> [B, 1, F, bins]
at::Tensor picture(const at::Tensor& sound, const Resolution& r) {
  const at::Tensor frames = sound.unfold(1, r.size, r.hop);
  const at::Tensor magnitudes =
      at::fft_rfft(frames * at::hann_window(r.size, sound.options())).abs();
  const double floor = 2e-3 * std::sqrt(static_cast<double>(r.size) / 1920.0);
  return ((magnitudes + floor).log() / 3).unsqueeze(1);
}

}  // namespace

Discriminator::Discriminator() {
  for (std::size_t r = 0; r < kResolutions.size(); ++r) {
    networks_.emplace_back();
    for (std::size_t k = 0; k < kLayers.size(); ++k) {
      const Shape& s = kLayers[k];
      const std::string name = std::to_string(r) + "_" + std::to_string(k);
      const double spread = 1 / std::sqrt(static_cast<double>(s.in * s.frames * s.bins));
      networks_.back().push_back(
          {register_parameter("weight" + name, spread * at::randn({s.out, s.in, s.frames, s.bins})),
           register_parameter("bias" + name, at::zeros({s.out})), s.stride});
    }
  }
}

Discriminator::Opinion Discriminator::forward(const at::Tensor& sound) {
  Opinion opinion;
  for (std::size_t r = 0; r < networks_.size(); ++r) {
    at::Tensor x = picture(sound, kResolutions[r]);
    for (const Layer& layer : networks_[r]) {
      const std::int64_t side = (layer.weight.size(3) - 1) / 2;
      x = at::conv2d(x, layer.weight, layer.bias, {1, layer.stride}, {1, side});
      if (&layer == &networks_[r].back()) break;
      x = at::leaky_relu(x, kSlope);
      opinion.features.push_back(x);
    }
    opinion.scores.push_back(x.to(at::kFloat));
  }
  return opinion;
}

at::Tensor discriminator_loss(const Discriminator::Opinion& of_true,
                              const Discriminator::Opinion& of_made) {
  at::Tensor sum = at::zeros({}, of_true.scores.front().options());
  for (std::size_t i = 0; i < of_true.scores.size(); ++i) {
    sum = sum + at::relu(1 - of_true.scores[i]).mean() + at::relu(1 + of_made.scores[i]).mean();
  }
  return sum / static_cast<double>(of_true.scores.size());
}

at::Tensor deception_loss(const Discriminator::Opinion& of_made) {
  at::Tensor sum = at::zeros({}, of_made.scores.front().options());
  for (const auto& score : of_made.scores) sum = sum - score.mean();
  return sum / static_cast<double>(of_made.scores.size());
}

at::Tensor feature_loss(const Discriminator::Opinion& of_true,
                        const Discriminator::Opinion& of_made) {
  at::Tensor sum = at::zeros({}, of_true.scores.front().options());
  for (std::size_t i = 0; i < of_true.features.size(); ++i) {
    const at::Tensor wanted = of_true.features[i].detach().to(at::kFloat);
    const at::Tensor error = (of_made.features[i].to(at::kFloat) - wanted).abs().mean();
    sum = sum + error / (wanted.abs().mean() + 1e-3);
  }
  return sum / static_cast<double>(of_true.features.size());
}

}  // namespace qingyin::training
