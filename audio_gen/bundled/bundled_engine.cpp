#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "audio_gen/audio_generator.h"
#include "audio_gen/bundled/bed_stream.h"
#include "audio_gen/bundled/networks.h"
#include "audio_gen/bundled/representation.h"
#include "audio_gen/bundled/sound_plan.h"
#include "audio_gen/lexicon.h"
#include "core/error.h"

namespace qingyin {
namespace bundled {
namespace {

constexpr std::int64_t kMillisecond = kSampleRate / 1000;
/// Windows of a sound that ends by itself: up to 4.16 s.
constexpr int kMostWindows = 4;
/// A tail that far below the loudest frame is over.
constexpr double kTailDb = -60;
/// How long what lasts may ring after its offset, and the fade at the end of that.
constexpr double kRingSeconds = 0.5;
constexpr std::int64_t kRelease = 200 * kMillisecond, kTextureRelease = 120 * kMillisecond;
constexpr std::int64_t kTextureAttack = 15 * kMillisecond;

/// Rises from 0 at `from` to 1 at `to` as half a cosine.
double rise(std::int64_t at, std::int64_t from, std::int64_t to) {
  if (at <= from) return 0;
  if (at >= to) return 1;
  const double u = static_cast<double>(at - from) / static_cast<double>(to - from);
  return 0.5 - 0.5 * std::cos(std::numbers::pi * u);
}

/// Loudness of frames [F, M] as a sum of mel magnitudes.
double loudest_frame(std::span<const float> frames) {
  double best = 0;
  for (std::size_t f = 0; f + kMelBands <= frames.size(); f += kMelBands) {
    double sum = 0;
    for (const float v : frames.subspan(f, kMelBands)) sum += std::exp(static_cast<double>(v));
    best = std::max(best, sum);
  }
  return best;
}

/// Frames of silence on both sides, so that the whole sound is complete.
std::vector<float> padded(std::vector<float> frames, std::int64_t side) {
  const auto count = static_cast<std::size_t>(side * kMelBands);
  frames.insert(frames.begin(), count, kQuietestLogMel);
  frames.insert(frames.end(), count, kQuietestLogMel);
  return frames;
}

std::int64_t samples_of(double seconds) { return std::llround(seconds * kSampleRate); }

void apply(std::vector<float>& samples, const std::vector<float>& curve) {
  if (curve.empty()) return;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double place = (static_cast<double>(i) - kLeadSamples) / kHop;
    const double last = static_cast<double>(curve.size() - 1);
    const double at = std::clamp(place, 0.0, last);
    const auto k = static_cast<std::size_t>(at);
    const float next = curve[std::min(k + 1, curve.size() - 1)];
    samples[i] *= std::lerp(curve[k], next, static_cast<float>(at - std::floor(at)));
  }
}

class BundledEngine : public AudioGenerator {
 public:
  BundledEngine(const std::filesystem::path& folder, const std::vector<AdapterChoice>& adapters)
      : networks_(folder, adapters), classes_(networks_.classes(), networks_.new_classes()) {}

  EngineInfo info() const override {
    return {.name = "bundled",
            .sample_rate_hz = kSampleRate,
            .models = networks_.hashes(),
            .licences = networks_.licences()};
  }

  std::optional<LabelMatch> match(const SoundEvent& event) const override {
    const auto plan = plan_of(event, classes_);
    if (!plan) return std::nullopt;
    const SoundClassInfo own = classes_.info(plan->class_id);
    const auto material = static_cast<std::size_t>(plan->material_id);
    return LabelMatch{
        .label = std::string(own.name),
        .material = material == 0 ? std::string() : std::string(sound_materials()[material]),
        .is_sustained = plan->is_texture || plan->is_sustained,
        .is_exact = plan->is_exact,
        .is_texture = plan->is_texture,
        .lane = std::string(own.lane)};
  }

 private:
  EventSound do_render(const SoundEvent& event, const RenderSettings& settings,
                       const Progress& progress) const override {
    const SoundPlan plan = need_plan(event);
    require(plan.duration_s <= longest_event().count() || !(plan.is_texture || plan.is_sustained),
            ErrorCode::kInvalidInput,
            "sound: event " + event.id + " lasts longer than 10 s; open a stream for it");
    const auto frames = frames_of(plan, settings, progress);
    auto samples = networks_.vocode(padded(frames, networks_.context_frames()),
                                    -networks_.context_frames(), plan.seed);
    finish(plan, samples);
    EventSound sound;
    sound.lead = Seconds(static_cast<double>(kLeadSamples) / kSampleRate);
    sound.audio.samples = std::move(samples);
    return sound;
  }

