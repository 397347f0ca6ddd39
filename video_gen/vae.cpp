#include "video_gen/vae.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <string>
#include <utility>

#include "core/error.h"

namespace qingyin {
namespace {

constexpr std::int64_t kTime = 2;        // the frames' dimension
constexpr double kOutputNormEps = 1e-6;  // fixed in the reference, also of norms with latents
constexpr std::int64_t kMidResnets = 2;

using Sampler = VaeLevelImpl::Sampler;

CogVaeConfig checked(const CogVaeConfig& config) {
  const auto found = problems(config);
  require(found.empty(), ErrorCode::kInternal,
          "video VAE: " + (found.empty() ? "" : found.front()));
  return config;
}

TimeScaling time_of(const CogVaeConfig& c, std::size_t level) {
  return static_cast<std::int64_t>(level) < c.temporal_levels() ? TimeScaling::kHalvedOrDoubled
                                                                : TimeScaling::kKept;
}

VaeBlockShape encoder_shape(const CogVaeConfig& c) {
  return {.groups = c.norm_num_groups, .eps = c.norm_eps, .latent_channels = 0};
}

VaeBlockShape decoder_shape(const CogVaeConfig& c) {
  return {.groups = c.norm_num_groups, .eps = kOutputNormEps, .latent_channels = c.latent_channels};
}

std::vector<std::int64_t> reversed(std::vector<std::int64_t> widths) {
  std::ranges::reverse(widths);
  return widths;
}

/// Levels whose widths follow one another; all but the last have a sampler.
std::vector<VaeLevel> levels(torch::nn::Module& owner, const std::string& name,
                             const CogVaeConfig& c, const std::vector<std::int64_t>& widths,
                             std::int64_t resnets, const VaeBlockShape& shape, Sampler sampler) {
  const auto list = owner.register_module(name, std::make_shared<ModuleGroup>());
  std::vector<VaeLevel> made;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    const bool is_last = i + 1 == widths.size();
    made.emplace_back(widths[i == 0 ? 0 : i - 1], widths[i], resnets, shape,
                      is_last ? Sampler::kNone : sampler, time_of(c, i));
    list->register_module(std::to_string(i), made.back());
  }
  return made;
}

VaeLevel mid_of(std::int64_t width, const VaeBlockShape& shape) {
  return VaeLevel(width, width, kMidResnets, shape, Sampler::kNone, TimeScaling::kKept);
}

void tell(const Observer& observer, const std::string& name, const VaeFrames& value) {
  if (observer) observer(name, clip_of_frames(value));
}

/// The last norm and convolution of a half, as a clip.
at::Tensor end_of(VaeFrames x, const VaeNorm& norm, const VaeCausalConv& conv,
                  const at::Tensor& latents, VaeCache& cache) {
  norm_and_conv(norm, conv, x, latents, cache,
                [&](std::size_t f, at::Tensor result) { x[f] = std::move(result); });
  return clip_of_frames(x);
}

at::Tensor as_pixels(const at::Tensor& x, at::ScalarType type) {
  // The reference's arithmetic: 2 (x / 255) - 1 in float32.
  return x.scalar_type() == at::kByte ? (2 * (x.to(at::kFloat) / 255) - 1).to(type) : x.to(type);
}

/// Observers are told which batch of frames a value belongs to.
Observer of_batch(const Observer& observer, std::size_t batch) {
  if (!observer) return {};
  return [&observer, batch](const std::string& name, const at::Tensor& value) {
    observer(name + ".batch" + std::to_string(batch), value);
  };
}

/// A clip through a network, batch by batch.
/// @param run  from frames [1, C, F, H, W] of a batch to the network's answer
template <typename Run, typename Take>
void in_batches(const at::Tensor& x, std::int64_t batch, const Observer& observer, const Run& run,
                const Take& take) {
  VaeCache cache;
  const std::vector<FrameBatch> batches = frame_batches(x.size(kTime), batch);
  for (std::size_t i = 0; i < batches.size(); ++i) {
    take(run(x.narrow(kTime, batches[i].first, batches[i].count), cache, of_batch(observer, i)));
    cache.rewind();
  }
}

template <typename Run>
at::Tensor joined_batches(const at::Tensor& x, std::int64_t batch, const Observer& observer,
                          const Run& run) {
  std::vector<at::Tensor> parts;
  in_batches(x, batch, observer, run, [&](at::Tensor part) { parts.push_back(std::move(part)); });
  return at::cat(parts, kTime);
}

/// Each clip [1, C, F, H, W] of a batch through a network, in tiles if the grid applies.
at::Tensor each_clip(const at::Tensor& x, const std::optional<TileGrid>& grid,
                     const std::function<at::Tensor(const at::Tensor&)>& run) {
  const bool is_tiled = grid && grid->applies_to(x.size(3), x.size(4));
  std::vector<at::Tensor> clips;
  for (const at::Tensor& clip : x.split(1))
    clips.push_back(is_tiled ? run_tiled(clip, *grid, run) : run(clip));
  return at::cat(clips);
}

}  // namespace

std::vector<FrameBatch> frame_batches(std::int64_t frames, std::int64_t batch) {
  const std::int64_t count = std::max<std::int64_t>(frames / batch, 1), rest = frames % batch;
  std::vector<FrameBatch> batches;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t first = batch * i + (i == 0 ? 0 : rest);
    batches.push_back({.first = first, .count = std::min(batch * (i + 1) + rest, frames) - first});
  }
  return batches;
}

