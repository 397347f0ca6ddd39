#include "training/evaluation.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iomanip>
#include <sstream>

#include "audio_gen/audio_generator.h"
#include "audio_gen/bundled/networks.h"
#include "audio_gen/bundled/representation.h"
#include "audio_gen/vocabulary.h"
#include "core/dsp/onset.h"
#include "core/philox.h"
#include "training/judge.h"
#include "training/sound_pool.h"

namespace qingyin::training {
namespace {

constexpr std::size_t kSamples = bundled::kWindowTokens * bundled::kTokenSamples;

std::vector<float> first_window(std::vector<float> samples) {
  samples.resize(kSamples);
  return samples;
}

SoundEvent event_of(const SoundRecipe& recipe, bool is_texture) {
  SoundEvent event;
  event.id = "held-out";
  event.label = sound_classes()[static_cast<std::size_t>(recipe.class_id)].name;
  event.material = sound_materials()[static_cast<std::size_t>(recipe.material_id)];
  event.size = recipe.size;
  event.intensity = recipe.intensity;
  event.offset = Seconds(is_texture ? 2.0 : recipe.duration_s);
  event.seed = recipe.seed;
  for (std::size_t i = 0; i < recipe.level_curve.size(); i += 5) {
    event.envelope.push_back({Seconds(0.01 * static_cast<double>(i)), recipe.level_curve[i]});
  }
  return event;
}

/// Mean absolute change from frame to frame where it sounds, in nepers.
double change_of(std::span<const float> samples) {
  const auto mel = bundled::clamped_log_mel(samples);
  double sum = 0, count = 0;
  for (std::size_t i = bundled::kMelBands; i < mel.size(); ++i) {
    const float before = mel[i - bundled::kMelBands];
    if (std::max(mel[i], before) < bundled::kQuietestLogMel + 2) continue;
    sum += std::abs(mel[i] - before);
    ++count;
  }
  return count > 0 ? sum / count : 0;
}

double quantile(std::vector<double> values, double part) {
  if (values.empty()) return std::nan("");
  std::ranges::sort(values);
  const auto place = static_cast<std::size_t>(part * static_cast<double>(values.size() - 1) + 0.5);
  return values[place];
}

struct Heard {
  std::vector<std::vector<float>> made, taught;  // first windows at the nominal level
  std::vector<double> onset_errors_ms;
  double change_made = 0, change_taught = 0;
  double level_error_db = 0, seconds = 0;
};

void hear(const AudioGenerator& engine, const TrainingSound& teacher, Heard& heard) {
  using Clock = std::chrono::steady_clock;
  const SoundEvent event = event_of(teacher.recipe, teacher.is_texture);
  const auto began = Clock::now();
  EventSound sound = engine.render(event, {});
  heard.seconds += Seconds(Clock::now() - began).count();
  auto& samples = sound.audio.samples;
  const double level = bundled::dbfs_of(bundled::loudest_rms(samples));
  heard.level_error_db =
      std::max(heard.level_error_db, std::abs(level - level_dbfs(event.intensity)));
  const auto& info = sound_classes()[static_cast<std::size_t>(teacher.recipe.class_id)];
  const auto start = sound_start(samples, bundled::kSampleRate);
  if (info.shape == SoundShape::kOneShot && start) {
    heard.onset_errors_ms.push_back(std::abs((*start - sound.lead).count()) * 1000);
  }
  // A texture is judged from where it is fully on.
  if (teacher.is_texture) samples.erase(samples.begin(), samples.begin() + 2 * 1920);
  const double gain = bundled::amplitude_of(bundled::kNominalDbfs - level);
  for (float& x : samples) x = static_cast<float>(x * gain);
  heard.made.push_back(first_window(std::move(samples)));
  heard.taught.push_back(first_window(teacher.samples));
  heard.change_made += change_of(heard.made.back());
  heard.change_taught += change_of(heard.taught.back());
}

/// L1 between log-mels of sounds and of the same through the vocoder, at whole frames.
double vocoder_error(const bundled::Networks& networks, std::uint64_t seed, std::int64_t count) {
  double sum = 0;
  const std::int64_t side = networks.context_frames();
  for (std::int64_t i = 0; i < count; ++i) {
    const auto mel = bundled::clamped_log_mel(training_sound(seed, i, 1.6).samples);
    const auto again =
        bundled::clamped_log_mel(networks.vocode(mel, 0, static_cast<std::uint64_t>(i)));
    // The first and last two frames of what came out look past its ends.
    double error = 0, values = 0;
    const auto width = static_cast<std::size_t>(bundled::kMelBands);
    for (std::size_t k = 2 * width; k + 2 * width < again.size(); ++k) {
      error += std::abs(again[k] - mel[k + static_cast<std::size_t>(side) * width]);
      ++values;
    }
    sum += error / values;
  }
  return sum / static_cast<double>(count);
}

}  // namespace

Evaluation evaluate(const EvaluationSettings& settings) {
  const auto engine = make_bundled_engine(settings.weights);
  const bundled::Networks networks(settings.weights);
  const Judge judge(networks.codec(), {.seed = derive_seed(settings.seed, "judge"),
                                       .sounds = settings.judge_sounds,
                                       .steps = settings.judge_steps,
                                       .threads = settings.threads});
  const std::uint64_t unheard = derive_seed(settings.seed, "held out");
  const auto classes = static_cast<std::int64_t>(sound_classes().size());
  Evaluation result{};
  double seconds = 0;
  for (std::int64_t c = 0; c < classes; ++c) {
    Heard heard;
    for (std::int64_t k = 0; k < settings.per_class; ++k) {
      hear(*engine, training_sound(unheard, c + k * classes, 1.28), heard);
    }
    result.classes.push_back(
        {.name = std::string(sound_classes()[static_cast<std::size_t>(c)].name),
         .accuracy = judge.accuracy(heard.made, static_cast<int>(c)),
         .teacher_accuracy = judge.accuracy(heard.taught, static_cast<int>(c)),
         .onset_median_ms = quantile(heard.onset_errors_ms, 0.5),
         .onset_p95_ms = quantile(heard.onset_errors_ms, 0.95),
         .change_ratio = heard.change_made / heard.change_taught});
    result.level_error_db = std::max(result.level_error_db, heard.level_error_db);
    seconds += heard.seconds;
  }
  result.seconds_per_event = seconds / static_cast<double>(classes * settings.per_class);
  result.vocoder_log_mel_l1 = vocoder_error(networks, unheard, 10 * classes);
  return result;
}

std::string to_markdown(const Evaluation& evaluation) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(2);
  out << "| class | judged right | teacher judged right | onset error, median / p95 (ms) | "
         "frame-to-frame change over the teacher's |\n| --- | --- | --- | --- | --- |\n";
  double accuracy = 0, teacher = 0;
  for (const ClassFigures& c : evaluation.classes) {
    out << "| " << c.name << " | " << c.accuracy << " | " << c.teacher_accuracy << " | ";
    if (std::isfinite(c.onset_median_ms)) {
      out << c.onset_median_ms << " / " << c.onset_p95_ms;
    } else {
      out << "–";
    }
    out << " | " << c.change_ratio << " |\n";
    accuracy += c.accuracy;
    teacher += c.teacher_accuracy;
  }
  const auto count = static_cast<double>(evaluation.classes.size());
  out << "| **all** | **" << accuracy / count << "** | **" << teacher / count << "** | | |\n\n"
      << "Vocoder, log-mel L1 on held-out sounds: " << std::setprecision(3)
      << evaluation.vocoder_log_mel_l1
      << " nepers. Largest level error: " << evaluation.level_error_db << " dB. One event takes "
      << evaluation.seconds_per_event << " s on one thread.\n";
  return out.str();
}

}  // namespace qingyin::training
