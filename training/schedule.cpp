#include "training/schedule.h"

#include <string>
#include <utility>

namespace qingyin::training {
namespace {

RunOptions options_of(const Schedule& schedule, const Course& course, const RunOptions& options,
                      const std::string& folder) {
  RunOptions own = options;
  own.folder = options.folder / folder;
  own.seed = schedule.seed + course.seed;
  own.steps = course.steps;
  own.sounds = course.sounds;
  return own;
}

std::string folder_of(const std::string& name, std::size_t number) {
  return number == 0 ? name : name + "-" + std::to_string(number + 1);
}

/// All courses of one network, each from the weights of the one before.
/// @return false if stopped
template <typename Training>
bool take_courses(const Schedule& schedule, const std::vector<Course>& courses,
                  const Training& first, bool train(const Training&, const RunOptions&),
                  const RunOptions& options, const std::string& name) {
  std::filesystem::path weights;
  for (std::size_t i = 0; i < courses.size(); ++i) {
    const std::string folder = folder_of(name, i);
    if (!train(course_of(first, i, weights), options_of(schedule, courses[i], options, folder)))
      return false;
    weights = options.folder / folder / "weights.safetensors";
  }
  return true;
}

void collect(const Schedule& schedule, const std::filesystem::path& runs) {
  const auto weights = runs / "weights";
  std::filesystem::create_directories(weights);
  constexpr auto kReplace = std::filesystem::copy_options::overwrite_existing;
  std::filesystem::copy_file(runs / "latent/latent.safetensors", weights / "latent.safetensors",
                             kReplace);
  const std::pair<const char*, std::size_t> networks[]{
      {"vocoder", schedule.vocoder.size()}, {"foley", schedule.foley.size()}, {"detector", 1}};
  for (const auto& [name, courses] : networks) {
    std::filesystem::copy_file(runs / folder_of(name, courses - 1) / "weights.safetensors",
                               weights / (std::string(name) + ".safetensors"), kReplace);
  }
}

}  // namespace

VocoderTraining course_of(VocoderTraining first, std::size_t number,
                          const std::filesystem::path& weights) {
  if (number == 0) return first;
  first.from = weights;
  first.rates.peak = 8e-4;
  return first;
}

FoleyTraining course_of(FoleyTraining first, std::size_t number,
                        const std::filesystem::path& weights) {
  if (number == 0) return first;
  first.from = weights;
  first.rates.peak = number == 1 ? 1e-3 : 7e-4;
  first.rates.decay_from = 0.3;
  if (number == 1) return first;
  first.repeats = {{"bell", 4}, {"blip", 4},  {"impact", 2}, {"footstep", 2},
                   {"drop", 2}, {"click", 2}, {"chirp", 2}};
  return first;
}

bool train_all(const Schedule& schedule, const RunOptions& options) {
  FoleyTraining flow = schedule.flow;
  flow.codec = options.folder / "latent/latent.safetensors";
  const bool is_finished =
      train_latent(schedule.grain, options_of(schedule, schedule.latent, options, "latent")) &&
      take_courses(schedule, schedule.vocoder, schedule.voice, train_vocoder, options, "vocoder") &&
      take_courses(schedule, schedule.foley, flow, train_foley, options, "foley") &&
      train_detector(schedule.picture,
                     options_of(schedule, schedule.detector, options, "detector"));
  if (is_finished) collect(schedule, options.folder);
  return is_finished;
}

}  // namespace qingyin::training
