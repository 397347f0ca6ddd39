#include "video_gen/vae_memory.h"

#include <algorithm>
#include <vector>

namespace qingyin {
namespace {

constexpr std::int64_t kHistory = 2;  // frames that a causal convolution keeps
constexpr std::int64_t kEncoderBatch = 8, kDecoderBatch = 2;
constexpr int kMidResnets = 2;

/// One batch of frames on its way, in elements.
class BatchWalk {
 public:
  /// @param kept          by the convolutions, from the batch before; 0: the first batch
  /// @param latent_cells  places of the latents that the norms are made from; 0: without latents
  BatchWalk(std::int64_t frames, std::int64_t pixels, std::int64_t kept, std::int64_t latent_cells)
      : frames_(frames),
        stored_(frames),
        pixels_(pixels),
        latent_cells_(latent_cells),
        kept_(kept),
        is_first_(kept == 0) {}

  std::int64_t peak() const { return peak_; }
  std::int64_t kept() const { return kept_; }

  /// A causal convolution of all frames.
  void conv(std::int64_t in, std::int64_t out) {
    keep(in);
    note(frames_ * std::max(in, out) * pixels_ + 2 * out * pixels_);
    stored_ = frames_;
  }

  void resnet(std::int64_t in, std::int64_t out) {
    const std::int64_t wide = in * pixels_, narrow = out * pixels_;
    keep(in);
    // A norm's factors, a frame that is normed, and the one that it came from.
    const std::int64_t factors = 2 * in * latent_cells_;
    note(stored_ * wide + 2 * factors);
    note(stored_ * wide + wide + narrow + factors);
    const std::int64_t after = in == out ? stored_ * wide : frames_ * narrow;
    note(after + frames_ * narrow + (in == out ? 1 : 2) * wide + factors);
    keep(out);
    note(after + frames_ * narrow + 2 * narrow + 2 * out * latent_cells_);
    stored_ = frames_;
  }

  /// The frames' sides doubled; they are twice as many then, in one memory by pairs.
  void up(std::int64_t width, bool is_doubled) {
    pixels_ *= 4;
    note((frames_ + 1) * width * pixels_);
    stored_ = frames_;
    if (is_doubled && frames_ > 1) frames_ = 2 * frames_ - frames_ % 2;
  }

  /// The frames' sides halved, and perhaps their number.
  void down(std::int64_t width, bool is_halved) {
    note(stored_ * width * pixels_ + 2 * width * pixels_);
    pixels_ /= 4;
    if (is_halved && frames_ > 1) frames_ = (frames_ + 1) / 2;
    stored_ = frames_;
  }

  /// The last norm and convolution, and what becomes of them.
  void end(std::int64_t in, std::int64_t out) {
    keep(in);
    note(frames_ * in * pixels_ + 2 * in * pixels_ + 2 * in * latent_cells_);
    note(2 * frames_ * out * pixels_);
  }

 private:
  void keep(std::int64_t channels) {
    if (is_first_) kept_ += kHistory * channels * pixels_;
  }
  void note(std::int64_t live) { peak_ = std::max(peak_, kept_ + live); }

  std::int64_t frames_, stored_;  // and how many of them have memory of their own
  std::int64_t pixels_, latent_cells_, kept_, peak_ = 0;
  bool is_first_;
};

bool scales_time(const CogVaeConfig& c, std::size_t level) {
  return static_cast<std::int64_t>(level) < c.temporal_levels();
}

BatchWalk decoder_batch(const CogVaeConfig& c, const VaeExtent& e, std::int64_t frames,
                        std::int64_t kept) {
  const std::vector<std::int64_t> widths(c.block_out_channels.rbegin(),
                                         c.block_out_channels.rend());
  BatchWalk walk(frames, e.height * e.width, kept, frames * e.height * e.width);
  walk.conv(c.latent_channels, widths.front());
  for (int i = 0; i < kMidResnets; ++i) walk.resnet(widths.front(), widths.front());
  for (std::size_t i = 0; i < widths.size(); ++i) {
    walk.resnet(widths[i == 0 ? 0 : i - 1], widths[i]);
    for (std::int64_t k = 0; k < c.layers_per_block; ++k) walk.resnet(widths[i], widths[i]);
    if (i + 1 < widths.size()) walk.up(widths[i], scales_time(c, i));
  }
  walk.end(widths.back(), c.out_channels);
  return walk;
}

BatchWalk encoder_batch(const CogVaeConfig& c, const VaeExtent& e, std::int64_t frames,
                        std::int64_t kept) {
  const auto& widths = c.block_out_channels;
  BatchWalk walk(frames, e.height * e.width, kept, 0);
  walk.conv(c.in_channels, widths.front());
  for (std::size_t i = 0; i < widths.size(); ++i) {
    walk.resnet(widths[i == 0 ? 0 : i - 1], widths[i]);
    for (std::int64_t k = 1; k < c.layers_per_block; ++k) walk.resnet(widths[i], widths[i]);
    if (i + 1 < widths.size()) walk.down(widths[i], scales_time(c, i));
  }
  for (int i = 0; i < kMidResnets; ++i) walk.resnet(widths.back(), widths.back());
  walk.end(widths.back(), 2 * c.latent_channels);
  return walk;
}

/// The larger of the first batch, which is the longest, and one after it.
template <class Walk>
std::int64_t peak_of(std::int64_t frames, std::int64_t batch, const Walk& walk_of) {
  const std::int64_t longest = frames < batch ? frames : batch + frames % batch;
  const BatchWalk first = walk_of(longest, 0);
  if (frames < 2 * batch) return first.peak();
  return std::max(first.peak(), walk_of(batch, first.kept()).peak());
}

}  // namespace

std::int64_t encoder_working_bytes(const CogVaeConfig& config, const VaeExtent& pixels,
                                   std::int64_t element_bytes) {
  return element_bytes *
         peak_of(pixels.frames, kEncoderBatch, [&](std::int64_t frames, std::int64_t kept) {
           return encoder_batch(config, pixels, frames, kept);
         });
}

std::int64_t decoder_working_bytes(const CogVaeConfig& config, const VaeExtent& latents,
                                   std::int64_t element_bytes) {
  return element_bytes *
         peak_of(latents.frames, kDecoderBatch, [&](std::int64_t frames, std::int64_t kept) {
           return decoder_batch(config, latents, frames, kept);
         });
}

}  // namespace qingyin
