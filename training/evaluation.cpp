#include "training/evaluation.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <span>

#include "audio_gen/audio_generator.h"
#include "audio_gen/bundled/networks.h"
#include "audio_gen/bundled/representation.h"
#include "audio_gen/vocabulary.h"
#include "core/dsp/loudness.h"
#include "core/dsp/onset.h"
#include "core/philox.h"
#include "training/figures.h"
#include "training/held_out.h"
#include "training/judge.h"
#include "training/pictures.h"
#include "training/sound_pool.h"

namespace qingyin::training {
namespace {

using Clock = std::chrono::steady_clock;
using Sounds = std::vector<std::vector<float>>;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
/// Times as many sounds as for the other figures: decay times vary most.
constexpr std::int64_t kDecays = 4;

const SoundClassInfo& info_of(const SoundRecipe& recipe) {
  return sound_classes()[static_cast<std::size_t>(recipe.class_id)];
}

/// What was made of one class, and the teacher's same recipes.
struct Heard {
  std::vector<TrainingSound> recipes;
  Sounds made, taught;  // first windows at the nominal level
  std::vector<double> onset_errors_ms, joins, elsewhere;
  std::vector<double> loudness_lufs;
  double change_made = 0, change_taught = 0;
  double level_error_db = 0, floor_dbfs = -200, seconds = 0;
};

/// Distance of two neighbouring pieces of 100 ms in level (units of 3 dB) and centroid (half
/// octaves).
double step_at(std::span<const float> samples, std::size_t place) {
  constexpr std::size_t kPiece = bundled::kSampleRate / 10;
  const Piece a = piece_of(samples.subspan(place - kPiece, kPiece));
  const Piece b = piece_of(samples.subspan(place, kPiece));
  return std::abs(a.level_db - b.level_db) / 3 + std::abs(a.centroid - b.centroid) / 0.5;
}

/// Joins of a stream: a window fades into the next over 24 frames, first from frame 104 on, then
/// every 72; 16 frames are not heard. The largest step of the fade counts, and elsewhere the
/// largest in as many frames.
void measure_joins(const AudioGenerator& engine, const SoundEvent& event, Heard& heard) {
  constexpr std::size_t kFrame = bundled::kHop, kNeeded = 10;  // frames on each side
  std::vector<float> samples(10 * bundled::kSampleRate);
  engine.open_stream(event, {})->read(samples);
  const auto largest = [&](std::size_t frame) {
    double step = 0;
    for (const std::size_t along : {0U, 8U, 16U, 24U})
      step = std::max(step, step_at(samples, (frame + along) * kFrame));
    return step;
  };
  for (std::size_t frame = 88; (frame + 36 + 24 + kNeeded) * kFrame < samples.size(); frame += 72) {
    heard.joins.push_back(largest(frame));
    heard.elsewhere.push_back(largest(frame + 36));
  }
}

void hear(const AudioGenerator& engine, TrainingSound teacher, Heard& heard) {
  const SoundEvent event = event_of(teacher);
  const auto began = Clock::now();
  EventSound sound = engine.render(event, {});
  heard.seconds += Seconds(Clock::now() - began).count();
  auto& samples = sound.audio.samples;
  LoudnessMeter meter(bundled::kSampleRate, 1);
  meter.add(samples);
  heard.loudness_lufs.push_back(meter.figures().max_momentary_lufs);
  const double level = bundled::dbfs_of(bundled::loudest_rms(samples));
  heard.level_error_db =
      std::max(heard.level_error_db, std::abs(level - level_dbfs(event.intensity)));
  const auto lead = static_cast<std::size_t>(bundled::kLeadSamples - 48);
  for (const float x : std::span(samples).first(lead)) {
    heard.floor_dbfs = std::max(heard.floor_dbfs, bundled::dbfs_of(std::abs(x)));
  }
  if (info_of(teacher.recipe).shape == SoundShape::kOneShot) {
    if (const auto start = sound_start(samples, bundled::kSampleRate))
      heard.onset_errors_ms.push_back(std::abs((*start - sound.lead).count()) * 1000);
  } else if (teacher.is_texture && heard.recipes.size() < 8) {
    measure_joins(engine, event, heard);
  }
  heard.made.push_back(training::heard(std::move(samples), teacher.is_texture));
  heard.taught.push_back(first_window(std::move(teacher.samples)));
  heard.change_made += frame_change(heard.made.back());
  heard.change_taught += frame_change(heard.taught.back());
  heard.recipes.push_back(std::move(teacher));
}

double share(const std::vector<int>& found, const std::vector<TrainingSound>& truth,
             int SoundRecipe::*id) {
  double right = 0;
  for (std::size_t i = 0; i < found.size(); ++i) right += found[i] == truth[i].recipe.*id ? 1 : 0;
  return right / static_cast<double>(found.size());
}

ClassFigures figures_of(const Heard& heard, const Hearing& made, const Hearing& taught) {
  const SoundClassInfo& info = info_of(heard.recipes.front().recipe);
  std::vector<double> wanted;
  for (const auto& sound : heard.recipes) wanted.push_back(sound.recipe.intensity);
  const auto material = [&](const Hearing& h) {
    if (!info.uses_material) return kNone;
    return share(h.material_id, heard.recipes, &SoundRecipe::material_id);
  };
  return {.name = std::string(info.name),
          .accuracy = share(made.class_id, heard.recipes, &SoundRecipe::class_id),
          .teacher_accuracy = share(taught.class_id, heard.recipes, &SoundRecipe::class_id),
          .material = material(made),
          .teacher_material = material(taught),
          .change_ratio = heard.change_made / heard.change_taught,
          .decay_ratio = kNone,
          .teacher_decay_ratio = kNone,
          .intensity = spearman(wanted, heard.loudness_lufs),
          .level_error_db = heard.level_error_db,
          .floor_dbfs = heard.floor_dbfs,
          .onset_median_ms = quantile(heard.onset_errors_ms, 0.5),
          .onset_p95_ms = quantile(heard.onset_errors_ms, 0.95),
          .joins = superiority(heard.joins, heard.elsewhere)};
}

/// Recipes that differ in nothing but the intensity, as the judge hears it at one level.
void sweep_intensity(const AudioGenerator& engine, const Judge& judge, std::uint64_t seed,
                     std::int64_t class_id, ClassFigures& figures) {
  constexpr std::int64_t kSweeps = 4;
  constexpr std::array kWanted{0.1, 0.3, 0.5, 0.7, 0.9};
  const auto classes = static_cast<std::int64_t>(sound_classes().size());
  for (std::int64_t k = 0; k < kSweeps; ++k) {
    SoundRecipe recipe = training_recipe(seed, class_id + k * classes);
    Sounds made, taught;
    for (const double wanted : kWanted) {
      recipe.intensity = wanted;
      const TrainingSound teacher = training_sound(recipe, 1.28);
      taught.push_back(first_window(teacher.samples));
      made.push_back(heard(engine.render(event_of(teacher), {}).audio.samples, teacher.is_texture));
    }
    figures.timbre += spearman(kWanted, judge.hear(made).intensity) / kSweeps;
    figures.teacher_timbre += spearman(kWanted, judge.hear(taught).intensity) / kSweeps;
  }
}

/// Smallest log-mel L1 between any two of the sounds.
double least_distance(const Sounds& sounds) {
  std::vector<at::Tensor> mels;
  for (const auto& s : sounds) mels.push_back(at::tensor(bundled::clamped_log_mel(s)));
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < mels.size(); ++i) {
    for (std::size_t k = i + 1; k < mels.size(); ++k) {
      least = std::min(least, (mels[i] - mels[k]).abs().mean().item<double>());
    }
  }
  return least;
}

/// The same event with twenty seeds, made and taught.
void compare_seeds(const AudioGenerator& engine, Evaluation& result) {
  SoundRecipe recipe = draw_recipe(0, 1);
  Sounds made, taught;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    recipe.seed = seed;
    const SoundEvent event = event_of(recipe, "impact", false);
    made.push_back(heard(engine.render(event, {}).audio.samples, false));
    taught.push_back(heard(synthesise(recipe, 0.04, 1.28).samples, false));
  }
  result.seed_distance = least_distance(made);
  result.teacher_seed_distance = least_distance(taught);
}

