#include "cli/mmaudio_drift.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <tuple>
#include <utility>

#include "audio_gen/mmaudio/latent_track.h"
#include "audio_gen/mmaudio/window_plan.h"
#include "core/error.h"
#include "core/media/frame_reader.h"
#include "core/philox.h"
#include "core/text.h"
#include "understanding/frame_picking.h"
#include "understanding/visual_encoder.h"

namespace qingyin::cli {
namespace {

constexpr std::uint64_t kSeed = 1, kOtherSeed = 2;
constexpr const char* kPrompt = "waves on a stony beach, gulls";

/// The first pictures that a network sees of a clip; the last frame stands still past its end.
std::vector<PreparedPicture> pictures_of(const std::filesystem::path& clip, double rate_hz,
                                         std::int64_t count,
                                         PreparedPicture (*prepare)(const RgbView&)) {
  const auto reader = open_frames(clip);
  FramePicker picker(rate_hz, Ticks::kExact);
  std::vector<PreparedPicture> pictures;
  while (std::ssize(pictures) < count) {
    const auto frame = reader->next();
    if (!frame) break;
    const std::int64_t ticks = picker.answer(frame->time.count());
    if (ticks == 0) continue;
    const auto picture = prepare({frame->height, frame->width, frame->pixels});
    for (std::int64_t i = 0; i < ticks; ++i) pictures.push_back(picture);
  }
  require(!pictures.empty(), ErrorCode::kInvalidInput,
          printable(clip) + ": no picture can be decoded");
  const PreparedPicture last = pictures.back();
  pictures.resize(static_cast<std::size_t>(count), last);
  return pictures;
}

double dot(std::span<const float> a, std::span<const float> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

double cosine(std::span<const float> a, std::span<const float> b) {
  return dot(a, b) / std::sqrt(dot(a, a) * dot(b, b));
}

std::span<const float> row_of(const FeatureTensor& rows, std::int64_t i) {
  const auto width = static_cast<std::size_t>(rows.shape.back());
  return std::span(rows.values).subspan(static_cast<std::size_t>(i) * width, width);
}

/// Rows less the mean row of `reference`.
FeatureTensor centred(FeatureTensor rows, const FeatureTensor& reference) {
  const std::int64_t width = reference.shape.back();
  std::vector<double> mean(static_cast<std::size_t>(width));
  for (std::size_t i = 0; i < reference.values.size(); ++i)
    mean[i % mean.size()] += reference.values[i];
  const auto count = static_cast<double>(reference.values.size() / mean.size());
  for (std::size_t i = 0; i < rows.values.size(); ++i)
    rows.values[i] -= static_cast<float>(mean[i % mean.size()] / count);
  return rows;
}

std::pair<double, double> least_and_mean_cosine(const FeatureTensor& a, const FeatureTensor& b) {
  double least = 1, sum = 0;
  for (std::int64_t i = 0; i < a.shape.front(); ++i) {
    const double each = cosine(row_of(a, i), row_of(b, i));
    least = std::min(least, each);
    sum += each;
  }
  return {least, sum / static_cast<double>(a.shape.front())};
}

RowDrift row_drift(const std::string& name, const FeatureTensor& full, const FeatureTensor& half) {
  const std::int64_t rows = full.shape.front();
  RowDrift drift{.name = name,
                 .rows = rows,
                 .least_cosine = 0,
                 .mean_cosine = 0,
                 .least_telling_cosine = 0,
                 .mean_telling_cosine = 0,
                 .neighbours_cosine = 0};
  std::tie(drift.least_cosine, drift.mean_cosine) = least_and_mean_cosine(full, half);
  std::tie(drift.least_telling_cosine, drift.mean_telling_cosine) =
      least_and_mean_cosine(centred(full, full), centred(half, full));
  for (std::int64_t i = 0; i + 1 < rows; ++i)
    drift.neighbours_cosine +=
        cosine(row_of(full, i), row_of(full, i + 1)) / static_cast<double>(rows - 1);
  return drift;
}

double mean_absolute(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(static_cast<double>(a[i]) - b[i]);
  return sum / static_cast<double>(a.size());
}

/// What the encoders make of the window.
struct Seen {
  FeatureTensor clip, sync, text;
};

/// A window's latents and log-mel spectrogram.
struct Sound {
  std::vector<float> latents, mel;
};

class DriftMeter {
 public:
  DriftMeter(const BenchRequest& request, const MmaudioModel& model, const Progress& progress)
      : request_(request),
        model_(model),
        progress_(progress),
        window_(
            mmaudio::plan_windows(model_.sound.sound, Seconds(std::min(8.0, request.seconds)), {})
                .windows.front()) {
    use_threads(request.threads);
  }

  MmaudioDrift run(const std::filesystem::path& clip) {
    see(clip);
    const Sound full = sound(full_, "float32", kSeed);
    const double spread = spread_of(full.mel);
    const auto enter = [&](const std::string& name, const Sound& other) {
      const std::vector<float> nothing(full.latents.size());
      drift_.mels.push_back(
          {name, mean_absolute(full.mel, other.mel) * log_unit(),
           mean_absolute(full.mel, other.mel) / spread,
           rms_between(full.latents, other.latents) / rms_between(full.latents, nothing)});
    };
    enter("flow network in bfloat16", sound(full_, "bfloat16", kSeed));
    enter("all in bfloat16", sound(half_, "bfloat16", kSeed));
    enter("float32, another seed", sound(full_, "float32", kOtherSeed));
    return std::move(drift_);
  }

 private:
  /// The spectrograms of 16 kHz are decimal logarithms.
  double log_unit() const { return model_.sound.sound.is_log10 ? std::log(10.0) : 1; }

  static double spread_of(const std::vector<float>& mel) {
    const double mean =
        std::accumulate(mel.begin(), mel.end(), 0.0) / static_cast<double>(mel.size());
    const std::vector<float> level(mel.size(), static_cast<float>(mean));
    return mean_absolute(mel, level);
  }

  static double rms_between(const std::vector<float>& a, const std::vector<float>& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += std::pow(static_cast<double>(a[i]) - b[i], 2);
    return std::sqrt(sum / static_cast<double>(a.size()));
  }

  /// Runs one part in both types.
  template <class Encode>
  void see_part(const std::string& name, MmaudioVisualParts parts, double done,
                FeatureTensor Seen::*place, Encode encode) {
    const auto made = [&](const std::string& dtype, double fraction) {
      const std::string step = name + " in " + dtype;
      report(progress_, step, fraction);
      const Progress watch = [&](std::string_view, double) {
        return !progress_ || progress_(step, fraction);
      };
      return encode(bench_encoder(request_, model_, parts, dtype), watch);
    };
    full_.*place = made("float32", done);
    half_.*place = made("bfloat16", done + 0.1);
    drift_.rows.push_back(row_drift(name, full_.*place, half_.*place));
  }

  void see(const std::filesystem::path& clip) {
    const auto pictures =
        pictures_of(clip, kClipPicturesHz, window_.pictures, prepare_clip_picture);
    const auto frames = pictures_of(clip, kSyncFramesHz,
                                    kSyncSegmentFrames + kSyncSegmentStep * (window_.segments - 1),
                                    prepare_sync_picture);
    see_part("clip", {.pictures = true}, 0, &Seen::clip,
             [&](const MmaudioVisualEncoder& eyes, const Progress& watch) {
               return eyes.of_pictures(pictures, watch);
             });
    see_part("synchformer", {.motion = true}, 0.4, &Seen::sync,
             [&](const MmaudioVisualEncoder& eyes, const Progress& watch) {
               return eyes.of_frames(frames, watch);
             });
    if (!model_.files.empty() || !request_.vocabulary.empty())
      return see_part("text", {.text = true}, 0.5, &Seen::text,
                      [&](const MmaudioVisualEncoder& eyes, const Progress&) {
                        return eyes.of_prompt(kPrompt);
                      });
    const mmaudio::FlowConfig& flow = model_.sound.flow;
    full_.text.values.resize(static_cast<std::size_t>(flow.text_tokens * flow.text_size));
    Philox(kSeed, 0).normal(full_.text.values);
    for (float& value : full_.text.values) value /= std::sqrt(static_cast<float>(flow.text_size));
    half_.text = full_.text;
  }

  Sound sound(const Seen& seen, const std::string& dtype, std::uint64_t seed) const {
    report(progress_, "sampling in " + dtype, 0.7);
    const auto networks = bench_networks(request_, model_, dtype);
    const auto conditions = networks->prepare({.clip = seen.clip.values,
                                               .sync = seen.sync.values,
                                               .text = seen.text.values,
                                               .negative_text = {}},
                                              window_.latents);
    const auto noise = mmaudio::noise_of_seed(seed, model_.sound.sound.latents)(0, window_.latents);
    Sound made;
    const auto watch = [&](std::int64_t, std::span<float>) {
      return !progress_ || progress_("sampling in " + dtype, 0.7);
    };
    made.latents = networks->sample(noise, conditions, {.steps = request_.steps}, watch);
    networks->release(mmaudio::Stage::kFlow);
    made.mel = networks->to_mel(made.latents);
    return made;
  }

  const BenchRequest& request_;
  const MmaudioModel& model_;
  const Progress& progress_;
  mmaudio::Window window_;
  Seen full_, half_;
  MmaudioDrift drift_;
};

}  // namespace

MmaudioDrift measure_drift(const BenchRequest& request, const MmaudioModel& model,
                           const std::filesystem::path& clip, const Progress& progress) {
  return DriftMeter(request, model, progress).run(clip);
}

}  // namespace qingyin::cli
