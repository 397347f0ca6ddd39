#include "audio_gen/mmaudio/bigvgan.h"

#include <ATen/ATen.h>

#include <string>

#include "audio_gen/mmaudio/tile_conv_layer.h"
#include "core/error.h"

namespace qingyin::mmaudio {
namespace {

namespace nn = torch::nn;

constexpr std::int64_t kEndKernel = 7;

const BigVganConfig& checked(const BigVganConfig& config) {
  const auto found = problems(config);
  require(found.empty(), ErrorCode::kInternal, "BigVGAN: " + (found.empty() ? "" : found.front()));
  return config;
}

/// Residual block: for each dilation, two convolutions with an activation before each; keys:
/// convs1, convs2, activations.
class Block : public nn::Module {
 public:
  Block(std::int64_t channels, std::int64_t kernel, const std::vector<std::int64_t>& dilations,
        const at::TensorOptions& options)
      : convs1(register_module("convs1", nn::ModuleList())),
        convs2(register_module("convs2", nn::ModuleList())),
        activations(register_module("activations", nn::ModuleList())) {
    for (const std::int64_t dilation : dilations) {
      convs1->push_back(TileConv(channels, channels, kernel, true, options, dilation));
      convs2->push_back(TileConv(channels, channels, kernel, true, options));
      for (int half = 0; half < 2; ++half)
        activations->push_back(AliasFreeSnake(channels, options));
    }
  }

  at::Tensor forward(const at::Tensor& input) {
    at::Tensor x = input.clone();  // for the results take its place
    for (std::size_t i = 0; i < convs1->size(); ++i) {
      const at::Tensor y = convs1[i]->as<TileConvImpl>()->forward(activation(2 * i, x));
      x = convs2[i]->as<TileConvImpl>()->add_to(x, activation(2 * i + 1, y));
    }
    return x;
  }

 private:
  at::Tensor activation(std::size_t i, const at::Tensor& x) {
    return activations[i]->as<AliasFreeSnakeImpl>()->forward(x);
  }

  nn::ModuleList convs1, convs2, activations;
};

/// How weight norm names a magnitude and its direction: of old and of late.
constexpr const char* kPairs[][2] = {
    {".weight_g", ".weight_v"},
    {".parametrizations.weight.original0", ".parametrizations.weight.original1"}};

at::Tensor folded(const at::Tensor& magnitude, const at::Tensor& direction) {
  const at::Tensor v = direction.to(at::kFloat);
  const at::Tensor norm = at::linalg_vector_norm(v.flatten(1), 2, {1}).view(magnitude.sizes());
  return v * (magnitude.to(at::kFloat) / norm);
}

}  // namespace

TensorMap folded_bigvgan_weights(const TensorMap& stored) {
  TensorMap result = stored;
  for (const auto& [magnitude_end, direction_end] : kPairs) {
    for (const auto& [name, direction] : stored) {
      if (!name.ends_with(direction_end)) continue;
      const std::string base = name.substr(0, name.size() - std::string(direction_end).size());
      const auto magnitude = stored.find(base + magnitude_end);
      require(magnitude != stored.end(), ErrorCode::kBadCheckpoint,
              "BigVGAN: " + name + " is there without " + base + magnitude_end);
      require(direction.dim() >= 1 && magnitude->second.numel() == direction.size(0) &&
                  magnitude->second.dim() == direction.dim(),
              ErrorCode::kBadCheckpoint,
              "BigVGAN: the shapes of " + name + " and " + base + magnitude_end + " do not fit");
      result.erase(name);
      result.erase(magnitude->first);
      result[base + ".weight"] = folded(magnitude->second, direction);
    }
  }
  return result;
}

BigVganImpl::BigVganImpl(const BigVganConfig& config, const at::TensorOptions& options)
    : blocks_per_stage_(checked(config).block_kernels.size()),
      has_tanh_(config.has_tanh),
      conv_pre(register_module("conv_pre",
                               TimeConv(config.bands, config.channels, kEndKernel, true, options))),
      ups(register_module("ups", nn::ModuleList())),
      resblocks(register_module("resblocks", nn::ModuleList())) {
  std::int64_t channels = config.channels;
  for (std::size_t i = 0; i < config.upsample_rates.size(); ++i, channels /= 2) {
    ups->push_back(nn::ModuleList(UpConv(channels, channels / 2, config.upsample_kernels[i],
                                         config.upsample_rates[i], options)));
    for (std::size_t j = 0; j < blocks_per_stage_; ++j)
      resblocks->push_back(std::make_shared<Block>(channels / 2, config.block_kernels[j],
                                                   config.block_dilations[j], options));
  }
  activation_post = register_module("activation_post", AliasFreeSnake(channels, options));
  conv_post = register_module("conv_post",
                              TimeConv(channels, 1, kEndKernel, config.has_final_bias, options));
}

at::Tensor BigVganImpl::forward(const at::Tensor& log_mel) {
  at::Tensor x = conv_pre(log_mel);
  for (std::size_t i = 0; i < ups->size(); ++i) {
    x = ups[i]->as<nn::ModuleListImpl>()->ptr(0)->as<UpConvImpl>()->forward(x);
    at::Tensor sum;
    for (std::size_t j = 0; j < blocks_per_stage_; ++j) {
      const at::Tensor y = resblocks[i * blocks_per_stage_ + j]->as<Block>()->forward(x);
      sum = sum.defined() ? sum.add_(y) : y;
    }
    x = sum.div_(static_cast<double>(blocks_per_stage_));
  }
  const at::Tensor y = conv_post(activation_post(x)).squeeze(2);
  return has_tanh_ ? y.tanh() : y.clamp(-1, 1);
}

}  // namespace qingyin::mmaudio
