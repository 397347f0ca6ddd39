#include "video_gen/transformer_block.h"

#include <ATen/ATen.h>

#include <utility>

#include "models/layers/fast_cpu.h"

namespace qingyin {
namespace {

// Of the norms of queries and keys; fixed in the reference, not in its config.
constexpr double kHeadNormEps = 1e-6;

Bias attention_bias(const CogTransformerConfig& c) {
  return c.attention_bias ? Bias::kWith : Bias::kWithout;
}

/// Turns the pairs of channels of the video tokens, which stand behind `text` tokens.
/// @param x  [B, N + T, H, K]; changed in place
void rotate_video(at::Tensor& x, std::int64_t text, const at::Tensor& turns) {
  const at::Tensor video = x.narrow(1, text, x.size(1) - text);
  const at::Tensor pairs =
      at::view_as_complex(video.to(at::kFloat).unflatten(-1, {-1, 2}));  // [B, T, H, K/2]
  video.copy_(at::view_as_real(pairs * turns.unsqueeze(1)).flatten(3));
}

CogTokens parted(const at::Tensor& joined, std::int64_t text) {
  return {.video = joined.narrow(1, text, joined.size(1) - text),
          .text = joined.narrow(1, 0, text)};
}

at::Tensor joined(const CogTokens& tokens) { return at::cat({tokens.text, tokens.video}, 1); }

void make_one(std::array<at::Tensor*, 3> parts, at::Tensor& whole) {
  whole = at::cat({*parts[0], *parts[1], *parts[2]}, 0);
  std::int64_t row = 0;
  for (at::Tensor* part : parts) {
    const std::int64_t rows = part->size(0);
    part->set_data(whole.narrow(0, row, rows));
    row += rows;
  }
}

}  // namespace

CogAttentionImpl::CogAttentionImpl(const CogTransformerConfig& c)
    : heads_(c.num_attention_heads),
      to_q(register_module("to_q", PlainLinear(c.width(), c.width(), attention_bias(c)))),
      to_k(register_module("to_k", PlainLinear(c.width(), c.width(), attention_bias(c)))),
      to_v(register_module("to_v", PlainLinear(c.width(), c.width(), attention_bias(c)))),
      to_out_(PlainLinear(c.width(), c.width(), Bias::kWith)),
      norm_q(register_module("norm_q", PlainLayerNorm(c.attention_head_dim, kHeadNormEps))),
      norm_k(register_module("norm_k", PlainLayerNorm(c.attention_head_dim, kHeadNormEps))) {
  register_module("to_out", std::make_shared<ModuleGroup>())->register_module("0", to_out_);
}

void CogAttentionImpl::fuse() {
  make_one({&to_q->weight, &to_k->weight, &to_v->weight}, fused_weight_);
  if (to_q->bias.defined()) make_one({&to_q->bias, &to_k->bias, &to_v->bias}, fused_bias_);
}

std::array<at::Tensor, 3> CogAttentionImpl::queries_keys_values(const at::Tensor& x) const {
  if (!fused_weight_.defined()) return {to_q->forward(x), to_k->forward(x), to_v->forward(x)};
  const auto parts = affine(x, fused_weight_, fused_bias_).chunk(3, -1);
  return {parts[0], parts[1], parts[2]};
}

CogTokens CogAttentionImpl::forward(const CogTokens& tokens, const at::Tensor& turns) const {
  const std::int64_t text = tokens.text.size(1);
  auto [q, k, v] = queries_keys_values(joined(tokens));
  q = norm_q->forward(q.unflatten(-1, {heads_, -1}));  // [B, N + T, H, K]
  k = norm_k->forward(k.unflatten(-1, {heads_, -1}));
  if (turns.defined()) {
    rotate_video(q, text, turns);
    rotate_video(k, text, turns);
  }
  const at::Tensor mixed = at::scaled_dot_product_attention(
      q.transpose(1, 2), k.transpose(1, 2), v.unflatten(-1, {heads_, -1}).transpose(1, 2));
  return parted(to_out_->forward(mixed.transpose(1, 2).flatten(2)), text);
}

CogAdaptiveNormImpl::CogAdaptiveNormImpl(const CogTransformerConfig& c)
    : linear(register_module("linear", PlainLinear(c.time_embed_dim, 6 * c.width(), Bias::kWith))),
      norm(register_module("norm", PlainLayerNorm(c.width(), c.norm_eps))) {}

CogModulation CogAdaptiveNormImpl::modulation(const at::Tensor& activated) const {
  const auto m = linear->forward(activated).chunk(6, -1);
  return {m[0], m[1], m[2], m[3], m[4], m[5]};
}

CogTokens CogAdaptiveNormImpl::forward(const CogTokens& tokens, const CogModulation& m) const {
  return {.video = norm->modulated(tokens.video, m[0], m[1]),
          .text = norm->modulated(tokens.text, m[3], m[4])};
}

CogBlockImpl::CogBlockImpl(const CogTransformerConfig& c)
    : norm1(register_module("norm1", CogAdaptiveNorm(c))),
      norm2(register_module("norm2", CogAdaptiveNorm(c))),
      attn1(register_module("attn1", CogAttention(c))),
      ff_in_(PlainLinear(c.width(), 4 * c.width(), Bias::kWith)),
      ff_out_(PlainLinear(4 * c.width(), c.width(), Bias::kWith)) {
  const auto net = register_module("ff", std::make_shared<ModuleGroup>())
                       ->register_module("net", std::make_shared<ModuleGroup>());
  net->register_module("0", std::make_shared<ModuleGroup>())->register_module("proj", ff_in_);
  net->register_module("2", ff_out_);
}

CogBlockImpl::Modulations CogBlockImpl::modulations(const at::Tensor& activated) const {
  return {norm1->modulation(activated), norm2->modulation(activated)};
}

at::Tensor CogBlockImpl::feed_forward(const at::Tensor& x) const {
  at::Tensor hidden = ff_in_->forward(x);
  return ff_out_->forward(at::gelu_(hidden, "tanh"));
}

CogTokens CogBlockImpl::forward(CogTokens x, const Modulations& m, const at::Tensor& turns) const {
  const auto add = [](const CogTokens& to, const CogModulation& by, const CogTokens& what) {
    return CogTokens{.video = at::addcmul(to.video, by[2].unsqueeze(1), what.video),
                     .text = at::addcmul(to.text, by[5].unsqueeze(1), what.text)};
  };
  x = add(x, m[0], attn1->forward(norm1->forward(x, m[0]), turns));
  const at::Tensor y = feed_forward(joined(norm2->forward(x, m[1])));
  return add(x, m[1], parted(y, x.text.size(1)));
}

}  // namespace qingyin
