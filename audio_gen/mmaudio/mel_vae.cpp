#include "audio_gen/mmaudio/mel_vae.h"

#include <ATen/ATen.h>
#include <torch/nn/modules/container/modulelist.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "audio_gen/mmaudio/vae_blocks.h"
#include "core/error.h"

namespace qingyin::mmaudio {
namespace {

namespace nn = torch::nn;

constexpr double kMagnitudeEps = 1e-4, kLimit = 256;
constexpr double kLogVarianceLow = -30, kLogVarianceHigh = 20;
/// The level that halves the number of frames, and the one that doubles it again.
constexpr std::size_t kHalvingLevel = 0, kDoublingLevel = 1;

at::Tensor limited(const at::Tensor& x) { return x.clamp(-kLimit, kLimit); }

const MelVaeConfig& checked(const MelVaeConfig& config) {
  const auto found = problems(config);
  require(found.empty(), ErrorCode::kInternal,
          "MMAudio mel VAE: " + (found.empty() ? "" : found.front()));
  return config;
}

std::vector<std::int64_t> channels_of(const MelVaeConfig& c) {
  std::vector<std::int64_t> channels;
  for (const std::int64_t multiple : c.multiples) channels.push_back(multiple * c.hidden);
  return channels;
}

at::Tensor normalised(const at::Tensor& stored) {
  const at::Tensor w = stored.to(at::kFloat);
  const at::Tensor rows = w.flatten(1);
  const double root = std::sqrt(static_cast<double>(rows.size(1)));
  const at::Tensor magnitude = at::linalg_vector_norm(rows, 2, {1}, true) / root + kMagnitudeEps;
  return (rows / (magnitude * root)).view(w.sizes());
}

/// The narrowest part of either half; keys: block_1, attn_1, block_2.
class Middle : public nn::Module {
 public:
  Middle(std::int64_t channels, const at::TensorOptions& options)
      : block_1(register_module("block_1", VaeBlock(channels, channels, options))),
        attn_1(register_module("attn_1", VaeAttention(channels, options))),
        block_2(register_module("block_2", VaeBlock(channels, channels, options))) {}

  at::Tensor forward(const at::Tensor& x) { return limited(block_2(attn_1(block_1(x)))); }

 private:
  VaeBlock block_1;
  VaeAttention attn_1;
  VaeBlock block_2;
};

/// Halves the frames; keys: conv1, conv2.
class Downsample : public nn::Module {
 public:
  Downsample(std::int64_t channels, const at::TensorOptions& options)
      : conv1(register_module("conv1", TimeConv(channels, channels, 1, false, options))),
        conv2(register_module("conv2", TimeConv(channels, channels, 1, false, options))) {}

  at::Tensor forward(const at::Tensor& x) {
    const at::Tensor y = conv1(x);
    const std::int64_t half = y.size(1) / 2;
    return conv2(y.narrow(1, 0, 2 * half).unflatten(1, {half, 2}).mean(2));
  }

 private:
  TimeConv conv1, conv2;
};

/// Doubles the frames; key: conv.
class Upsample : public nn::Module {
 public:
  Upsample(std::int64_t channels, const at::TensorOptions& options)
      : conv(register_module("conv", TileConv(channels, channels, 3, false, options))) {}

  at::Tensor forward(const at::Tensor& x) { return conv(x.repeat_interleave(2, 1)); }

 private:
  TileConv conv;
};

/// Blocks of one width, with a change of rate behind them; keys: block, downsample or upsample.
class Level : public nn::Module {
 public:
  Level(std::int64_t in, std::int64_t out, std::int64_t blocks, const at::TensorOptions& options)
      : block(register_module("block", nn::ModuleList())) {
    for (std::int64_t i = 0; i < blocks; ++i)
      block->push_back(VaeBlock(i == 0 ? in : out, out, options));
  }

  template <class Resampling>
  void add_resampling(const char* name, std::int64_t channels, const at::TensorOptions& options) {
    const auto module = register_module(name, std::make_shared<Resampling>(channels, options));
    resample_ = [module](const at::Tensor& x) { return module->forward(x); };
  }

  at::Tensor forward(at::Tensor x) {
    for (const auto& item : *block) x = limited(item->as<VaeBlockImpl>()->forward(x));
    return resample_ ? resample_(x) : x;
  }

 private:
  nn::ModuleList block;
  std::function<at::Tensor(const at::Tensor&)> resample_;
};

}  // namespace

class MelEncoderImpl : public nn::Module {
 public:
  MelEncoderImpl(const MelVaeConfig& c, const at::TensorOptions& options)
      : down(register_module("down", nn::ModuleList())) {
    const auto channels = channels_of(c);
    conv_in = register_module("conv_in", TimeConv(c.bands, channels.front(), 3, false, options));
    for (std::size_t i = 0; i < channels.size(); ++i) {
      const auto level =
          std::make_shared<Level>(channels[i == 0 ? 0 : i - 1], channels[i], c.blocks, options);
      if (i == kHalvingLevel) level->add_resampling<Downsample>("downsample", channels[i], options);
      down->push_back(level);
    }
    mid = register_module("mid", std::make_shared<Middle>(channels.back(), options));
    conv_out =
        register_module("conv_out", TimeConv(channels.back(), 2 * c.latents, 3, false, options));
  }

