#include "video_gen/job_work.h"

#include <vector>

namespace qingyin {
namespace {

constexpr double kTera = 1e-12;
constexpr int kMidResnets = 2;

/// A batch of frames at one level of the VAE.
struct Level {
  std::int64_t frames, height, width;

  double of_conv(std::int64_t in, std::int64_t out, std::int64_t taps) const {
    return 2.0 * static_cast<double>(taps * in * out) *
           static_cast<double>(frames * height * width);
  }
  double of_resnet(std::int64_t in, std::int64_t out) const {
    return of_conv(in, out, 27) + of_conv(out, out, 27) + (in == out ? 0 : of_conv(in, out, 1));
  }
};

}  // namespace

double text_tera_flop(const MemoryJob& job) {
  const T5Config& t = job.text;
  const std::int64_t inner = t.num_heads * t.d_kv;
  const auto rows = static_cast<double>(job.text_rows);
  const auto weights = static_cast<double>(4 * t.d_model * inner + 3 * t.d_model * t.d_ff);
  return kTera * static_cast<double>(t.num_layers) *
         (2 * rows * weights + 4 * rows * rows * static_cast<double>(inner));
}

double transformer_tera_flop(const MemoryJob& job) {
  const CogTransformerConfig& t = job.transformer;
  const auto tokens = static_cast<double>(tokens_of(job));
  const auto d = static_cast<double>(t.width());
  const double linear = 2 * tokens * 12 * d * d, attention = 4 * tokens * tokens * d;
  return static_cast<double>(t.num_layers) * (linear + attention) * kTera;
}

double encoder_tera_flop(const CogVaeConfig& c, std::int64_t frames, std::int64_t height,
                         std::int64_t width) {
  const auto& widths = c.block_out_channels;
  Level level{.frames = frames, .height = height, .width = width};
  double sum = level.of_conv(c.in_channels, widths.front(), 27);
  for (std::size_t i = 0; i < widths.size(); ++i) {
    sum += level.of_resnet(widths[i == 0 ? 0 : i - 1], widths[i]) +
           static_cast<double>(c.layers_per_block - 1) * level.of_resnet(widths[i], widths[i]);
    if (i + 1 == widths.size()) break;
    if (static_cast<std::int64_t>(i) < c.temporal_levels() && level.frames > 1)
      level.frames = (level.frames + 1) / 2;
    level.height /= 2;
    level.width /= 2;
    sum += level.of_conv(widths[i], widths[i], 9);
  }
  const std::int64_t last = widths.back();
  return kTera * (sum + kMidResnets * level.of_resnet(last, last) +
                  level.of_conv(last, 2 * c.latent_channels, 27));
}

double decoder_tera_flop(const CogVaeConfig& c, std::int64_t frames, std::int64_t height,
                         std::int64_t width) {
  const std::vector<std::int64_t> widths(c.block_out_channels.rbegin(),
                                         c.block_out_channels.rend());
  Level level{.frames = frames, .height = height, .width = width};
  double sum = level.of_conv(c.latent_channels, widths.front(), 27) +
               kMidResnets * level.of_resnet(widths.front(), widths.front());
  for (std::size_t i = 0; i < widths.size(); ++i) {
    sum += level.of_resnet(widths[i == 0 ? 0 : i - 1], widths[i]) +
           static_cast<double>(c.layers_per_block) * level.of_resnet(widths[i], widths[i]);
    if (i + 1 == widths.size()) break;
    level.height *= 2;
    level.width *= 2;
    sum += level.of_conv(widths[i], widths[i], 9);
    if (static_cast<std::int64_t>(i) < c.temporal_levels() && level.frames > 1)
      level.frames = 2 * level.frames - level.frames % 2;
  }
  return kTera * (sum + level.of_conv(widths.back(), c.out_channels, 27));
}

}  // namespace qingyin
