#include "video_gen/transformer_block.h"

#include <ATen/ATen.h>

#include <algorithm>
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
/// @param x  [1, N + T, H, K]; changed in place, some rows at a time
void rotate_video(at::Tensor& x, std::int64_t text, const at::Tensor& turns) {
  const std::int64_t all = x.size(1) - text;
  for (std::int64_t first = 0; first < all; first += kFeedForwardRows) {
    const std::int64_t count = std::min(kFeedForwardRows, all - first);
    const at::Tensor video = x.narrow(1, text + first, count);
    const at::Tensor pairs =
        at::view_as_complex(video.to(at::kFloat).unflatten(-1, {-1, 2}));  // [1, n, H, K/2]
    video.copy_(at::view_as_real(pairs * turns.narrow(0, first, count).unsqueeze(1)).flatten(3));
  }
}

/// The row of a modulation that a clip gets, [1, D].
at::Tensor row_of(const at::Tensor& modulation, std::int64_t clip) {
  return modulation.narrow(0, modulation.size(0) == 1 ? 0 : clip, 1);
}

constexpr std::size_t kOfVideo = 0, kOfText = 3;  // where a kind's part of a modulation begins
constexpr std::size_t kGate = 2;

/// Calls `work(rows, kind, first)` for one clip's tokens in runs of one kind, each of at most
/// `longest` rows: [1, n, D], parts of the tokens' memory.
template <class Work>
void for_runs(const CogTokens& tokens, std::int64_t clip, std::int64_t longest, const Work& work) {
  const std::int64_t all = tokens.joined.size(1);
  const at::Tensor own = tokens.joined.narrow(0, clip, 1);
  for (std::int64_t first = 0; first < all;) {
    const bool is_text = first < tokens.text;
    const std::int64_t count = std::min(longest, (is_text ? tokens.text : all) - first);
    work(own.narrow(1, first, count), is_text ? kOfText : kOfVideo, first);
    first += count;
  }
}

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

void CogAttentionImpl::to_int8() {
  for (PlainLinear layer : {to_q, to_k, to_v, to_out_}) layer->to_int8();
}

at::Tensor CogAttentionImpl::turned(at::Tensor x, const PlainLayerNorm& norm, std::int64_t text,
                                    const at::Tensor& turns) const {
  at::Tensor normed = norm->forward(x.unflatten(-1, {heads_, -1}));  // [1, N + T, H, K]
  x.reset();
  if (turns.defined()) rotate_video(normed, text, turns);
  return normed.transpose(1, 2);  // [1, H, N + T, K]
}

at::Tensor CogAttentionImpl::mixed(at::Tensor x, std::int64_t text, const at::Tensor& turns) const {
  at::Tensor q, k, v;  // [1, H, N + T, K]
  const auto by_head = [&](const at::Tensor& y) { return y.unflatten(-1, {heads_, -1}); };
  if (fused_weight_.defined()) {
    const auto parts = affine(x, fused_weight_, fused_bias_).chunk(3, -1);
    x.reset();
    q = turned(parts[0], norm_q, text, turns);
    k = turned(parts[1], norm_k, text, turns);
    v = by_head(parts[2]).transpose(1, 2);
  } else {
    q = turned(to_q->forward(x), norm_q, text, turns);
    k = turned(to_k->forward(x), norm_k, text, turns);
    v = by_head(to_v->forward(x)).transpose(1, 2);
    x.reset();
  }
  return at::scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2);  // [1, N + T, D]
}

CogAdaptiveNormImpl::CogAdaptiveNormImpl(const CogTransformerConfig& c)
    : linear(register_module("linear", PlainLinear(c.time_embed_dim, 6 * c.width(), Bias::kWith))),
      norm(register_module("norm", PlainLayerNorm(c.width(), c.norm_eps))) {}

CogModulation CogAdaptiveNormImpl::modulation(const at::Tensor& activated) const {
  const auto m = linear->forward(activated).chunk(6, -1);
  return {m[0], m[1], m[2], m[3], m[4], m[5]};
}

at::Tensor CogAdaptiveNormImpl::rows(const at::Tensor& rows, const CogModulation& m,
                                     std::size_t kind, std::int64_t clip) const {
  return norm->modulated(rows, row_of(m[kind], clip), row_of(m[kind + 1], clip));
}

CogTokens CogAdaptiveNormImpl::forward(const CogTokens& tokens, const CogModulation& m) const {
  CogTokens normed{.joined = at::empty_like(tokens.joined), .text = tokens.text};
  for (std::int64_t clip = 0; clip < tokens.joined.size(0); ++clip)
    for_runs(tokens, clip, kFeedForwardRows,
             [&](const at::Tensor& run, std::size_t kind, std::int64_t first) {
               normed.joined.narrow(0, clip, 1)
                   .narrow(1, first, run.size(1))
                   .copy_(rows(run, m, kind, clip));
             });
  return normed;
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

void CogBlockImpl::to_int8() {
  attn1->to_int8();
  ff_in_->to_int8();
  ff_out_->to_int8();
}

void CogBlockImpl::let_go_modulations() {
  norm1->let_go_modulation();
  norm2->let_go_modulation();
}

at::Tensor CogBlockImpl::feed_forward(const at::Tensor& x) const {
  at::Tensor hidden = ff_in_->forward(x);
  return ff_out_->forward(at::gelu_(hidden, "tanh"));
}

void CogBlockImpl::add_attention(CogTokens& tokens, const CogModulation& m,
                                 const at::Tensor& turns) const {
  for (std::int64_t clip = 0; clip < tokens.joined.size(0); ++clip) {
    const CogTokens own{.joined = tokens.joined.narrow(0, clip, 1), .text = tokens.text};
    CogModulation of_clip;
    std::ranges::transform(m, of_clip.begin(), [&](const auto& all) { return row_of(all, clip); });
    const at::Tensor mixed =
        attn1->mixed(norm1->forward(own, of_clip).joined, tokens.text, turns);  // [1, N + T, D]
    for_runs(own, 0, kFeedForwardRows, [&](at::Tensor run, std::size_t kind, std::int64_t first) {
      run.addcmul_(of_clip[kind + kGate].unsqueeze(1),
                   attn1->output(mixed.narrow(1, first, run.size(1))));
    });
  }
}

void CogBlockImpl::add_feed_forward(CogTokens& tokens, const CogModulation& m) const {
  for (std::int64_t clip = 0; clip < tokens.joined.size(0); ++clip)
    for_runs(tokens, clip, kFeedForwardRows, [&](at::Tensor run, std::size_t kind, std::int64_t) {
      run.addcmul_(row_of(m[kind + kGate], clip).unsqueeze(1),
                   feed_forward(norm2->rows(run, m, kind, clip)));
    });
}

void CogBlockImpl::forward(CogTokens& tokens, const Modulations& m, const at::Tensor& turns) const {
  add_attention(tokens, m[0], turns);
  add_feed_forward(tokens, m[1]);
}

}  // namespace qingyin