  std::unique_ptr<SoundStream> do_open_stream(const SoundEvent& like,
                                              const RenderSettings& settings) const override {
    return open_bed(networks_, need_plan(like), settings, amplitude_of(level_dbfs(0.5)));
  }

  SoundPlan need_plan(const SoundEvent& event) const {
    if (auto plan = plan_of(event, classes_)) return *std::move(plan);
    std::string near;
    for (const auto name : nearest_classes(event.label)) near += " " + std::string(name);
    std::string all;
    for (const auto& info : sound_classes()) all += " " + std::string(info.name);
    for (const auto& own : classes_.adapted()) all += " " + own.name;
    throw Error(ErrorCode::kInvalidInput,
                "sound: nothing in \"" + event.label + "\" is known to the bundled engine" +
                    (near.empty() ? "; it makes:" + all : "; near it are:" + near),
                "unknown_label");
  }

  /// All frames of the sound, the onset at frame 4.
  std::vector<float> frames_of(const SoundPlan& plan, const RenderSettings& settings,
                               const Progress& progress) const {
    LatentSequence sequence(networks_, plan, settings);
    const bool lasts = plan.is_texture || plan.is_sustained;
    const std::int64_t lead = kLeadSamples / kHop;
    const std::int64_t wanted =
        lead + std::llround((plan.duration_s + kRingSeconds) * kSampleRate / kHop);
    std::vector<float> frames;
    // A texture knows no beginning: its lead is silence of ours.
    if (plan.is_texture) frames.assign(static_cast<std::size_t>(lead * kMelBands), kQuietestLogMel);
    for (int window = 0;; ++window) {
      const auto known = static_cast<std::int64_t>(frames.size()) / kMelBands;
      if (lasts ? known >= wanted : window == kMostWindows) break;
      report(progress, "sound", lasts ? std::min(1.0, double(known) / double(wanted)) : 0);
      const auto next = sequence.next_frames();
      frames.insert(frames.end(), next.begin(), next.end());
      const auto end = std::span(frames).last(static_cast<std::size_t>(4 * kMelBands));
      const bool is_over = loudest_frame(end) < amplitude_of(kTailDb) * loudest_frame(frames);
      if (!lasts && is_over) break;
    }
    const auto most = static_cast<std::size_t>(wanted * kMelBands);
    if (lasts && frames.size() > most) frames.resize(most);
    return frames;
  }

  /// Exact silence before the attack and after the end, and the level that was asked for.
  static void finish(const SoundPlan& plan, std::vector<float>& samples) {
    const auto length = static_cast<std::int64_t>(samples.size());
    std::int64_t end = length, release = 20 * kMillisecond;
    if (plan.is_texture) {
      apply(samples, plan.level_curve);
      release = kTextureRelease;
      end = std::min(length, kLeadSamples + samples_of(plan.duration_s) + release / 2);
    } else if (plan.is_sustained) {
      release = kRelease;
      end = std::min(length, kLeadSamples + samples_of(plan.duration_s) + 2 * release);
    }
    // The vocoder's windows smear an attack forwards: what comes before it is cut.
    const std::int64_t attack = plan.is_texture ? kTextureAttack : kMillisecond;
    const std::int64_t from = kLeadSamples - (plan.is_texture ? 0 : kMillisecond / 2);
    for (std::int64_t i = 0; i < length; ++i) {
      const double gain = rise(i, from, from + attack) * (1 - rise(i, end - release, end - 1));
      samples[static_cast<std::size_t>(i)] *= static_cast<float>(gain);
    }
    samples.resize(static_cast<std::size_t>(end));
    const double now = loudest_rms(samples);
    if (now <= 0) return;
    const double gain = amplitude_of(level_dbfs(plan.intensity)) / now;
    for (float& x : samples) x = static_cast<float>(x * gain);
  }

  Networks networks_;
  ClassList classes_;
};

}  // namespace
}  // namespace bundled

std::unique_ptr<AudioGenerator> make_bundled_engine(const std::filesystem::path& folder,
                                                    const std::vector<AdapterChoice>& adapters) {
  return std::make_unique<bundled::BundledEngine>(folder, adapters);
}

}  // namespace qingyin
