#include <ATen/Parallel.h>

#include <csignal>
#include <exception>
#include <iostream>

#include "core/error.h"
#include "training/evaluation.h"
#include "training/foley_trainer.h"
#include "training/latent_trainer.h"
#include "training/tools/train_arguments.h"
#include "training/vocoder_trainer.h"

namespace qingyin::training {
namespace {

volatile std::sig_atomic_t stop_wanted = 0;

void ask_to_stop(int) { stop_wanted = 1; }

void apply(const TrainArguments& arguments, std::int64_t& batch, Rates& rates) {
  if (arguments.batch > 0) batch = arguments.batch;
  if (arguments.rate > 0) rates.peak = arguments.rate;
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
  bool is_finished = true;
  if (arguments.what == "vocoder") {
    VocoderTraining settings{.codec = arguments.codec};
    apply(arguments, settings.batch, settings.rates);
    is_finished = train_vocoder(settings, arguments.run);
  } else if (arguments.what == "foley") {
    FoleyTraining settings{.codec = arguments.codec};
    apply(arguments, settings.batch, settings.rates);
    is_finished = train_foley(settings, arguments.run);
  } else if (arguments.what == "latent") {
    const LatentTables tables = train_latent(arguments.run);
    std::cout << "share of the variance kept: " << tables.kept << '\n';
  } else if (arguments.what == "eval") {
    EvaluationSettings settings{.weights = arguments.weights, .seed = arguments.run.seed};
    if (arguments.batch > 0) settings.per_class = arguments.batch;
    std::cout << to_markdown(evaluate(settings));
  } else {
    throw Error(ErrorCode::kUsage,
                "cannot train \"" + arguments.what + "\": expected latent, vocoder, foley or eval");
  }
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
