#include "video_gen/transformer.h"

#include <ATen/ATen.h>

#include <cmath>
#include <string>
#include <utility>

#include "core/error.h"

namespace qingyin {
namespace {

std::shared_ptr<ModuleGroup> pair_of(const PlainLinear& first, const PlainLinear& second) {
  auto group = std::make_shared<ModuleGroup>();
  group->register_module("linear_1", first);
  group->register_module("linear_2", second);
  return group;
}

std::vector<std::int64_t> patch_weight_shape(const CogTransformerConfig& c) {
  if (c.patch_size_t == 0) return {c.width(), c.in_channels, c.patch_size, c.patch_size};
  return {c.width(), c.in_channels * c.patch_size_t * c.patch_size * c.patch_size};
}

/// Native number of tokens, text included.
std::int64_t native_tokens(const CogTransformerConfig& c) {
  const std::int64_t frames = (c.sample_frames - 1) / c.temporal_compression_ratio + 1;
  return c.max_text_seq_length +
         frames * (c.sample_height / c.patch_size) * (c.sample_width / c.patch_size);
}

std::int64_t output_features(const CogTransformerConfig& c) {
  return c.out_channels * c.frames_per_token() * c.patch_size * c.patch_size;
}

std::string text_of(const LatentSize& size) {
  return std::to_string(size.frames) + " x " + std::to_string(size.height) + " x " +
         std::to_string(size.width);
}

}  // namespace

at::Tensor sinusoids(const at::Tensor& t, std::int64_t dim, bool cosines_first, double shift) {
  const std::int64_t half = dim / 2;
  const at::Tensor index = at::arange(half, t.options().dtype(at::kFloat));
  const at::Tensor frequencies =
      at::exp(index * -std::log(10000.0) / (static_cast<double>(half) - shift));
  const at::Tensor angles = at::outer(t.to(at::kFloat), frequencies);
  at::Tensor both = cosines_first ? at::cat({angles.cos(), angles.sin()}, 1)
                                  : at::cat({angles.sin(), angles.cos()}, 1);
  return dim % 2 == 0 ? both : at::constant_pad_nd(both, {0, 1});
}

CogTransformerImpl::CogTransformerImpl(const CogTransformerConfig& c)
    : config_(c),
      text_proj_(c.text_embed_dim, c.width(), Bias::kWith),
      time1_(c.width(), c.time_embed_dim, Bias::kWith),
      time2_(c.time_embed_dim, c.time_embed_dim, Bias::kWith),
      norm_final(register_module("norm_final", PlainLayerNorm(c.width(), c.norm_eps))),
      out_linear_(c.time_embed_dim, 2 * c.width(), Bias::kWith),
      out_norm_(c.width(), c.norm_eps),
      proj_out(
          register_module("proj_out", PlainLinear(c.width(), output_features(c), Bias::kWith))) {
  const auto found = problems(c);
  require(found.empty(), ErrorCode::kInternal,
          "video transformer: " + (found.empty() ? "" : found.front()));
  const auto patch_embed = register_module("patch_embed", std::make_shared<ModuleGroup>());
  patch_embed->register_module("text_proj", text_proj_);
  const auto proj = patch_embed->register_module("proj", std::make_shared<ModuleGroup>());
  patch_weight_ = proj->register_parameter("weight", placeholder(patch_weight_shape(c)), false);
  // With patch_size_t the published models have a bias, whatever patch_bias says.
  if (c.patch_bias || c.patch_size_t != 0)
    patch_bias_ = proj->register_parameter("bias", placeholder({c.width()}), false);
  if (c.use_learned_positional_embeddings)
    pos_embedding_ = patch_embed->register_buffer("pos_embedding",
                                                  placeholder({1, native_tokens(c), c.width()}));
  register_module("time_embedding", pair_of(time1_, time2_));
  if (c.ofs_embed_dim != 0) {
    ofs1_ = PlainLinear(c.ofs_embed_dim, c.ofs_embed_dim, Bias::kWith);
    ofs2_ = PlainLinear(c.ofs_embed_dim, c.ofs_embed_dim, Bias::kWith);
    register_module("ofs_embedding", pair_of(ofs1_, ofs2_));
  }
  const auto blocks = register_module("transformer_blocks", std::make_shared<ModuleGroup>());
  for (std::int64_t i = 0; i < c.num_layers; ++i) {
    blocks_.emplace_back(c);
    blocks->register_module(std::to_string(i), blocks_.back());
  }
  const auto norm_out = register_module("norm_out", std::make_shared<ModuleGroup>());
  norm_out->register_module("linear", out_linear_);
  norm_out->register_module("norm", out_norm_);
}

void CogTransformerImpl::fuse() {
  for (CogBlock& block : blocks_) block->attn1->fuse();
}

void CogTransformerImpl::check_size(const at::Tensor& text, const LatentSize& size) const {
  const std::int64_t p = config_.patch_size, t = config_.frames_per_token();
  require(size.frames >= 1 && size.height >= p && size.width >= p && size.frames % t == 0 &&
              size.height % p == 0 && size.width % p == 0,
          ErrorCode::kInvalidInput,
          "video transformer: the latents are " + text_of(size) +
              " (frames, height, width), expected multiples of " + std::to_string(t) + ", " +
              std::to_string(p) + " and " + std::to_string(p));
  const std::int64_t rows = config_.max_text_seq_length;
  require(!config_.has_additive_positions() || text.size(1) == rows, ErrorCode::kInvalidInput,
          "video transformer: the text has " + std::to_string(text.size(1)) +
              " rows, this model needs exactly " + std::to_string(rows));
}

at::Tensor CogTransformerImpl::position_table(const LatentSize& size,
                                              StoredPositions stored) const {
  const CogTransformerConfig& c = config_;
  if (!c.has_additive_positions()) return {};
  if (!c.use_learned_positional_embeddings)
    return sincos_table(c, size).unsqueeze(0);  // [1, N + T, D]
  if (stored == StoredPositions::kIgnored) return {};
  require(size.height == c.sample_height && size.width == c.sample_width, ErrorCode::kInvalidInput,
          "video transformer: the latents are " + text_of(size) +
              " (frames, height, width), but the stored position table is for " +
              std::to_string(c.sample_height) + " x " + std::to_string(c.sample_width) +
              "; use that size, or ignore the stored table");
  const std::int64_t frames = (size.frames - 1) * c.temporal_compression_ratio + 1;
  if (frames == c.sample_frames) return pos_embedding_;
  // As the reference: at another length the table is computed instead.
  return sincos_table(c, size).unsqueeze(0);
}

CogClip CogTransformerImpl::prepare(const at::Tensor& text, const LatentSize& size,
                                    StoredPositions stored) const {
  check_size(text, size);
  const at::Device device = proj_out->weight.device();
  CogClip clip;
  clip.size = size;
  clip.text = text_proj_->forward(text.to(device, dtype()));
  if (config_.use_rotary_positional_embeddings) clip.turns = rotary_turns(config_, size).to(device);
  const at::Tensor table = position_table(size, stored);
  if (!table.defined()) return clip;
  const at::Tensor added = table.to(device, dtype());
  const std::int64_t rows = text.size(1);
  clip.text = clip.text + added.narrow(1, 0, rows);
  clip.added = added.narrow(1, rows, added.size(1) - rows);
  return clip;
}

at::Tensor CogTransformerImpl::time_embedding(const at::Tensor& timesteps, double ofs) const {
  const auto embed = [&](const at::Tensor& t, std::int64_t width, const PlainLinear& first,
                         const PlainLinear& second) {
    const at::Tensor waves = sinusoids(t.to(proj_out->weight.device()), width,
                                       config_.flip_sin_to_cos, config_.freq_shift)
                                 .to(dtype());
    return second->forward(at::silu(first->forward(waves)));
  };
  const at::Tensor of_time = embed(timesteps, config_.width(), time1_, time2_);
  if (ofs1_.is_empty()) return of_time;
  return of_time + embed(at::full({1}, ofs), config_.ofs_embed_dim, ofs1_, ofs2_);
}

CogStep CogTransformerImpl::step(const at::Tensor& timesteps, double ofs) const {
  CogStep step;
  step.embedding = time_embedding(timesteps, ofs);
  const at::Tensor activated = at::silu(step.embedding);
  for (const CogBlock& block : blocks_) step.blocks.push_back(block->modulations(activated));
  step.output = out_linear_->forward(activated);
  return step;
}

at::Tensor CogTransformerImpl::embed(const at::Tensor& latents, const CogClip& clip) const {
  const std::int64_t p = config_.patch_size, t = config_.frames_per_token();
  const at::Tensor patches = latents.to(patch_weight_.device(), dtype())
                                 .unflatten(4, {-1, p})
                                 .unflatten(3, {-1, p})
                                 .unflatten(1, {-1, t})  // [B, f, t, C, h, p, w, p]
                                 .permute({0, 1, 4, 6, 3, 2, 5, 7})
                                 .flatten(4)
                                 .flatten(1, 3);  // [B, T, C * t * p * p]
  const at::Tensor video = at::linear(patches, patch_weight_.flatten(1), patch_bias_);
  return clip.added.defined() ? video + clip.added : video;
}

at::Tensor CogTransformerImpl::finish(const at::Tensor& video, const CogClip& clip,
                                      const CogStep& step) const {
  const std::int64_t p = config_.patch_size, t = config_.frames_per_token();
  const auto m = step.output.chunk(2, -1);
  const at::Tensor y =
      proj_out->forward(out_norm_->modulated(norm_final->forward(video), m[0], m[1]));
  return y
      .view({y.size(0), clip.size.frames / t, clip.size.height / p, clip.size.width / p,
             config_.out_channels, t, p, p})  // [B, f, h, w, C, t, p, p]
      .permute({0, 1, 5, 4, 2, 6, 3, 7})
      .flatten(6)
      .flatten(4, 5)
      .flatten(1, 2);  // [B, F, C, H, W]
}

CogTokens CogTransformerImpl::tokens_of(const at::Tensor& video, const CogClip& clip) const {
  const at::Tensor text = clip.text.expand({video.size(0), -1, -1});
  return {.joined = at::cat({text, video}, 1), .text = text.size(1)};
}

at::Tensor CogTransformerImpl::forward_by(const BlocksRunner& blocks, const at::Tensor& latents,
                                          const CogClip& clip, const CogStep& step,
                                          at::Tensor* residual) const {
  at::Tensor first = embed(latents, clip);
  CogTokens tokens = tokens_of(first, clip);
  if (residual == nullptr) first.reset();
  blocks(tokens);
  if (residual != nullptr) *residual = at::sub_out(first, tokens.video(), first);
  return finish(tokens.video(), clip, step);
}

at::Tensor CogTransformerImpl::forward(const at::Tensor& latents, const CogClip& clip,
                                       const CogStep& step, at::Tensor* residual) const {
  const auto all = [&](CogTokens& tokens) {
    for (std::size_t i = 0; i < blocks_.size(); ++i)
      blocks_[i]->forward(tokens, step.blocks[i], clip.turns);
  };
  return forward_by(all, latents, clip, step, residual);
}

at::Tensor CogTransformerImpl::reuse(const at::Tensor& latents, const CogClip& clip,
                                     const CogStep& step, const at::Tensor& residual) const {
  return finish(embed(latents, clip) + residual, clip, step);
}

}  // namespace qingyin
