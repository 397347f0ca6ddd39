#include "cli/load_pipeline.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <thread>
#include <utility>

#include "audio_gen/audio_generator.h"
#include "cli/load_labeller.h"
#include "cli/load_mmaudio.h"
#include "cli/mmaudio_folder.h"
#include "core/error.h"
#include "models/registry/model_registry.h"
#include "pipeline/labeller.h"
#include "understanding/understanding.h"

namespace qingyin::cli {
namespace {

constexpr int kMostThreads = 256, kMostLabelPictures = 10000;

// The detector network's weights; empty where they are not there: the motion does without.
std::filesystem::path detector_weights(const std::filesystem::path& wanted) {
  try {
    const ModelRegistry registry(find_models_folder(wanted));
    const bool is_listed = std::ranges::count(registry.models(), "detector", &ModelFile::name) > 0;
    return is_listed ? registry.verified_path("detector") : std::filesystem::path();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kModelMissing) return {};
    throw;
  }
}

}  // namespace

void StageOptions::declare_engine(CLI::App& app) {
  app.add_option("--models", models, "folder with the engine's weights")
      ->type_name("DIR")
      ->group("Engine");
  app.add_option("--threads", threads, "threads to work on; never changes a sample (0: all cores)")
      ->check(CLI::Range(0, kMostThreads))
      ->type_name("N")
      ->group("Engine");
}

void StageOptions::declare_adapters(CLI::App& app) {
  app.add_option("--adapter", adapters,
                 "sounds of your own, from qingyin train, and how strongly: FILE or FILE:SCALE; "
                 "repeatable")
      ->type_name("FILE")
      ->allow_extra_args(false)
      ->group("Engine");
}

void StageOptions::declare_published(CLI::App& app) {
  std::string names = "bundled";
  for (const auto& name : mmaudio_names()) names += "|" + name;
  app.add_option("--engine", engine, "what makes the sound: " + names)
      ->type_name("NAME")
      ->group("Engine")
      ->capture_default_str();
  add_choice<std::string>(app, "--dtype", dtype, {{"float32", "float32"}, {"bfloat16", "bfloat16"}},
                          "numbers that published networks work with")
      ->group("Engine");
  add_choice<std::string>(app, "--weights", weights, {{"full", "full"}, {"int8", "int8"}},
                          "how the flow network's weights are kept: as --dtype says, or in 8 bits")
      ->group("Engine");
  app.add_option("--memory", memory, "most that published networks may take: 4G, or auto")
      ->type_name("SIZE")
      ->group("Engine")
      ->capture_default_str();
  app.add_flag("--accept-licence", accepts_licence,
               "you have read the licences of the published weights and agree")
      ->group("Engine");
}

void StageOptions::declare_detector(CLI::App& app) {
  app.add_option("--sensitivity", sensitivity, "0 to 1: more events, and more false ones")
      ->check(number_in(0, 1))
      ->type_name("NUMBER")
      ->group("Detector")
      ->capture_default_str();
  labels = "auto";
  app.add_option("--labels", labels,
                 "names for what sounds, by CLIP: auto (where its weights are), none, or a file "
                 "with a label list")
      ->type_name("auto|none|FILE")
      ->group("Detector")
      ->capture_default_str();
  app.add_option("--clip", clip,
                 "folder with CLIP's weights (default: the engine's, or those that were pulled)")
      ->type_name("DIR")
      ->group("Detector");
  app.add_option("--label-pictures", label_pictures,
                 "most pictures of a clip that CLIP looks at to name what sounds")
      ->check(CLI::Range(1, kMostLabelPictures))
      ->type_name("N")
      ->group("Detector")
      ->capture_default_str();
}

int StageOptions::thread_count() const {
  if (threads > 0) return threads;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

Pipeline load_pipeline(const StageOptions& options, Stages stages) {
  require(options.adapters.empty() || options.is_bundled(), ErrorCode::kUsage,
          "--adapter is for the engine bundled; published networks have none");
  std::vector<AdapterChoice> adapters;
  for (const auto& text : options.adapters) adapters.push_back(parse_adapter_choice(text));
  std::unique_ptr<Understanding> detector;
  std::unique_ptr<AudioGenerator> engine;
  Pipeline::Choices choices;
  if (stages != Stages::kEngine) {
    detector = make_motion_detector(
        {.sensitivity = options.sensitivity,
         .threads = options.thread_count(),
         .network = detector_weights(options.is_bundled() ? options.models : ""),
         .adapters = adapters});
    char text[32];
    std::snprintf(text, sizeof text, "%g", options.sensitivity);
    choices["sensitivity"] = text;
  }
  std::shared_ptr<Labeller> labeller;
  if (detector != nullptr) labeller = load_labeller(options);
  if (stages == Stages::kDetector)
    return Pipeline(std::move(detector), nullptr, std::move(choices), nullptr, std::move(labeller));
  if (!options.is_bundled()) {
    MmaudioStage stage = load_mmaudio(options);
    choices.merge(stage.choices);
    return Pipeline(std::move(detector), std::move(stage.engine), std::move(choices),
                    std::move(stage.sight), std::move(labeller));
  }
  engine = make_bundled_engine(find_models_folder(options.models), adapters);
  return Pipeline(std::move(detector), std::move(engine), std::move(choices), nullptr,
                  std::move(labeller));
}

}  // namespace qingyin::cli