/// Two recipes, each as the teacher and then as the engine makes it.
void draw(const EvaluationSettings& settings, const std::string& name, const Heard& heard) {
  if (settings.images.empty()) return;
  Sounds row;
  for (std::size_t i = 0; i < std::min<std::size_t>(2, heard.made.size()); ++i) {
    row.push_back(heard.taught[i]);
    row.push_back(heard.made[i]);
  }
  std::filesystem::create_directories(settings.images);
  write_png(sounds_picture(row), settings.images / (name + ".png"));
}

struct Totals {
  std::vector<at::Tensor> made, taught;  // embeddings
  double seconds = 0;
};

/// Fréchet distances need more of the teacher than the events that were made.
void compare_distributions(const Judge& judge, const Totals& totals, std::uint64_t seed,
                           Evaluation& result) {
  const at::Tensor made = at::cat(totals.made), taught = at::cat(totals.taught);
  Sounds others;
  std::vector<at::Tensor> embeddings;
  for (std::int64_t i = 0; i < taught.size(0); ++i) {
    others.push_back(first_window(training_sound(seed, i, 1.28).samples));
    if (others.size() < 64 && i + 1 < taught.size(0)) continue;
    embeddings.push_back(judge.hear(others).embedding);
    others.clear();
  }
  const at::Tensor reference = at::cat(embeddings);
  result.frechet = frechet_distance(made, reference);
  result.teacher_frechet = frechet_distance(taught, reference);
}

}  // namespace

