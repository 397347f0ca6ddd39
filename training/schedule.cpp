#include "training/schedule.h"

#include <string>
#include <utility>

namespace qingyin::training {
namespace {

RunOptions course_options(const Schedule& schedule, const Course& course, const RunOptions& options,
                          const std::string& name) {
  RunOptions own = options;
  own.folder = options.folder / name;
  own.seed = schedule.seed + (name.ends_with("-2") ? 1 : name.ends_with("-3") ? 2 : 0);
  own.steps = course.steps;
  own.sounds = course.sounds;
  return own;
}

void collect(const std::filesystem::path& runs) {
  const auto weights = runs / "weights";
  std::filesystem::create_directories(weights);
  constexpr auto kReplace = std::filesystem::copy_options::overwrite_existing;
  std::filesystem::copy_file(runs / "latent/latent.safetensors", weights / "latent.safetensors",
                             kReplace);
  const std::pair<const char*, const char*> last_courses[]{
      {"vocoder", "vocoder"}, {"foley-3", "foley"}, {"detector", "detector"}};
  for (const auto& [course, name] : last_courses) {
    std::filesystem::copy_file(runs / course / "weights.safetensors",
                               weights / (std::string(name) + ".safetensors"), kReplace);
  }
}

}  // namespace

FoleyTraining further(FoleyTraining first, const std::filesystem::path& weights) {
  first.from = weights;
  first.rates.peak = 1e-3;
  first.rates.decay_from = 0.3;
  return first;
}

FoleyTraining focused(FoleyTraining first, const std::filesystem::path& weights) {
  first.from = weights;
  first.rates.peak = 7e-4;
  first.rates.decay_from = 0.3;
  first.repeats = {{"bell", 4}, {"blip", 4},  {"impact", 2}, {"footstep", 2},
                   {"drop", 2}, {"click", 2}, {"chirp", 2}};
  return first;
}

bool train_all(const Schedule& schedule, const RunOptions& options) {
  const auto of = [&](const Course& course, const char* name) {
    return course_options(schedule, course, options, name);
  };
  FoleyTraining flow = schedule.flow;
  flow.codec = options.folder / "latent/latent.safetensors";
  const FoleyTraining flow_2 = further(flow, options.folder / "foley/weights.safetensors");
  const FoleyTraining flow_3 = focused(flow, options.folder / "foley-2/weights.safetensors");
  const bool is_finished = train_latent(schedule.grain, of(schedule.latent, "latent")) &&
                           train_vocoder(schedule.voice, of(schedule.vocoder, "vocoder")) &&
                           train_foley(flow, of(schedule.foley, "foley")) &&
                           train_foley(flow_2, of(schedule.foley_further, "foley-2")) &&
                           train_foley(flow_3, of(schedule.foley_focus, "foley-3")) &&
                           train_detector(schedule.picture, of(schedule.detector, "detector"));
  if (is_finished) collect(options.folder);
  return is_finished;
}

}  // namespace qingyin::training
