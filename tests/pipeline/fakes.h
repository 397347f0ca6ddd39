#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "audio_gen/audio_generator.h"
#include "audio_gen/vocabulary.h"
#include "core/error.h"
#include "core/philox.h"
#include "understanding/understanding.h"

namespace qingyin::test {

/// A bed of noise from a seed.
class FakeStream : public SoundStream {
 public:
  explicit FakeStream(std::uint64_t seed) : noise_(seed, 1) {}

  void read(std::span<float> mono) override {
    noise_.normal(mono, position_);
    for (float& sample : mono) sample *= 0.02F;
    position_ += mono.size();
  }

 private:
  Philox noise_;
  std::uint64_t position_ = 0;
};

/// An engine whose sounds follow from label, seed and intensity: a burst of noise that decays, or
/// steady noise from onset to offset. It knows the vocabulary's own class names and no others; the
/// attack stands 20 ms after the sound's begin. Some events take longer, to mix up threads.
class FakeGenerator : public AudioGenerator {
 public:
  EngineInfo info() const override { return {"fake", 48000, {{"fake", "sha256:0"}}}; }

  std::optional<LabelMatch> match(const SoundEvent& event) const override {
    const auto id = class_id(event.label);
    if (!id) return {};
    const auto& known = sound_classes()[static_cast<std::size_t>(*id)];
    return LabelMatch{std::string(known.name), event.material, known.shape != SoundShape::kOneShot,
                      true};
  }

  int rendered() const { return rendered_; }

 private:
  static constexpr int kRateHz = 48000;
  static constexpr int kLead = kRateHz / 50;

  EventSound do_render(const SoundEvent& event, const RenderSettings& settings,
                       const Progress& progress) const override {
    report(progress, "fake", 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(event.seed % 7));
    ++rendered_;
    const auto found = match(event);
    require(found.has_value(), ErrorCode::kInvalidInput, "fake: unknown label");
    const double length_s = found->is_sustained ? (event.offset - event.onset).count() : 0.3;
    std::vector<float> mono(static_cast<std::size_t>(kLead + length_s * kRateHz));
    Philox(event.seed, static_cast<std::uint64_t>(settings.steps))
        .normal(std::span(mono).subspan(kLead));
    const double level = std::pow(10, level_dbfs(event.intensity) / 20);
    for (std::size_t n = kLead; n < mono.size(); ++n) {
      const double t = static_cast<double>(n - kLead) / kRateHz;
      const double decay = found->is_sustained ? 1 : std::exp(-t / 0.05);
      mono[n] = static_cast<float>(std::clamp(mono[n], -2.5F, 2.5F) * level * decay);
    }
    return {{std::move(mono), kRateHz, 1}, Seconds(static_cast<double>(kLead) / kRateHz)};
  }

  std::unique_ptr<SoundStream> do_open_stream(const SoundEvent& like,
                                              const RenderSettings&) const override {
    return std::make_unique<FakeStream>(like.seed);
  }

  mutable std::atomic<int> rendered_{0};
};

/// A detector that finds a strike every 0.7 s, and reads every frame for it.
class FakeUnderstanding : public Understanding {
 public:
  FrameRequest request() const override { return {FrameRate{10, 1}, 32, FrameColor::kGrey, 1}; }

 private:
  EventTimeline do_describe(FrameReader& frames, const Progress& progress) const override {
    while (const auto frame = frames.next()) report(progress, "frames", 0.5);
    EventTimeline timeline;
    timeline.clip.duration = frames.clip().duration;
    for (int k = 1; Seconds(0.7 * k) + Seconds(0.1) < frames.clip().duration; ++k) {
      SoundEvent event;
      event.id = "e" + std::to_string(k);
      event.label = "impact";
      event.onset = Seconds(0.7 * k);
      event.offset = event.onset + Seconds(0.1);
      event.source = "motion";
      event.confidence = 0.8;
      timeline.events.push_back(event);
    }
    return timeline;
  }
};

}  // namespace qingyin::test
