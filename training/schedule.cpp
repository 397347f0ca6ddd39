#include "training/schedule.h"

#include <string>

namespace qingyin::training {
namespace {

RunOptions course_options(const Schedule& schedule, const Course& course, const RunOptions& options,
                          const std::string& name) {
  RunOptions own = options;
  own.folder = options.folder / name;
  own.seed = schedule.seed;
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
  for (const std::string name : {"vocoder", "foley", "detector"}) {
    std::filesystem::copy_file(runs / name / "weights.safetensors",
                               weights / (name + ".safetensors"), kReplace);
  }
}

}  // namespace

bool train_all(const Schedule& schedule, const RunOptions& options) {
  const auto of = [&](const Course& course, const char* name) {
    return course_options(schedule, course, options, name);
  };
  FoleyTraining flow = schedule.flow;
  flow.codec = options.folder / "latent/latent.safetensors";
  const bool is_finished = train_latent(schedule.grain, of(schedule.latent, "latent")) &&
                           train_vocoder(schedule.voice, of(schedule.vocoder, "vocoder")) &&
                           train_foley(flow, of(schedule.foley, "foley")) &&
                           train_detector(schedule.picture, of(schedule.detector, "detector"));
  if (is_finished) collect(options.folder);
  return is_finished;
}

}  // namespace qingyin::training
