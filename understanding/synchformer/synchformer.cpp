#include "understanding/synchformer/synchformer.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "models/layers/fast_cpu.h"

namespace qingyin {
namespace nn = torch::nn;
namespace {

/// Holds a parameter or a layer under a further level of the checkpoint's names.
class Level : public nn::Module {
 public:
  template <typename Child>
  Child adopt(const std::string& name, Child child) {
    return register_module(name, std::move(child));
  }
  at::Tensor hold(const std::string& name, const at::Tensor& tensor) {
    return register_parameter(name, tensor, false);
  }
};

const SynchformerConfig& checked(const SynchformerConfig& config) {
  const auto found = problems(config);
  require(found.empty(), ErrorCode::kInternal,
          "Synchformer: " + (found.empty() ? "" : found.front()));
  return config;
}

}  // namespace

std::vector<std::string> problems(const SynchformerConfig& c) {
  std::vector<std::string> found;
  if (c.width < 1) found.push_back("width must be at least 1");
  if (c.layers < 1) found.push_back("layers must be at least 1");
  if (c.heads < 1)
    found.push_back("heads must be at least 1");
  else if (c.width % c.heads != 0)
    found.push_back("width is not a multiple of heads");
  if (c.grid < 1) found.push_back("grid must be at least 1");
  if (c.patch < 1) found.push_back("patch must be at least 1");
  if (c.tubelet < 1)
    found.push_back("tubelet must be at least 1");
  else if (c.frames < 1 || c.frames % c.tubelet != 0)
    found.push_back("frames is not a multiple of tubelet");
  if (c.mlp_ratio < 1) found.push_back("mlp_ratio must be at least 1");
  return found;
}

SynchformerConfig synchformer_published() {
  return {.width = 768, .layers = 12, .heads = 12, .grid = 14};
}

DividedAttentionImpl::DividedAttentionImpl(const SynchformerConfig& c, Over over,
                                           const at::TensorOptions& options)
    : config_(c),
      over_(over),
      qkv(register_module("qkv", Dense(c.width, 3 * c.width, options))),
      proj(register_module("proj", Dense(c.width, c.width, options))) {}

/// The tokens after the first, of one of q, k, v, in the groups that attend among themselves.
/// [B, H, 1 + N, K] -> [B G, H, T, K], G groups of T tokens
at::Tensor DividedAttentionImpl::grouped(const at::Tensor& part) {
  const auto cells = part.narrow(2, 1, part.size(2) - 1)
                         .unflatten(2, {config_.times(), config_.places()});  // [B, H, t, p, K]
  return cells
      .permute(over_ == Over::kTime ? at::IntArrayRef{0, 3, 1, 2, 4}
                                    : at::IntArrayRef{0, 2, 1, 3, 4})
      .flatten(0, 1);
}

/// `grouped` with the first token before each group. [B, H, 1 + N, K] -> [B G, H, 1 + T, K]
at::Tensor DividedAttentionImpl::with_start(const at::Tensor& part) {
  const auto groups = grouped(part);
  const std::int64_t per_segment = groups.size(0) / part.size(0);
  const auto start = part.narrow(2, 0, 1)  // [B, H, 1, K]
                         .unsqueeze(1)
                         .expand({-1, per_segment, -1, -1, -1})
                         .flatten(0, 1);  // [B G, H, 1, K]
  return at::cat({start, groups}, 2);
}

at::Tensor DividedAttentionImpl::forward(const at::Tensor& x) {
  const std::int64_t batch = x.size(0), heads = config_.heads;
  const auto parts = qkv(x)
                         .unflatten(2, {3, heads, -1})  // [B, 1 + N, 3, H, K]
                         .permute({2, 0, 3, 1, 4})      // [3, B, H, 1 + N, K]
                         .unbind(0);
  const auto start = attend(parts[0].narrow(2, 0, 1), parts[1],
                            parts[2]);  // [B, H, 1, K]
  const auto mixed = attend(grouped(parts[0]), with_start(parts[1]),
                            with_start(parts[2]));  // [B G, H, T, K]
  const auto cells = mixed.unflatten(0, {batch, -1})
                         .permute(over_ == Over::kTime ? at::IntArrayRef{0, 3, 1, 2, 4}
                                                       : at::IntArrayRef{0, 1, 3, 2, 4})
                         .flatten(3);  // [B, t, p, D]
  at::Tensor joined = at::empty_like(x);
  joined.narrow(1, 0, 1).copy_(start.transpose(1, 2).flatten(2));
  joined.narrow(1, 1, x.size(1) - 1).unflatten(1, {config_.times(), config_.places()}).copy_(cells);
  return proj(joined);
}

SynchformerBlockImpl::SynchformerBlockImpl(const SynchformerConfig& c,
                                           const at::TensorOptions& options)
    : norm1(register_module("norm1", Norm(c.width, c.norm_eps, options))),
      norm2(register_module("norm2", Norm(c.width, c.norm_eps, options))),
      norm3(register_module("norm3", Norm(c.width, c.norm_eps, options))),
      attn(register_module("attn",
                           DividedAttention(c, DividedAttentionImpl::Over::kSpace, options))),
      timeattn(register_module("timeattn",
                               DividedAttention(c, DividedAttentionImpl::Over::kTime, options))),
      fc1(nullptr),
      fc2(nullptr) {
  const auto mlp = register_module("mlp", std::make_shared<Level>());
  fc1 = mlp->adopt("fc1", Dense(c.width, c.mlp_ratio * c.width, options));
  fc2 = mlp->adopt("fc2", Dense(c.mlp_ratio * c.width, c.width, options));
}

at::Tensor SynchformerBlockImpl::forward(at::Tensor x, const Observer& observe,
                                         const std::string& name) {
  const at::Tensor over_time = timeattn(norm3(x));
  if (observe) observe(name + ".timeattn", over_time);
  x = x + over_time;
  const at::Tensor over_space = attn(norm1(x));
  if (observe) observe(name + ".attn", over_space);
  x.add_(over_space);
  at::Tensor hidden = fc1(norm2(x));
  at::gelu_(hidden);
  x.add_(fc2(hidden));
  if (observe) observe(name, x);
  return x;
}

SpatialSummaryImpl::SpatialSummaryImpl(const SynchformerConfig& c, const at::TensorOptions& options)
    : cls_token(register_parameter("cls_token", at::empty({1, 1, c.width}, options), false)),
      self_attn(register_module("self_attn", PackedAttention(c.width, c.heads, options))),
      linear1(register_module("linear1", Dense(c.width, c.mlp_ratio * c.width, options))),
      linear2(register_module("linear2", Dense(c.mlp_ratio * c.width, c.width, options))),
      norm1(register_module("norm1", Norm(c.width, c.norm_eps, options))),
      norm2(register_module("norm2", Norm(c.width, c.norm_eps, options))) {}

at::Tensor SpatialSummaryImpl::forward(const at::Tensor& x) {
  const auto start = cls_token.expand({x.size(0), -1, -1});
  // Only the learned token's result is read, so only it asks.
  at::Tensor y = start + self_attn(norm1(at::cat({start, x}, 1)), Attending{.queries = 1});
  at::Tensor hidden = linear1(norm2(y));  // [B, 1, 4 D]
  at::gelu_(hidden);
  return (y + linear2(hidden)).squeeze(1);
}

SynchformerImpl::SynchformerImpl(const SynchformerConfig& c, const at::TensorOptions& options)
    : config_(checked(c)),
      blocks(register_module("blocks", nn::ModuleList())),
      cls_token(register_parameter("cls_token", at::empty({1, 1, c.width}, options), false)),
      pos_embed(
          register_parameter("pos_embed", at::empty({1, 1 + c.places(), c.width}, options), false)),
      temp_embed(
          register_parameter("temp_embed", at::empty({1, c.times(), c.width}, options), false)),
      norm(register_module("norm", Norm(c.width, c.norm_eps, options))),
      spatial_attn_agg(register_module("spatial_attn_agg", SpatialSummary(c, options))) {
  for (std::int64_t i = 0; i < c.layers; ++i) blocks->push_back(SynchformerBlock(c, options));
  const auto conv = register_module("patch_embed_3d", std::make_shared<Level>())
                        ->adopt("proj", std::make_shared<Level>());
  proj_weight_ =
      conv->hold("weight", at::empty({c.width, 3, c.tubelet, c.patch, c.patch}, options));
  proj_bias_ = conv->hold("bias", at::empty({c.width}, options));
}

at::Tensor SynchformerImpl::tokens_of(const at::Tensor& segments, const Observer& observe) {
  const std::int64_t grid = config_.grid, patch = config_.patch;
  // The convolution's stride is its kernel, so it is a product with every cell.
  const auto cells =
      segments.to(pos_embed.scalar_type())
          .reshape({-1, 3, config_.times(), config_.tubelet, grid, patch, grid, patch})
          .permute({0, 2, 4, 6, 1, 3, 5, 7})
          .reshape({segments.size(0), config_.times() * config_.places(), -1});
  const auto embedded = affine(cells, proj_weight_.flatten(1), proj_bias_);  // [B, N, D]
  if (observe) observe("patch_embed_3d", embedded);
  const auto places = pos_embed.narrow(1, 1, config_.places()).unsqueeze(1);  // [1, 1, p, D]
  const auto positions = (places + temp_embed.unsqueeze(2)).flatten(1, 2);    // [1, N, D]
  const auto start = (cls_token + pos_embed.narrow(1, 0, 1)).expand({segments.size(0), -1, -1});
  return at::cat({start, embedded + positions}, 1);  // [B, 1 + N, D]
}

at::Tensor SynchformerImpl::forward(const at::Tensor& segments, const Observer& observe) {
  const std::int64_t side = config_.picture_side();
  require(segments.dim() == 5 && segments.size(1) == 3 && segments.size(2) == config_.frames &&
              segments.size(3) == side && segments.size(4) == side,
          ErrorCode::kInternal,
          "Synchformer: segments must be [B, 3, " + std::to_string(config_.frames) + ", " +
              std::to_string(side) + ", " + std::to_string(side) + "]");
  at::Tensor x = tokens_of(segments, observe);
  for (std::size_t i = 0; i < blocks->size(); ++i)
    x = blocks[i]->as<SynchformerBlockImpl>()->forward(x, observe, "blocks." + std::to_string(i));
  x = norm(x.narrow(1, 1, x.size(1) - 1));  // [B, N, D]
  if (observe) observe("norm", x);
  return spatial_attn_agg(x.reshape({-1, config_.places(), config_.width}))
      .view({segments.size(0), config_.times(), config_.width});
}

}  // namespace qingyin
