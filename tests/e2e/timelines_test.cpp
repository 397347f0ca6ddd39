#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "audio_gen/vocabulary.h"
#include "cli/load_pipeline.h"
#include "core/dsp/audio_file.h"
#include "core/dsp/onset.h"
#include "tests/support/temporary_folder.h"

namespace qingyin::test {
namespace {

constexpr int kRateHz = 48000;
constexpr double kDuration = 6;

// The bundled engine, loaded once.
const Pipeline& pipeline() {
  static const Pipeline loaded = cli::load_pipeline({.models = {}}, cli::Stages::kEngine);
  return loaded;
}

// Classes that begin at a moment: what ends by itself, and what lasts.
std::vector<std::string> classes_with_onsets() {
  std::vector<std::string> names;
  for (const auto& known : sound_classes()) {
    if (known.shape != SoundShape::kTexture) names.emplace_back(known.name);
  }
  return names;
}

SoundEvent event_at(const std::string& label, double onset_s, double length_s, double intensity) {
  SoundEvent event;
  event.label = label;
  event.onset = Seconds(onset_s);
  event.offset = Seconds(std::min(onset_s + length_s, kDuration));
  event.intensity = intensity;
  return event;
}

// Some events of one class, far enough apart to be told from each other.
EventTimeline random_timeline(std::mt19937& random, const std::string& label) {
  const auto number = [&](double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random);
  };
  EventTimeline timeline;
  timeline.clip.duration = Seconds(kDuration);
  double onset_s = number(0.3, 1.0);
  while (onset_s < kDuration - 1) {
    SoundEvent event = event_at(label, onset_s, number(0.3, 0.6), number(0.3, 1));
    event.id = "e" + std::to_string(timeline.events.size() + 1);
    timeline.events.push_back(event);
    onset_s += number(1.8, 2.6);
  }
  return timeline;
}

std::vector<float> left_of(const std::filesystem::path& path) {
  const auto audio = read_audio_file(path);
  std::vector<float> mono;
  for (std::size_t n = 0; n < audio.samples.size(); n += 2) mono.push_back(audio.samples[n]);
  return mono;
}

std::span<const float> cut(const std::vector<float>& mono, double from_s, double to_s) {
  const auto first = static_cast<std::size_t>(std::max(0.0, from_s) * kRateHz);
  const auto last = std::min(mono.size(), static_cast<std::size_t>(to_s * kRateHz));
  return std::span(mono).subspan(first, last - first);
}

double level_dbfs_of(std::span<const float> mono) {
  double sum = 1e-20;
  for (const float sample : mono) sum += sample * sample;
  return 10 * std::log10(sum / static_cast<double>(std::max<std::size_t>(1, mono.size())));
}

// Where the sound of an event begins: the onset nearest to the wanted one. What swells has its
// steepest rise later than its beginning: there the first rise above silence counts.
double onset_error(const std::vector<float>& mono, double wanted_s) {
  const double from_s = wanted_s - 0.25;
  double best = 1;
  for (const auto found : find_onsets(cut(mono, from_s, wanted_s + 0.35), kRateHz)) {
    best = std::min(best, std::abs(from_s + found.count() - wanted_s));
  }
  constexpr double kSwells = 0.05;
  if (best < kSwells) return best;
  const auto start = sound_start(cut(mono, from_s, wanted_s + 0.15), kRateHz);
  return start ? std::abs(from_s + start->count() - wanted_s) : best;
}

struct Measured {
  std::vector<double> errors_s;
  double loudest_silence_dbfs = -200;
};

void measure(const EventTimeline& timeline, const TemporaryFolder& folder, Measured& to) {
  OutputRequest output;
  output.stems = folder / "stems";
  output.overwrite = Overwrite::kYes;
  pipeline().render(EventDocument(timeline), {}, {.threads = 2}, output);
  const auto mono = left_of(folder / "stems/mix.wav");
  for (const auto& event : timeline.events) {
    to.errors_s.push_back(onset_error(mono, event.onset.count()));
  }
  const double first_s = timeline.events.front().onset.count();
  to.loudest_silence_dbfs =
      std::max(to.loudest_silence_dbfs, level_dbfs_of(cut(mono, 0, first_s - 0.01)));
}

// 50 random timelines of one class each: the sound stands where the timeline says.
TEST(Timelines, SoundStandsOnItsOnsets) {
  std::mt19937 random(2026);
  const auto classes = classes_with_onsets();
  const TemporaryFolder folder;
  Measured measured;
  for (std::size_t k = 0; k < 50; ++k) {
    measure(random_timeline(random, classes[k % classes.size()]), folder, measured);
  }
  auto& errors = measured.errors_s;
  std::sort(errors.begin(), errors.end());
  ASSERT_GE(errors.size(), 100U);
  const double median_ms = 1000 * errors[errors.size() / 2];
  const double p95_ms = 1000 * errors[errors.size() * 95 / 100];
  RecordProperty("median_ms", std::to_string(median_ms));
  RecordProperty("p95_ms", std::to_string(p95_ms));
  std::printf("onsets of %zu events: median %.1f ms, 95th percentile %.1f ms; silence %.1f dBFS\n",
              errors.size(), median_ms, p95_ms, measured.loudest_silence_dbfs);
  EXPECT_LE(median_ms, 5);
  EXPECT_LE(p95_ms, 15);
  EXPECT_LT(measured.loudest_silence_dbfs, -50);
}

TEST(Timelines, HarderIsLouder) {
  const TemporaryFolder folder;
  for (const auto& label : classes_with_onsets()) {
    EventTimeline timeline;
    timeline.clip.duration = Seconds(kDuration);
    timeline.events = {event_at(label, 0.5, 0.5, 0.2), event_at(label, 3, 0.5, 0.9)};
    timeline.events[0].id = "soft";
    timeline.events[1].id = "hard";
    OutputRequest output;
    output.mix = folder / "mix.wav";
    output.overwrite = Overwrite::kYes;
    pipeline().render(EventDocument(timeline), {}, {.threads = 2}, output);
    const auto mono = left_of(folder / "mix.wav");
    EXPECT_GT(level_dbfs_of(cut(mono, 3, 3.5)), level_dbfs_of(cut(mono, 0.5, 1)) + 6) << label;
  }
}

}  // namespace
}  // namespace qingyin::test
