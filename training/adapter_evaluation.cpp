#include "training/adapter_evaluation.h"

#include <algorithm>
#include <cstdio>

#include "audio_gen/audio_generator.h"
#include "audio_gen/bundled/representation.h"
#include "audio_gen/vocabulary.h"
#include "core/philox.h"
#include "training/figures.h"
#include "training/held_out.h"
#include "training/judge.h"
#include "training/squeak.h"

namespace qingyin::training {
namespace {

using Sounds = std::vector<std::vector<float>>;

constexpr double kSeconds = 1.28;

double change_of(const Sounds& sounds) {
  double sum = 0;
  for (const auto& s : sounds) sum += frame_change(s);
  return sum / static_cast<double>(sounds.size());
}

double share_of(const Hearing& hearing, int class_id) {
  const auto right = std::count(hearing.class_id.begin(), hearing.class_id.end(), class_id);
  return static_cast<double>(right) / static_cast<double>(hearing.class_id.size());
}

struct Engines {
  const AudioGenerator &before, &after;
};

/// One class's events, made by both engines.
AdapterFigures::Class compare(const Engines& engines, const Judge& judge, const std::string& name,
                              int class_id, std::vector<TrainingSound> sounds,
                              AdapterFigures* traits = nullptr) {
  AdapterFigures::Class figures{.name = name, .events = std::ssize(sounds)};
  Sounds before, after, taught;
  std::vector<double> wanted;
  for (TrainingSound& sound : sounds) {
    const SoundEvent event = event_of(sound.recipe, name, sound.is_texture);
    auto plain = engines.before.render(event, {}).audio.samples;
    auto adapted = engines.after.render(event, {}).audio.samples;
    figures.same += plain == adapted ? 1 : 0;
    before.push_back(heard(std::move(plain), sound.is_texture));
    after.push_back(heard(std::move(adapted), sound.is_texture));
    taught.push_back(first_window(std::move(sound.samples)));
    wanted.push_back(sound.recipe.intensity);
  }
  const Hearing plain = judge.hear(before), adapted = judge.hear(after), truth = judge.hear(taught);
  figures.before = share_of(plain, class_id);
  figures.after = share_of(adapted, class_id);
  figures.teacher = share_of(truth, class_id);
  figures.change_before = change_of(before) / change_of(taught);
  figures.change_after = change_of(after) / change_of(taught);
  if (traits != nullptr) {
    traits->intensity = spearman(wanted, adapted.intensity);
    traits->teacher_intensity = spearman(wanted, truth.intensity);
  }
  return figures;
}

std::string row_of(const AdapterFigures::Class& c) {
  char text[200];
  std::snprintf(text, sizeof text, "| %s | %.2f | %.2f | %.2f | %.2f | %.2f | %lld of %lld |\n",
                c.name.c_str(), c.before, c.after, c.teacher, c.change_before, c.change_after,
                static_cast<long long>(c.same), static_cast<long long>(c.events));
  return text;
}

}  // namespace

AdapterFigures evaluate_adapter(const AdapterEvaluation& settings) {
  const auto plain = make_bundled_engine(settings.weights);
  const auto adapted = make_bundled_engine(settings.weights, {{settings.adapter, 1}});
  const Engines engines{*plain, *adapted};
  const Judge judge({.seed = derive_seed(settings.seed, "judge"),
                     .sounds = settings.judge_sounds,
                     .steps = settings.judge_steps,
                     .threads = settings.threads,
                     .extra = squeak_sound});
  const std::uint64_t unheard = derive_seed(settings.seed, "held out");
  const auto classes = static_cast<std::int64_t>(sound_classes().size());
  AdapterFigures result;
  for (std::int64_t c = 0; c < classes; ++c) {
    std::vector<TrainingSound> sounds;
    for (std::int64_t k = 0; k < settings.per_class; ++k) {
      sounds.push_back(training_sound(unheard, c + k * classes, kSeconds));
    }
    const std::string name(sound_classes()[static_cast<std::size_t>(c)].name);
    result.classes.push_back(compare(engines, judge, name, static_cast<int>(c), std::move(sounds)));
  }
  std::vector<TrainingSound> squeaks;
  for (std::int64_t k = 0; k < settings.squeaks; ++k) {
    squeaks.push_back(squeak_sound(unheard, k, kSeconds));
  }
  result.squeak =
      compare(engines, judge, "squeak", static_cast<int>(classes), std::move(squeaks), &result);
  return result;
}

std::string to_markdown(const AdapterFigures& figures) {
  std::string text =
      "| class | heard as it without | with the adapter | teacher | change without | with | same "
      "samples |\n| --- | --- | --- | --- | --- | --- | --- |\n";
  text += row_of(figures.squeak);
  AdapterFigures::Class mean{.name = "**mean of the others**"};
  const auto count = static_cast<double>(figures.classes.size());
  for (const auto& c : figures.classes) {
    text += row_of(c);
    mean.before += c.before / count;
    mean.after += c.after / count;
    mean.teacher += c.teacher / count;
    mean.change_before += c.change_before / count;
    mean.change_after += c.change_after / count;
    mean.same += c.same;
    mean.events += c.events;
  }
  text += row_of(mean);
  char line[160];
  std::snprintf(
      line, sizeof line,
      "\nIntensity of squeaks, Spearman of what was wanted and heard: %.2f (teacher %.2f)\n",
      figures.intensity, figures.teacher_intensity);
  return text + line;
}

}  // namespace qingyin::training