std::int64_t decoded_frames(const CogVaeConfig& config, std::int64_t latent_frames) {
  std::int64_t frames = 0;
  for (const FrameBatch& batch : frame_batches(latent_frames, kDecoderFrames)) {
    std::int64_t count = batch.count;
    for (std::int64_t i = 0; i < config.temporal_levels(); ++i)
      if (count > 1) count = 2 * count - count % 2;
    frames += count;
  }
  return frames;
}

CogVaeEncoderImpl::CogVaeEncoderImpl(const CogVaeConfig& c)
    : conv_in(register_module("conv_in", VaeCausalConv(c.in_channels, c.block_out_channels[0]))),
      down_blocks_(levels(*this, "down_blocks", c, c.block_out_channels, c.layers_per_block,
                          encoder_shape(c), Sampler::kDown)),
      mid_block(
          register_module("mid_block", mid_of(c.block_out_channels.back(), encoder_shape(c)))),
      norm_out(register_module("norm_out", VaeNorm(c.block_out_channels.back(), c.norm_num_groups,
                                                   kOutputNormEps, /*latent_channels=*/0))),
      conv_out(register_module(
          "conv_out", VaeCausalConv(c.block_out_channels.back(), 2 * c.latent_channels))) {}

at::Tensor CogVaeEncoderImpl::forward(const at::Tensor& pixels, VaeCache& cache,
                                      const Observer& observer) const {
  VaeFrames x = conv_in->forward(frames_of(as_pixels(pixels, conv_in->dtype())), cache);
  for (std::size_t i = 0; i < down_blocks_.size(); ++i) {
    x = down_blocks_[i]->forward(std::move(x), {}, cache);
    tell(observer, "down_blocks." + std::to_string(i), x);
  }
  x = mid_block->forward(std::move(x), {}, cache);
  tell(observer, "mid_block", x);
  return end_of(std::move(x), norm_out, conv_out, {}, cache);
}

CogVaeDecoderImpl::CogVaeDecoderImpl(const CogVaeConfig& c)
    : conv_in(register_module("conv_in",
                              VaeCausalConv(c.latent_channels, c.block_out_channels.back()))),
      mid_block(
          register_module("mid_block", mid_of(c.block_out_channels.back(), decoder_shape(c)))),
      up_blocks_(levels(*this, "up_blocks", c, reversed(c.block_out_channels),
                        c.layers_per_block + 1, decoder_shape(c), Sampler::kUp)),
      norm_out(register_module("norm_out", VaeNorm(c.block_out_channels[0], c.norm_num_groups,
                                                   kOutputNormEps, c.latent_channels))),
      conv_out(
          register_module("conv_out", VaeCausalConv(c.block_out_channels[0], c.out_channels))) {}

at::Tensor CogVaeDecoderImpl::forward(const at::Tensor& latents, VaeCache& cache,
                                      const Observer& observer) const {
  const at::Tensor z = latents.to(conv_in->dtype());
  VaeFrames x = conv_in->forward(frames_of(z), cache);
  tell(observer, "conv_in", x);
  x = mid_block->forward(std::move(x), z, cache);
  tell(observer, "mid_block", x);
  for (std::size_t i = 0; i < up_blocks_.size(); ++i) {
    x = up_blocks_[i]->forward(std::move(x), z, cache);
    tell(observer, "up_blocks." + std::to_string(i), x);
  }
  return end_of(std::move(x), norm_out, conv_out, z, cache);
}

at::Tensor LatentDistribution::sample(const at::Tensor& noise) const {
  return mean + at::exp(0.5 * log_variance) * noise;
}

CogVaeImpl::CogVaeImpl(const CogVaeConfig& config)
    : encoder(register_module("encoder", CogVaeEncoder(checked(config)))),
      decoder(register_module("decoder", CogVaeDecoder(config))),
      config_(config) {}

LatentDistribution CogVaeImpl::encode(const at::Tensor& pixels, const std::optional<TileGrid>& grid,
                                      const Observer& observer) const {
  const auto run = [&](const at::Tensor& clip) {
    return joined_batches(clip, kEncoderFrames, observer,
                          [&](const at::Tensor& x, VaeCache& cache, const Observer& watch) {
                            return encoder->forward(x, cache, watch);
                          });
  };
  const auto halves = each_clip(pixels, grid, run).chunk(2, 1);
  return {.mean = halves[0], .log_variance = halves[1].clamp(-30, 20)};
}

at::Tensor CogVaeImpl::decode(const at::Tensor& latents, const std::optional<TileGrid>& grid,
                              const Observer& observer) const {
  const auto run = [&](const at::Tensor& clip) {
    return joined_batches(clip, kDecoderFrames, observer,
                          [&](const at::Tensor& x, VaeCache& cache, const Observer& watch) {
                            return decoder->forward(x, cache, watch);
                          });
  };
  return each_clip(latents, grid, run);
}

void CogVaeImpl::decode_parts(const at::Tensor& latents, const std::optional<TileGrid>& grid,
                              const PartTaker& take, const Observer& observer) const {
  const auto run = [&](const at::Tensor& x, VaeCache& cache, const Observer& watch) {
    return decoder->forward(x, cache, watch);
  };
  if (grid && grid->applies_to(latents.size(3), latents.size(4)))
    return for_each_tile(
        latents, *grid,
        [&](const at::Tensor& tile) { return joined_batches(tile, kDecoderFrames, observer, run); },
        take);
  VideoPlace place;
  in_batches(latents, kDecoderFrames, observer, run, [&](const at::Tensor& part) {
    take(part, place);
    place.frame += part.size(kTime);
  });
}

}  // namespace qingyin