  at::Tensor forward(const at::Tensor& x) {
    at::Tensor h = conv_in(x);
    for (const auto& level : *down) h = level->as<Level>()->forward(h);
    return conv_out(mp_silu(mid->forward(h)));
  }

 private:
  TimeConv conv_in{nullptr};
  nn::ModuleList down;
  std::shared_ptr<Middle> mid;
  TimeConv conv_out{nullptr};
};

class MelDecoderImpl : public nn::Module {
 public:
  MelDecoderImpl(const MelVaeConfig& c, const at::TensorOptions& options)
      : up(register_module("up", nn::ModuleList())) {
    const auto channels = channels_of(c);
    conv_in = register_module("conv_in", TimeConv(c.latents, channels.back(), 3, false, options));
    mid = register_module("mid", std::make_shared<Middle>(channels.back(), options));
    for (std::size_t i = 0; i < channels.size(); ++i) {
      const auto level = std::make_shared<Level>(channels[std::min(i + 1, channels.size() - 1)],
                                                 channels[i], c.blocks + 1, options);
      if (i == kDoublingLevel) level->add_resampling<Upsample>("upsample", channels[i], options);
      up->push_back(level);
    }
    conv_out = register_module("conv_out", TimeConv(channels.front(), c.bands, 3, false, options));
  }

  at::Tensor forward(const at::Tensor& x) {
    at::Tensor h = mid->forward(conv_in(x));
    for (std::size_t i = up->size(); i-- > 0;) h = up[i]->as<Level>()->forward(h);
    return conv_out(mp_silu(h));
  }

 private:
  TimeConv conv_in{nullptr};
  std::shared_ptr<Middle> mid;
  nn::ModuleList up;
  TimeConv conv_out{nullptr};
};

TensorMap normalised_vae_weights(const TensorMap& stored) {
  TensorMap result;
  for (const auto& [name, tensor] : stored)
    result.emplace(name, name.ends_with(".weight") ? normalised(tensor) : tensor);
  for (const std::string half : {"encoder.", "decoder."}) {
    const auto last = result.find(half + "conv_out.weight");
    const auto gain = result.find(half + "learnable_gain");
    if (last == result.end() && gain == result.end()) continue;
    require(last != result.end() && gain != result.end() && gain->second.numel() == 1,
            ErrorCode::kBadCheckpoint,
            "MMAudio mel VAE: expected " + half + "conv_out.weight and the one number " + half +
                "learnable_gain that scales it");
    last->second = last->second * (gain->second.to(at::kFloat).reshape({}) + 1);
    result.erase(gain);
  }
  return result;
}

TensorMap weights_of_parts(TensorMap stored, const VaeParts& parts) {
  std::erase_if(stored, [&](const auto& entry) {
    return (!parts.has_encoder && entry.first.starts_with("encoder.")) ||
           (!parts.has_decoder && entry.first.starts_with("decoder."));
  });
  return stored;
}

MelVaeImpl::MelVaeImpl(const MelVaeConfig& config, const VaeParts& parts,
                       const at::TensorOptions& options) {
  const MelVaeConfig& c = checked(config);
  data_mean = register_parameter("data_mean", at::empty({1, c.bands, 1}, options), false);
  data_std = register_parameter("data_std", at::empty({1, c.bands, 1}, options), false);
  if (parts.has_encoder)
    encoder = register_module("encoder", std::make_shared<MelEncoderImpl>(c, options));
  if (parts.has_decoder)
    decoder = register_module("decoder", std::make_shared<MelDecoderImpl>(c, options));
}

MelVaeImpl::Encoded MelVaeImpl::encode(const at::Tensor& log_mel) {
  require(encoder != nullptr, ErrorCode::kInternal, "MMAudio mel VAE: built without its encoder");
  const at::Tensor x = (log_mel - data_mean.transpose(1, 2)) / data_std.transpose(1, 2);
  const auto halves = encoder->forward(x).chunk(2, 2);
  return {halves[0], halves[1].clamp(kLogVarianceLow, kLogVarianceHigh)};
}

at::Tensor MelVaeImpl::decode(const at::Tensor& latents) {
  require(decoder != nullptr, ErrorCode::kInternal, "MMAudio mel VAE: built without its decoder");
  return decoder->forward(latents) * data_std.transpose(1, 2) + data_mean.transpose(1, 2);
}

}  // namespace qingyin::mmaudio
