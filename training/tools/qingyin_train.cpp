#include <ATen/Parallel.h>

#include <csignal>
#include <exception>
#include <iostream>

#include "core/error.h"
#include "training/adapter_evaluation.h"
#include "training/detector_evaluation.h"
#include "training/evaluation.h"
#include "training/schedule.h"
#include "training/squeak.h"
#include "training/tools/train_arguments.h"

namespace qingyin::training {
namespace {

volatile std::sig_atomic_t stop_wanted = 0;

/// Of the trial of fine-tuning.
constexpr std::int64_t kSqueaks = 60;

void ask_to_stop(int) { stop_wanted = 1; }

void apply(const TrainArguments& arguments, std::int64_t& batch, Rates& rates) {
  if (arguments.batch > 0) batch = arguments.batch;
  if (arguments.rate > 0) rates.peak = arguments.rate;
}

/// Counted from 0. The first begins with random weights, the others with given ones.
std::size_t number_of_course(const TrainArguments& arguments, std::size_t courses) {
  const auto given = static_cast<std::size_t>(arguments.course);
  const std::size_t course = given > 0 ? given : (arguments.from.empty() ? 1 : 2);
  require(course <= courses && (course == 1) == arguments.from.empty(), ErrorCode::kUsage,
          "--course " + std::to_string(course) + ": " + arguments.what + " has " +
              std::to_string(courses) + "; all but the first begin --from weights");
  return course - 1;
}

/// @return false if stopped
bool train(TrainArguments arguments) {
  Schedule schedule;
  schedule.seed = arguments.run.seed;
  if (arguments.what == "all") return train_all(schedule, arguments.run);
  const auto set_course = [&](const Course& course) {
    if (arguments.run.steps == 0) arguments.run.steps = course.steps;
    if (arguments.run.sounds == 0) arguments.run.sounds = course.sounds;
    arguments.run.seed += course.seed;
  };
  const auto choose = [&](const std::vector<Course>& courses) {
    const std::size_t course = number_of_course(arguments, courses.size());
    set_course(courses[course]);
    return course;
  };
  if (arguments.what == "vocoder") {
    schedule.voice = course_of(schedule.voice, choose(schedule.vocoder), arguments.from);
    apply(arguments, schedule.voice.batch, schedule.voice.rates);
    return train_vocoder(schedule.voice, arguments.run);
  }
  if (arguments.what == "foley") {
    schedule.flow.codec = arguments.codec;
    schedule.flow = course_of(schedule.flow, choose(schedule.foley), arguments.from);
    apply(arguments, schedule.flow.batch, schedule.flow.rates);
    return train_foley(schedule.flow, arguments.run);
  }
  if (arguments.what == "detector") {
    set_course(schedule.detector);
    apply(arguments, schedule.picture.batch, schedule.picture.rates);
    return train_detector(schedule.picture, arguments.run);
  }
  require(arguments.what == "latent", ErrorCode::kUsage,
          "cannot train \"" + arguments.what +
              "\": expected all, latent, vocoder, foley, "
              "detector, eval, detector-eval, squeaks or adapter-eval");
  set_course(schedule.latent);
  apply(arguments, schedule.grain.batch, schedule.grain.rates);
  return train_latent(schedule.grain, arguments.run);
}

int run(TrainArguments arguments) {
  if (arguments.what == "help") {
    std::cout << train_help();
    return 0;
  }
  at::set_num_threads(arguments.run.threads);
  std::signal(SIGINT, ask_to_stop);
  std::signal(SIGTERM, ask_to_stop);
  arguments.run.progress = [](std::string_view, double) { return stop_wanted == 0; };
  if (arguments.what == "eval") {
    EvaluationSettings settings{
        .weights = arguments.weights, .images = arguments.images, .seed = arguments.run.seed};
    if (arguments.batch > 0) settings.per_class = arguments.batch;
    std::cout << to_markdown(evaluate(settings));
    return 0;
  }
  if (arguments.what == "squeaks") {
    write_squeak_library(arguments.run.folder, arguments.run.seed,
                         arguments.run.sounds > 0 ? arguments.run.sounds : kSqueaks);
    return 0;
  }
  if (arguments.what == "adapter-eval") {
    AdapterEvaluation settings{.weights = arguments.weights,
                               .adapter = arguments.adapter,
                               .seed = arguments.run.seed,
                               .threads = arguments.run.threads};
    if (arguments.batch > 0) settings.per_class = arguments.batch;
    std::cout << to_markdown(evaluate_adapter(settings));
    return 0;
  }
  if (arguments.what == "detector-eval") {
    DetectorEvaluation settings{.weights = arguments.weights / "detector.safetensors",
                                .seed = arguments.run.seed,
                                .threads = arguments.run.threads};
    if (arguments.batch > 0) settings.films = arguments.batch;
    std::cout << to_markdown(evaluate_detector(settings));
    return 0;
  }
  const bool is_finished = train(arguments);
  if (!is_finished) std::cerr << "stopped; the same command goes on from here\n";
  return is_finished ? 0 : exit_code(ErrorCode::kCancelled);
}

}  // namespace
}  // namespace qingyin::training

int main(int count, char** words) {
  try {
    return qingyin::training::run(qingyin::training::parse_train_arguments(count, words));
  } catch (const qingyin::Error& error) {
    std::cerr << "qingyin_train: " << error.what() << '\n';
    return qingyin::exit_code(error.code());
  } catch (const std::exception& error) {
    std::cerr << "qingyin_train: " << error.what() << '\n';
    return qingyin::exit_code(qingyin::ErrorCode::kInternal);
  }
}
