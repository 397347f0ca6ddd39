#include "models/clip/clip.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "models/layers/fast_cpu.h"

namespace qingyin {
namespace nn = torch::nn;
namespace {

constexpr double kQuickGelu = 1.702;

/// A module that only holds others, or one tensor, under a name of the checkpoint.
class Holder : public nn::Module {
 public:
  at::Tensor hold(const std::string& name, const at::Tensor& tensor) {
    return register_parameter(name, tensor, false);
  }
  template <typename Child>
  Child adopt(const std::string& name, Child child) {
    return register_module(name, std::move(child));
  }
};

nn::ModuleList blocks_of(const ClipTowerConfig& config, const at::TensorOptions& options) {
  nn::ModuleList blocks;
  for (std::int64_t i = 0; i < config.layers; ++i) blocks->push_back(ClipBlock(config, options));
  return blocks;
}

/// [B, ..., D] with every last dimension of length 1.
at::Tensor normalised(const at::Tensor& x) {
  return x / x.norm(2, -1, /*keepdim=*/true).clamp_min(1e-12);
}

void check_tower(const ClipTowerConfig& c, const std::string& name,
                 std::vector<std::string>& found) {
  if (c.width < 1) found.push_back(name + ".width must be at least 1");
  if (c.layers < 1) found.push_back(name + ".layers must be at least 1");
  if (c.heads < 1)
    found.push_back(name + ".heads must be at least 1");
  else if (c.width % c.heads != 0)
    found.push_back(name + ".width is not a multiple of " + name + ".heads");
  if (c.mlp_ratio < 1) found.push_back(name + ".mlp_ratio must be at least 1");
}

const ClipConfig& checked(const ClipConfig& config) {
  const auto found = problems(config);
  require(found.empty(), ErrorCode::kInternal, "CLIP: " + (found.empty() ? "" : found.front()));
  return config;
}

}  // namespace

std::vector<std::string> problems(const ClipConfig& c) {
  std::vector<std::string> found;
  check_tower(c.vision, "vision", found);
  check_tower(c.text, "text", found);
  if (c.embed_dim < 1) found.push_back("embed_dim must be at least 1");
  if (c.patch < 1) found.push_back("patch must be at least 1");
  if (c.grid < 1) found.push_back("grid must be at least 1");
  if (c.vocabulary < 1) found.push_back("vocabulary must be at least 1");
  if (c.context < 1) found.push_back("context must be at least 1");
  return found;
}

ClipConfig clip_vit_h_14_378_quickgelu() {
  return {.embed_dim = 1024,
          .vision = {.width = 1280, .layers = 32, .heads = 16},
          .text = {.width = 1024, .layers = 24, .heads = 16},
          .vocabulary = 49408};
}

ClipBlockImpl::ClipBlockImpl(const ClipTowerConfig& c, const at::TensorOptions& options)
    : ln_1(register_module("ln_1", Norm(c.width, c.norm_eps, options))),
      ln_2(register_module("ln_2", Norm(c.width, c.norm_eps, options))),
      attn(register_module("attn", PackedAttention(c.width, c.heads, options))),
      c_fc(nullptr),
      c_proj(nullptr) {
  const auto mlp = register_module("mlp", std::make_shared<Holder>());
  c_fc = mlp->adopt("c_fc", Dense(c.width, c.mlp_ratio * c.width, options));
  c_proj = mlp->adopt("c_proj", Dense(c.mlp_ratio * c.width, c.width, options));
}

at::Tensor ClipBlockImpl::forward(const at::Tensor& x, Attending attending, const Observer& observe,
                                  const std::string& name) {
  const at::Tensor attended = attn(ln_1(x), attending);
  if (observe) observe(name + ".attn", attended);
  at::Tensor y = attending.queries == 0 ? x : x.narrow(1, 0, attending.queries).contiguous();
  y = y + attended;
  // QuickGELU is x sigmoid(1.702 x) = silu(1.702 x) / 1.702; both factors ride on what is done
  // anyway.
  at::Tensor hidden = c_fc->with_bias_times(ln_2->times(y, kQuickGelu), kQuickGelu);
  at::silu_(hidden);
  y.add_(c_proj->with_bias_times(hidden, kQuickGelu), 1 / kQuickGelu);
  if (observe) observe(name, y);
  return y;
}

ClipVisionImpl::ClipVisionImpl(const ClipConfig& c, const at::TensorOptions& options)
    : config_(checked(c)),
      resblocks_(blocks_of(c.vision, options)),
      class_embedding(
          register_parameter("class_embedding", at::empty({c.vision.width}, options), false)),
      positional_embedding(
          register_parameter("positional_embedding",
                             at::empty({c.grid * c.grid + 1, c.vision.width}, options), false)),
      proj(register_parameter("proj", at::empty({c.vision.width, c.embed_dim}, options), false)),
      ln_pre(register_module("ln_pre", Norm(c.vision.width, c.vision.norm_eps, options))),
      ln_post(register_module("ln_post", Norm(c.vision.width, c.vision.norm_eps, options))) {
  conv1_weight_ = register_module("conv1", std::make_shared<Holder>())
                      ->hold("weight", at::empty({c.vision.width, 3, c.patch, c.patch}, options));
  register_module("transformer", std::make_shared<Holder>())->adopt("resblocks", resblocks_);
}

at::Tensor ClipVisionImpl::tokens_of(const at::Tensor& pictures, const Observer& observe) {
  const std::int64_t grid = config_.grid, patch = config_.patch, side = grid * patch;
  const auto options = pictures.options();
  const auto column = [&](const std::array<double, 3>& rgb) {
    return at::tensor(at::ArrayRef<double>(rgb), options).view({3, 1, 1});
  };
  // The unpadded convolution with stride = kernel is a product with every patch.
  const auto patches = ((pictures.narrow(2, 0, side).narrow(3, 0, side) - column(kClipMean)) /
                        column(kClipDeviation))
                           .to(proj.scalar_type())
                           .view({-1, 3, grid, patch, grid, patch})
                           .permute({0, 2, 4, 1, 3, 5})
                           .reshape({-1, grid * grid, 3 * patch * patch});
  const auto embedded = affine(patches, conv1_weight_.flatten(1));  // [B, grid^2, D]
  if (observe) observe("visual.conv1", embedded.transpose(1, 2).unflatten(2, {grid, grid}));
  const auto start = class_embedding.expand({pictures.size(0), 1, -1});
  const auto tokens = ln_pre(at::cat({start, embedded}, 1) + positional_embedding);
  if (observe) observe("visual.ln_pre", tokens);
  return tokens;  // [B, grid^2 + 1, D]
}

at::Tensor ClipVisionImpl::forward(const at::Tensor& pictures, const Observer& observe) {
  const std::int64_t side = config_.grid * config_.patch;
  require(pictures.dim() == 4 && pictures.size(1) == 3 && pictures.size(2) >= side &&
              pictures.size(3) >= side,
          ErrorCode::kInternal,
          "CLIP: pictures must be [B, 3, S, S] with S at least " + std::to_string(side));
  at::Tensor x = tokens_of(pictures, observe);
  for (std::size_t i = 0; i < resblocks_->size(); ++i) {
    // Only the class token leaves the last block, so only it need ask there.
    const Attending attending{.queries = i + 1 == resblocks_->size() ? 1 : 0};
    x = resblocks_[i]->as<ClipBlockImpl>()->forward(
        x, attending, observe, "visual.transformer.resblocks." + std::to_string(i));
  }
  const auto pooled = ln_post(x);  // [B, 1, D]
  if (observe) observe("visual.ln_post", pooled);
  const auto embedding = at::matmul(pooled.squeeze(1), proj);  // [B, E]
  if (observe) observe("visual.unnormalized", embedding);
  return normalised(embedding);
}

ClipTextImpl::ClipTextImpl(const ClipConfig& c, const at::TensorOptions& options)
    : resblocks_(blocks_of(checked(c).text, options)),
      positional_embedding(register_parameter(
          "positional_embedding", at::empty({c.context, c.text.width}, options), false)),
      text_projection(register_parameter("text_projection",
                                         at::empty({c.text.width, c.embed_dim}, options), false)),
      ln_final(register_module("ln_final", Norm(c.text.width, c.text.norm_eps, options))) {
  token_embedding_weight_ = register_module("token_embedding", std::make_shared<Holder>())
                                ->hold("weight", at::empty({c.vocabulary, c.text.width}, options));
  register_module("transformer", std::make_shared<Holder>())->adopt("resblocks", resblocks_);
}

at::Tensor ClipTextImpl::states(const at::Tensor& tokens, const Observer& observe) {
  require(tokens.dim() == 2 && tokens.size(1) <= positional_embedding.size(0), ErrorCode::kInternal,
          "CLIP: a text has more tokens than the tower has positions");
  at::Tensor x = at::embedding(token_embedding_weight_, tokens) +
                 positional_embedding.narrow(0, 0, tokens.size(1));  // [B, T, D]
  for (std::size_t i = 0; i < resblocks_->size(); ++i)
    x = resblocks_[i]->as<ClipBlockImpl>()->forward(x, {.is_causal = true}, observe,
                                                    "transformer.resblocks." + std::to_string(i));
  x = ln_final(x);
  if (observe) observe("ln_final", x);
  return x;
}

at::Tensor ClipTextImpl::forward(const at::Tensor& tokens, const Observer& observe) {
  return normalised(states(tokens, observe));
}

at::Tensor ClipTextImpl::pooled(const at::Tensor& tokens) {
  const auto rows = at::arange(tokens.size(0), tokens.options().dtype(at::kLong));
  const auto ends = states(tokens, {}).index({rows, tokens.argmax(1)});  // [B, D]
  return normalised(at::matmul(ends, text_projection));
}

}  // namespace qingyin
