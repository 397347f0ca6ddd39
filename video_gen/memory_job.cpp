#include "video_gen/memory_job.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/error.h"

namespace qingyin {
namespace {

constexpr std::int64_t kConv = 27;    // taps of a 3 x 3 x 3 convolution
constexpr std::int64_t kHistory = 2;  // frames that a causal convolution keeps

// Activations that a block of the transformer holds at its peak, in units of one tensor of all
// tokens: the residual stream, its norm, queries, keys and values with a rotated copy, and the
// mixed values; the hidden layer of the feed-forward part needs as many.
constexpr double kBlockTensors = 9.0;
// Temporary memory of convolutions and matrix products beside their arguments and results.
constexpr std::int64_t kScratchBytes = std::int64_t{400} << 20;

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

/// Picture sizes and lengths that one batch of frames goes through in the decoder or encoder.
struct VaeBatch {
  std::int64_t height, width, frames;  // pixels, and frames at full length
};

/// Bytes that one of the VAE's halves holds at its peak, beside its weights. The level next to the
/// pixels decides: its first block changes from `wide` to `narrow` channels.
std::int64_t vae_working_bytes(const CogVaeConfig& c, const VaeBatch& batch, std::int64_t element,
                               bool is_decoder) {
  const std::int64_t narrow = c.block_out_channels[0];
  const std::int64_t wide = is_decoder ? c.block_out_channels[1] : narrow;
  const std::int64_t pixels = batch.height * batch.width;
  const std::int64_t resnets = c.layers_per_block + (is_decoder ? 1 : 0);
  // Input, shortcut (the input itself where widths agree), and a convolution's input and result.
  const std::int64_t working = pixels * batch.frames * (wide + 2 * narrow);
  // Every causal convolution keeps its last frames; each level further in has a quarter of the
  // pixels, and at most twice the channels.
  std::int64_t kept = pixels * kHistory * (wide + narrow * (2 * resnets - 1) + narrow);
  std::int64_t area = pixels;
  for (std::size_t i = 1; i < c.block_out_channels.size(); ++i) {
    area /= 4;
    kept += area * kHistory * c.block_out_channels[i] * 2 * resnets;
  }
  return (working + kept) * element + std::min(kScratchBytes, working * element);
}

VaeBatch whole_or_tile(const MemoryJob& job, std::int64_t frames, bool is_tiled) {
  const std::int64_t tile_height = job.vae.sample_height / 2, tile_width = job.vae.sample_width / 2;
  return {.height = is_tiled ? std::min(job.height, tile_height) : job.height,
          .width = is_tiled ? std::min(job.width, tile_width) : job.width,
          .frames = frames};
}

/// Frames of the largest batch of the decoder: an odd number of latent frames has one of three.
std::int64_t decoder_batch_frames(const MemoryJob& job) {
  const std::int64_t time = job.vae.temporal_compression_ratio;
  if (job.latent_frames == 1) return 1;
  return job.latent_frames % 2 == 0 ? 2 * time : 2 * time + 1;
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

MemoryStage denoise_stage(const MemoryJob& job, bool is_streamed) {
  const CogTransformerConfig& t = job.transformer;
  const std::int64_t all = parameters_of(t), block = block_parameters_of(t);
  const std::int64_t weights = is_streamed ? all - (t.num_layers - 1) * block : all;
  const double tensor =
      static_cast<double>(job.batch * tokens_of(job) * t.width() * job.element_bytes);
  // Streamed, what the norms do in each step is kept for all steps.
  const std::int64_t tables = is_streamed ? job.steps * t.num_layers * 12 * t.width() : 0;
  return {.name = "denoise",
          .weights_bytes = weights * job.element_bytes,
          .working_bytes =
              static_cast<std::int64_t>(kBlockTensors * tensor) + tables * job.element_bytes};
}

}  // namespace

std::int64_t parameters_of(const T5Config& c) {
  const std::int64_t inner = c.num_heads * c.d_kv;
  const std::int64_t layer = 4 * c.d_model * inner + 3 * c.d_model * c.d_ff + 2 * c.d_model;
  return c.vocab_size * c.d_model + c.relative_attention_num_buckets * c.num_heads +
         c.num_layers * layer + c.d_model;
}

std::int64_t block_parameters_of(const CogTransformerConfig& c) {
  const std::int64_t d = c.width(), e = c.time_embed_dim;
  const std::int64_t norm = 6 * d * e + 6 * d + 2 * d;
  const std::int64_t attention =
      4 * d * d + (c.attention_bias ? 4 : 1) * d + 4 * c.attention_head_dim;
  return 2 * norm + attention + 8 * d * d + 5 * d;
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

double transformer_tera_flop(const MemoryJob& job) {
  const CogTransformerConfig& t = job.transformer;
  const auto tokens = static_cast<double>(tokens_of(job));
  const auto d = static_cast<double>(t.width());
  const double linear = 2 * tokens * 12 * d * d, attention = 4 * tokens * tokens * d;
  return static_cast<double>(t.num_layers) * (linear + attention) * 1e-12;
}

MemoryPlan memory_of(const MemoryJob& job, const MemoryWays& ways) {
  MemoryPlan plan{.maps_text = ways.maps_text,
                  .streams_transformer = ways.streams_transformer,
                  .tiles_vae = ways.tiles_vae};
  plan.stages.push_back(text_stage(job, ways.maps_text));
  if (job.encoded_frames > 0) {
    const VaeBatch batch =
        whole_or_tile(job, std::min<std::int64_t>(job.encoded_frames, 9), ways.tiles_vae);
    plan.stages.push_back(
        {.name = "encode",
         .weights_bytes = encoder_parameters_of(job.vae) * job.element_bytes,
         .working_bytes = vae_working_bytes(job.vae, batch, job.element_bytes, false)});
  }
  plan.stages.push_back(denoise_stage(job, ways.streams_transformer));
  const VaeBatch batch = whole_or_tile(job, decoder_batch_frames(job), ways.tiles_vae);
  plan.stages.push_back(
      {.name = "decode",
       .weights_bytes = decoder_parameters_of(job.vae) * job.element_bytes,
       .working_bytes = vae_working_bytes(job.vae, batch, job.element_bytes, true)});
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
