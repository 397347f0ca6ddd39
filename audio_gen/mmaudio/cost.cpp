#include "audio_gen/mmaudio/cost.h"

namespace qingyin::mmaudio {
namespace {

constexpr double kGiga = 1e9;

/// A convolution, or a linear layer with a kernel of 1.
double conv(std::int64_t times, std::int64_t in, std::int64_t out, std::int64_t kernel = 1) {
  return 2.0 * static_cast<double>(times * in) * static_cast<double>(out * kernel);
}

/// Layers of a flow network at one number of tokens.
struct FlowCost {
  const FlowConfig& c;

  double mlp(std::int64_t tokens, std::int64_t kernel) const {
    return 3 * conv(tokens, c.dim, mlp_hidden(c), kernel);
  }
  double attention(std::int64_t queries, std::int64_t keys) const {
    return 4.0 * static_cast<double>(queries * keys) * static_cast<double>(c.dim);
  }
  /// @param modulated  places at which the condition is evaluated
  double stream(std::int64_t tokens, std::int64_t modulated, std::int64_t kernel,
                bool has_second_half = true) const {
    const double first = conv(tokens, c.dim, 3 * c.dim);
    if (!has_second_half) return first + conv(modulated, c.dim, 2 * c.dim);
    return first + conv(modulated, c.dim, 6 * c.dim) + conv(tokens, c.dim, c.dim, kernel) +
           mlp(tokens, kernel);
  }
};

double vae_block(std::int64_t times, std::int64_t in, std::int64_t out) {
  return conv(times, in, out, 3) + conv(times, out, out, 3) +
         (in == out ? 0 : conv(times, in, out));
}

}  // namespace

double gflop_of_evaluation(const FlowConfig& c, const SequenceLengths& lengths) {
  const FlowCost cost{c};
  const std::int64_t n = lengths.latents, all = n + lengths.clip + c.text_tokens;
  double sum = conv(n, c.latents, c.dim, 7) + cost.mlp(n, 7) + cost.mlp(1, 1) +
               conv(n, c.dim, c.latents, 7) + conv(1, c.dim, 2 * c.dim);
  for (std::int64_t i = 1; i <= c.joint_blocks; ++i) {
    const bool is_last = i == c.joint_blocks;
    sum += cost.stream(n, n, 3) + cost.stream(lengths.clip, 1, 3, !is_last) +
           cost.stream(c.text_tokens, 1, 1, !is_last) + cost.attention(is_last ? n : all, all);
  }
  sum += static_cast<double>(c.fused_blocks) * (cost.stream(n, n, 3) + cost.attention(n, n));
  return sum / kGiga;
}

double gflop_of_decoder(const MelVaeConfig& c, std::int64_t latents) {
  const std::int64_t widest = c.multiples.back() * c.hidden;
  double sum = conv(latents, c.latents, widest, 3) + 2 * vae_block(latents, widest, widest) +
               conv(latents, widest, 4 * widest) +
               4.0 * static_cast<double>(latents * latents) * static_cast<double>(widest);
  std::int64_t times = latents, in = widest;
  for (std::size_t level = c.multiples.size(); level-- > 0;) {
    const std::int64_t out = c.multiples[level] * c.hidden;
    sum += vae_block(times, in, out) + static_cast<double>(c.blocks) * vae_block(times, out, out);
    in = out;
    if (level != 1) continue;
    times *= kMelFramesPerLatent;
    sum += conv(times, out, out, 3);
  }
  return (sum + conv(times, in, c.bands, 3)) / kGiga;
}

double gflop_of_vocoder(const BigVganConfig& c, std::int64_t frames) {
  double sum = conv(frames, c.bands, c.channels, 7);
  std::int64_t times = frames, channels = c.channels;
  for (std::size_t i = 0; i < c.upsample_rates.size(); ++i) {
    sum += conv(times, channels, channels / 2, c.upsample_kernels[i]);
    times *= c.upsample_rates[i];
    channels /= 2;
    for (std::size_t j = 0; j < c.block_kernels.size(); ++j)
      sum += 2 * static_cast<double>(c.block_dilations[j].size()) *
             conv(times, channels, channels, c.block_kernels[j]);
  }
  return (sum + conv(times, channels, 1, 7)) / kGiga;
}

}  // namespace qingyin::mmaudio
