#include "video_gen/memory_job.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/error.h"
#include "video_gen/transformer_block.h"

namespace qingyin {
namespace {

constexpr std::int64_t kConv = 27;  // taps of a 3 x 3 x 3 convolution
// What one clip's attention holds at its peak, in tensors of all its tokens: queries, keys, values
// and what is mixed, and two more that libtorch 2.13 takes meanwhile, as measured.
constexpr std::int64_t kAttentionTensors = 6;
// Of 16-bit types, how many of the largest weights oneDNN keeps in its own order, as measured.
constexpr std::int64_t kKeptWeights = 2;
// What the allocator keeps of small tensors, and bands of a frame that are worked on: as measured.
constexpr std::int64_t kScratchBytes = std::int64_t{16} << 20;
// The end of the transformer norms all tokens twice, each time into a tensor of its own.
constexpr std::int64_t kEndTensors = 2;

std::int64_t resnet_parameters(std::int64_t in, std::int64_t out, std::int64_t latent) {
  // A norm with latents has two convolutions of them beside its own gain and offset.
  const auto norm = [&](std::int64_t c) { return 2 * c + (latent > 0 ? 2 * (latent + 1) * c : 0); };
  const std::int64_t convs = kConv * out * (in + out) + 2 * out;
  return norm(in) + norm(out) + convs + (in == out ? 0 : in * out + out);
}

/// Levels of a VAE and its middle, without the first and the last convolution.
std::int64_t levels_parameters(std::vector<std::int64_t> widths, std::int64_t resnets,
                               std::int64_t latent, std::int64_t middle) {
  std::int64_t sum = 2 * resnet_parameters(middle, middle, latent);
  for (std::size_t i = 0; i < widths.size(); ++i) {
    const std::int64_t in = widths[i == 0 ? 0 : i - 1], out = widths[i];
    sum += resnet_parameters(in, out, latent) + (resnets - 1) * resnet_parameters(out, out, latent);
    if (i + 1 < widths.size()) sum += 9 * out * out + out;
  }
  return sum;
}

/// The whole picture, or the largest tile of it, in units of `side` pixels.
VaeExtent extent_of(const MemoryJob& job, std::int64_t frames, std::int64_t side, bool is_tiled) {
  const auto length = [&](std::int64_t whole, std::int64_t sample) {
    return (is_tiled ? std::min(whole, sample / 2) : whole) / side;
  };
  return {.frames = frames,
          .height = length(job.height, job.vae.sample_height),
          .width = length(job.width, job.vae.sample_width)};
}

/// Elements beside frames: of the widest convolution the weights of each frame, sums of them and a
/// copy in oneDNN's order.
std::int64_t turned_weights(const CogVaeConfig& config) {
  const std::int64_t widest = config.block_out_channels.back();
  return 6 * 9 * widest * widest;
}

/// Half of the VAE with its weights. A tile's answer is put together before it is handed on.
MemoryStage encode_stage(const MemoryJob& job, bool is_tiled) {
  const VaeExtent pixels = extent_of(job, job.encoded_frames, 1, is_tiled);
  return {.name = "encode",
          .weights_bytes = encoder_parameters_of(job.vae) * job.element_bytes,
          .working_bytes = encoder_working_bytes(job.vae, pixels, job.element_bytes) +
                           turned_weights(job.vae) * job.element_bytes + kScratchBytes};
}

MemoryStage decode_stage(const MemoryJob& job, bool is_tiled) {
  const std::int64_t side = job.vae.spatial_compression();
  const VaeExtent latents = extent_of(job, job.latent_frames, side, is_tiled);
  const std::int64_t pixels = latents.height * side * latents.width * side;
  const std::int64_t tile =
      is_tiled ? 2 * 3 * job.latent_frames * job.vae.temporal_compression_ratio * pixels : 0;
  return {.name = "decode",
          .weights_bytes = decoder_parameters_of(job.vae) * job.element_bytes,
          .working_bytes = decoder_working_bytes(job.vae, latents, job.element_bytes) +
                           (tile + turned_weights(job.vae)) * job.element_bytes + kScratchBytes};
}

MemoryStage text_stage(const MemoryJob& job, bool is_mapped) {
  const T5Config& t = job.text;
  const std::int64_t rows = job.text_rows;
  return {.name = "text",
          // Mapped weights are the system's to drop: what one layer uses counts.
          .weights_bytes = parameters_of(t) / (is_mapped ? t.num_layers : 1) * job.element_bytes,
          .working_bytes = job.element_bytes *
                           (rows * (4 * t.d_ff + 8 * t.d_model) + 3 * t.num_heads * rows * rows)};
}

/// What a run of the blocks holds beside weights, in elements: the tokens of all clips, one clip's
/// attention, or some rows' feed-forward part with a turned copy of its weights.
std::int64_t denoise_elements(const MemoryJob& job) {
  const CogTransformerConfig& t = job.transformer;
  const std::int64_t width = t.width(), tensor = tokens_of(job) * width;
  const std::int64_t rows = std::min(tokens_of(job), kFeedForwardRows);
  const std::int64_t turned = job.has_int8_blocks ? 2 : 1;  // with those that were 8 bits
  const std::int64_t attention = kAttentionTensors * tensor + turned * width * width,
                     feed_forward = 6 * rows * width + turned * 4 * width * width,
                     end = kEndTensors * job.batch * tensor;
  // A table of positions stays; a step that others reuse keeps what it began with.
  const std::int64_t tables = t.has_additive_positions() ? tensor : 0;
  const std::int64_t streams = (job.reuses_steps ? 2 : 1) * job.batch * tensor;
  const std::int64_t kept = job.element_bytes == 2 ? kKeptWeights * 4 * width * width : 0;
  return streams + tables + kept + std::max({attention, feed_forward, end});
}

/// A block whose large weights are in 8 bits with a float32 scale for each of nine times its width.
std::int64_t int8_block_bytes(const MemoryJob& job) {
  const CogTransformerConfig& t = job.transformer;
  const std::int64_t small = int8_parameters_of(t),
                     full = block_parameters_of(t) - modulation_parameters_of(t) - small;
  return small + 4 * 9 * t.width() + full * job.element_bytes;
}

/// A block as it is read, and the largest of its weights while it is rounded.
std::int64_t rounding_bytes(const MemoryJob& job) {
  const CogTransformerConfig& t = job.transformer;
  const std::int64_t largest = 4 * t.width() * t.width(), copies = job.element_bytes == 4 ? 1 : 2;
  return block_parameters_of(t) * job.element_bytes + copies * 4 * largest;
}

std::int64_t denoise_weights(const MemoryJob& job, bool is_streamed) {
  const CogTransformerConfig& t = job.transformer;
  const std::int64_t blocks = is_streamed ? 1 : t.num_layers, block = block_parameters_of(t);
  const std::int64_t rest = (parameters_of(t) - t.num_layers * block) * job.element_bytes;
  return rest + blocks * (job.has_int8_blocks ? int8_block_bytes(job) : block * job.element_bytes);
}

MemoryStage denoise_stage(const MemoryJob& job, bool is_streamed) {
  const CogTransformerConfig& t = job.transformer;
  // Blocks that are read one by one have what their norms do in each step kept for all steps.
  const bool has_tables = is_streamed || job.has_int8_blocks;
  const std::int64_t tables = has_tables ? job.steps * t.num_layers * 12 * t.width() : 0;
  MemoryStage stage{.name = "denoise",
                    .weights_bytes = denoise_weights(job, is_streamed),
                    .working_bytes = (denoise_elements(job) + tables) * job.element_bytes};
  if (job.has_int8_blocks) {
    const std::int64_t streams =
        is_streamed ? (job.reuses_steps ? 2 : 1) * job.batch * tokens_of(job) * t.width() : 0;
    const std::int64_t reading = (streams + tables) * job.element_bytes + rounding_bytes(job);
    stage.working_bytes = std::max(stage.working_bytes, reading);
  }
  if (job.preview.frames == 0) return stage;
  // While a preview is decoded the blocks are at rest.
  const std::int64_t preview = job.element_bytes * (decoder_parameters_of(job.vae) +
                                                    job.batch * tokens_of(job) * t.width()) +
                               decoder_working_bytes(job.vae, job.preview, job.element_bytes);
  stage.working_bytes = std::max(stage.working_bytes, preview);
  return stage;
}

}  // namespace

std::int64_t parameters_of(const T5Config& c) {
  const std::int64_t inner = c.num_heads * c.d_kv;
  const std::int64_t layer = 4 * c.d_model * inner + 3 * c.d_model * c.d_ff + 2 * c.d_model;
  return c.vocab_size * c.d_model + c.relative_attention_num_buckets * c.num_heads +
         c.num_layers * layer + c.d_model;
}

std::int64_t modulation_parameters_of(const CogTransformerConfig& c) {
  return 2 * 6 * c.width() * (c.time_embed_dim + 1);
}

std::int64_t int8_parameters_of(const CogTransformerConfig& c) {
  return 12 * c.width() * c.width();
}

std::int64_t block_parameters_of(const CogTransformerConfig& c) {
  const std::int64_t d = c.width();
  const std::int64_t attention = (c.attention_bias ? 4 : 1) * d + 4 * c.attention_head_dim;
  return int8_parameters_of(c) + modulation_parameters_of(c) + 2 * 2 * d + attention + 5 * d;
}

std::int64_t parameters_of(const CogTransformerConfig& c) {
  const std::int64_t d = c.width(), e = c.time_embed_dim, o = c.ofs_embed_dim;
  const std::int64_t cell = c.patch_size * c.patch_size * c.frames_per_token();
  std::int64_t sum = c.num_layers * block_parameters_of(c);
  sum += c.in_channels * cell * d + (c.patch_bias || c.patch_size_t != 0 ? d : 0);
  sum += (c.text_embed_dim + 1) * d + (d + 1) * e + (e + 1) * e + 2 * (o + 1) * o;
  sum += 2 * d + 2 * d * e + 2 * d + 2 * d + (d + 1) * c.out_channels * cell;
  if (!c.use_learned_positional_embeddings) return sum;
  const std::int64_t frames = (c.sample_frames - 1) / c.temporal_compression_ratio + 1;
  return sum + d * (c.max_text_seq_length +
                    frames * (c.sample_height / c.patch_size) * (c.sample_width / c.patch_size));
}

std::int64_t encoder_parameters_of(const CogVaeConfig& c) {
  const std::int64_t first = c.block_out_channels.front(), last = c.block_out_channels.back();
  return kConv * c.in_channels * first + first +
         levels_parameters(c.block_out_channels, c.layers_per_block, 0, last) + 2 * last +
         (kConv * last + 1) * 2 * c.latent_channels;
}

std::int64_t decoder_parameters_of(const CogVaeConfig& c) {
  const std::int64_t last = c.block_out_channels.back(), first = c.block_out_channels.front();
  const std::vector<std::int64_t> widths(c.block_out_channels.rbegin(),
                                         c.block_out_channels.rend());
  const std::int64_t z = c.latent_channels;
  return kConv * z * last + last + levels_parameters(widths, c.layers_per_block + 1, z, last) +
         2 * first + 2 * (z + 1) * first + (kConv * first + 1) * c.out_channels;
}

std::int64_t tokens_of(const MemoryJob& job) {
  const CogTransformerConfig& t = job.transformer;
  const std::int64_t side = t.patch_size * job.vae.spatial_compression();
  return job.text_rows +
         job.latent_frames / t.frames_per_token() * (job.height / side) * (job.width / side);
}

MemoryPlan memory_of(const MemoryJob& job, const MemoryWays& ways) {
  MemoryPlan plan{.maps_text = ways.maps_text,
                  .has_int8_blocks = job.has_int8_blocks,
                  .streams_transformer = ways.streams_transformer,
                  .tiles_vae = ways.tiles_vae};
  plan.stages.push_back(text_stage(job, ways.maps_text));
  if (job.encoded_frames > 0) plan.stages.push_back(encode_stage(job, ways.tiles_vae));
  plan.stages.push_back(denoise_stage(job, ways.streams_transformer));
  plan.stages.push_back(decode_stage(job, ways.tiles_vae));
  return plan;
}

MemoryPlan plan_memory(const MemoryJob& job, std::int64_t budget) {
  const auto fits = [&](const MemoryPlan& plan, const std::string& stage) {
    for (const MemoryStage& s : plan.stages)
      if (s.name == stage && s.bytes() > budget) return false;
    return true;
  };
  const MemoryPlan large = memory_of(job, {});
  if (budget == 0) return large;
  const MemoryPlan plan =
      memory_of(job, {.maps_text = job.has_mappable_text && !fits(large, "text"),
                      .streams_transformer = !fits(large, "denoise"),
                      .tiles_vae = !fits(large, "decode") || !fits(large, "encode")});
  require(plan.peak_bytes() <= budget, ErrorCode::kDevice,
          "this clip needs at least " + gigabytes(plan.peak_bytes()) + " of memory (" +
              plan.text() + "), and " + gigabytes(budget) +
              " are allowed; make it smaller or shorter, use bfloat16, or allow more");
  return plan;
}

}  // namespace qingyin