Evaluation evaluate(const EvaluationSettings& settings) {
  const auto engine = make_bundled_engine(settings.weights);
  const bundled::Networks networks(settings.weights);
  const Judge judge({.seed = derive_seed(settings.seed, "judge"),
                     .sounds = settings.judge_sounds,
                     .steps = settings.judge_steps,
                     .threads = settings.threads});
  const std::uint64_t unheard = derive_seed(settings.seed, "held out");
  const auto classes = static_cast<std::int64_t>(sound_classes().size());
  Evaluation result{};
  Totals totals;
  for (std::int64_t c = 0; c < classes; ++c) {
    Heard heard;
    const auto& info = sound_classes()[static_cast<std::size_t>(c)];
    for (std::int64_t k = 0; k < settings.per_class; ++k)
      hear(*engine, training_sound(unheard, c + k * classes, 1.28), heard);
    const Hearing made = judge.hear(heard.made), taught = judge.hear(heard.taught);
    result.classes.push_back(figures_of(heard, made, taught));
    if (info.shape == SoundShape::kOneShot) {
      const DecayRatio decay = compare_decays(*engine, unheard, c, kDecays * settings.per_class);
      result.classes.back().decay_ratio = decay.made;
      result.classes.back().teacher_decay_ratio = decay.teacher;
    }
    sweep_intensity(*engine, judge, derive_seed(settings.seed, "sweeps"), c, result.classes.back());
    totals.made.push_back(made.embedding);
    totals.taught.push_back(taught.embedding);
    totals.seconds += heard.seconds;
    draw(settings, result.classes.back().name, heard);
  }
  result.seconds_per_event = totals.seconds / static_cast<double>(classes * settings.per_class);
  compare_distributions(judge, totals, derive_seed(settings.seed, "reference"), result);
  compare_seeds(*engine, result);
  result.vocoder = compare_vocoders(networks, unheard, 10 * classes);
  return result;
}

}  // namespace qingyin::training
