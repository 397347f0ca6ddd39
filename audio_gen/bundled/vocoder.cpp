#include "audio_gen/bundled/vocoder.h"

#include <ATen/ATen.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

#include <algorithm>
#include <cmath>

#include "audio_gen/bundled/representation.h"
#include "audio_gen/bundled/weight_facts.h"
#include "core/dsp/mel.h"
#include "core/error.h"
#include "models/layers/conv_next.h"
#include "models/layers/fast_cpu.h"

namespace qingyin {
namespace nn = torch::nn;
namespace {

constexpr std::int64_t kSize = 1920, kHop = 480, kBins = kSize / 2 + 1;
/// Sum of the squared Hann windows that overlap at one sample.
constexpr double kOverlap = 1.5;
/// How far beyond the found error a correction goes, and its limits in nepers.
constexpr double kCorrection = 1.5, kMostCut = -6, kMostBoost = 3;
/// Frames on each side that share samples with a frame.
constexpr std::int64_t kNeighbours = 3;
/// Log magnitude past full scale in every bin: keeps exp() finite.
constexpr double kLoudest = 9;
/// Of the noise's bins none is so small.
constexpr double kTiny = 1e-6;

struct Interpolation {
  at::Tensor band_below, share;  // [bins]
};

/// Each band's log magnitude lives at its centre; bins between two centres mix both linearly.
Interpolation interpolation(const at::Tensor& filters) {
  const at::Tensor bins = at::arange(kBins, at::kFloat);
  const at::Tensor centres = (filters * bins).sum(1) / filters.sum(1);  // [M]
  Interpolation result{at::zeros({kBins}, at::kLong), at::zeros({kBins})};
  auto below = result.band_below.accessor<std::int64_t, 1>();
  auto share = result.share.accessor<float, 1>();
  const auto centre = centres.accessor<float, 1>();
  for (std::int64_t b = 0, m = 0; b < kBins; ++b) {
    while (m + 2 < filters.size(0) && centre[m + 1] < static_cast<float>(b)) ++m;
    const float along = (static_cast<float>(b) - centre[m]) / (centre[m + 1] - centre[m]);
    below[b] = m;
    share[b] = std::clamp(along, 0.0F, 1.0F);
  }
  return result;
}

at::Tensor filters_of_bundled_mel() {
  const MelConfig mel = bundled_mel();
  const auto filters = mel_filterbank(mel);
  return at::tensor(filters).view({mel.bands, -1});
}

/// While it lives, autocast is off: in 8 bits, sums over bins lose the mel.
using FullPrecision = c10::impl::ExcludeDispatchKeyGuard;

/// [B, (T + 3) * hop] -> [B, T, size], frame t from sample t * hop on.
at::Tensor framed(const at::Tensor& signal) { return signal.unfold(1, kSize, kHop); }

/// The adjoint of `framed`: adds frames [B, T, size] where they overlap.
at::Tensor overlap_add(const at::Tensor& frames) {
  const std::int64_t batch = frames.size(0), count = frames.size(1), parts = kSize / kHop;
  const at::Tensor pieces = frames.view({batch, count, parts, kHop});
  at::Tensor sum;
  for (std::int64_t p = 0; p < parts; ++p) {
    const at::Tensor moved =
        at::constant_pad_nd(pieces.select(2, p), {0, 0, p, parts - 1 - p});  // [B, T + 3, hop]
    sum = p == 0 ? moved : sum + moved;
  }
  return sum.reshape({batch, -1});
}

}  // namespace

VocoderConfig bundled_vocoder() { return {}; }

namespace {

/// Fields that the metadata names; the others follow from the mel.
const std::vector<std::pair<std::string, std::int64_t VocoderConfig::*>>& fields() {
  static const std::vector<std::pair<std::string, std::int64_t VocoderConfig::*>> all{
      {"noise_channels", &VocoderConfig::noise_channels},
      {"dim", &VocoderConfig::dim},
      {"hidden", &VocoderConfig::hidden},
      {"blocks", &VocoderConfig::blocks},
      {"kernel", &VocoderConfig::kernel},
      {"consistency_steps", &VocoderConfig::consistency_steps}};
  return all;
}

}  // namespace

std::map<std::string, std::string> to_metadata(const VocoderConfig& config) {
  std::map<std::string, std::string> result;
  for (const auto& [name, field] : fields()) result[name] = std::to_string(config.*field);
  return result;
}

VocoderConfig vocoder_of(const std::map<std::string, std::string>& metadata,
                         const std::string& file) {
  VocoderConfig config = bundled_vocoder();
  for (const auto& [name, field] : fields()) {
    config.*field = bundled::metadata_number(metadata, name, file);
  }
  const auto found = problems(config);
  require(found.empty(), ErrorCode::kBadCheckpoint,
          file + ": " + (found.empty() ? "" : found.front()));
  return config;
}

std::vector<std::string> problems(const VocoderConfig& c) {
  std::vector<std::string> found;
  if (c.mel_bands != bundled_mel().bands) found.push_back("mel_bands is not the mel's");
  if (c.noise_channels < 0) found.push_back("noise_channels must not be negative");
  if (c.dim < 1 || c.hidden < 1) found.push_back("dim and hidden must be at least 1");
  if (c.blocks < 1) found.push_back("blocks must be at least 1");
  if (c.consistency_steps < 0) found.push_back("consistency_steps must not be negative");
  if (c.kernel < 1 || c.kernel % 2 == 0) found.push_back("kernel must be odd");
  return found;
}

VocoderImpl::VocoderImpl(const VocoderConfig& c)
    : config_(c),
      window_(at::hann_window(kSize)),
      input(register_module("input", nn::Linear(3 * (c.mel_bands + c.noise_channels), c.dim))),
      input_norm(register_module("input_norm", nn::LayerNorm(nn::LayerNormOptions({c.dim})))),
      blocks(register_module("blocks", nn::ModuleList())),
      norm(register_module("norm", nn::LayerNorm(nn::LayerNormOptions({c.dim})))),
      output(register_module("output", nn::Linear(c.dim, 3 * kBins))) {
  const auto found = problems(c);
  require(found.empty(), ErrorCode::kInternal, "vocoder: " + (found.empty() ? "" : found.front()));
  const at::Tensor filters = filters_of_bundled_mel();
  const Interpolation bins = interpolation(filters);
  filters_ = filters.t().contiguous();
  band_below_ = bins.band_below;
  share_ = bins.share;
  band_gain_ = filters.sum(1).clamp_min(0.3).log();
  for (std::int64_t b = 0; b < c.blocks; ++b) {
    blocks->push_back(ConvNext(c.dim, c.hidden, c.kernel, 1.0 / static_cast<double>(c.blocks)));
  }
}

std::int64_t VocoderImpl::context_frames() const {
  return 1 + config_.blocks * ((config_.kernel - 1) / 2) + kNeighbours * config_.consistency_steps;
}

at::Tensor VocoderImpl::spectrum(const at::Tensor& log_mel, const at::Tensor& detail,
                                 const at::Tensor& white_spectrum) {
  const std::int64_t frames = log_mel.size(1);
  // Log magnitudes of effects lie around 0 with a spread of about 3.
  at::Tensor x = at::cat({log_mel / 3, detail}, 2);
  x = at::constant_pad_nd(x, {0, 0, 1, 1});
  x = at::cat({x.narrow(1, 0, frames), x.narrow(1, 1, frames), x.narrow(1, 2, frames)}, 2);
  x = input_norm(affine(x, input));
  for (const auto& block : *blocks) x = block->as<ConvNextImpl>()->forward(x);
  const auto parts = affine(norm(x), output).to(at::kFloat).chunk(3, 2);  // three of [B, T, bins]
  const auto device = log_mel.device();
  const at::Tensor base = to_bins(log_mel.to(at::kFloat) - band_gain_.to(device));
  const at::Tensor tonal = (base + parts[0]).clamp_max(kLoudest).exp();
  const at::Tensor noise = (base + parts[2]).clamp_max(kLoudest).exp();
  return at::polar(tonal, parts[1]) +
         noise * (white_spectrum / white_spectrum.abs().clamp_min(kTiny));
}

/// [B, T, M] -> [B, T, bins]. No matrix product, which autocast would round to 8 bits.
at::Tensor VocoderImpl::to_bins(const at::Tensor& bands) {
  const at::Tensor below = band_below_.to(bands.device());
  return at::lerp(bands.index_select(2, below), bands.index_select(2, below + 1),
                  share_.to(bands.device()));
}

at::Tensor VocoderImpl::corrected(const at::Tensor& spectrum, const at::Tensor& log_mel) {
  const FullPrecision full(c10::autocast_dispatch_keyset);
  const at::Tensor window = window_.to(log_mel.device());
  const at::Tensor sound = overlap_add(at::fft_irfft(spectrum, kSize) * (window / kOverlap));
  const at::Tensor again = at::fft_rfft(framed(sound) * window);
  const double floor = std::exp(double{bundled::kQuietestLogMel});
  const at::Tensor found =
      at::matmul(again.abs(), filters_.to(log_mel.device())).clamp_min(floor).log();
  const at::Tensor error = log_mel.to(at::kFloat).clamp_min(bundled::kQuietestLogMel) - found;
  return again * (to_bins(error) * kCorrection).clamp(kMostCut, kMostBoost).exp();
}

at::Tensor VocoderImpl::forward(const at::Tensor& log_mel, const at::Tensor& detail,
                                const at::Tensor& white) {
  const at::Tensor window = window_.to(log_mel.device());
  const at::Tensor white_spectrum =
      at::fft_rfft(framed(white) * window).slice(1, 0, log_mel.size(1));
  at::Tensor result = spectrum(log_mel, detail, white_spectrum);
  for (std::int64_t k = 0; k < config_.consistency_steps; ++k) result = corrected(result, log_mel);
  return overlap_add(at::fft_irfft(result, kSize) * (window / kOverlap));
}

}  // namespace qingyin
