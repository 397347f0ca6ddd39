#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/load_pipeline.h"
#include "cli/output_names.h"
#include "core/error.h"
#include "core/text.h"
#include "models/adapter/adapter.h"
#include "models/registry/model_registry.h"
#include "tuning/tune.h"

namespace qingyin::cli {
namespace {

using json = nlohmann::ordered_json;

constexpr int kMostThreads = 256;

struct TrainOptions {
  tuning::TuneRequest request;
  std::filesystem::path folder, info, models;
  std::vector<std::string> new_classes;
  OverwriteOptions overwrite;
  double minutes = 0;
  int threads = 0;

  void declare(CLI::App& app) {
    app.add_option("folder", folder, "sounds or videos to learn from, with all folders below")
        ->type_name("DIR");
    app.add_option("-o,--output", request.output, "adapter to write: NAME.safetensors")
        ->type_name("FILE")
        ->group("Output");
    app.add_flag("--overwrite", overwrite.overwrite, "replace an existing adapter")
        ->group("Output");
    app.add_flag("--dry-run", request.checks_only, "read and judge the files, learn nothing")
        ->group("Output");
    app.add_option("--info", info, "say what is in an adapter, and do nothing else")
        ->type_name("FILE")
        ->group("Output");
    declare_data(app);
    declare_learning(app);
    app.add_option("--author", request.author, "who made the adapter; stored in it")
        ->type_name("TEXT")
        ->group("Output");
    app.add_option("--licence", request.licence,
                   "terms of the sounds; stored in it and in every report made with it")
        ->type_name("TEXT")
        ->group("Output");
    app.add_option("--note", request.note, "anything else to store in it")
        ->type_name("TEXT")
        ->group("Output");
  }

  void declare_data(CLI::App& app) {
    app.add_option("--table", request.labels,
                   "table with the columns file and class, and if wanted material, size, "
                   "intensity, onset, caption, shape (default: labels.csv in the folder)")
        ->type_name("FILE")
        ->group("Sounds");
    app.add_option("--class", request.sound_class, "class of every file that has no label")
        ->type_name("NAME")
        ->group("Sounds");
    app.add_option("--new", new_classes,
                   "a class of your own, and how it behaves if its sounds do not tell: NAME or "
                   "NAME:one_shot, NAME:sustained, NAME:texture; repeatable")
        ->type_name("NAME")
        ->allow_extra_args(false)
        ->group("Sounds");
    using Parts = std::optional<tuning::Parts>;
    add_choice<Parts>(app, "--only", request.parts,
                      {{"sounds", tuning::Parts::kSounds},
                       {"detector", tuning::Parts::kDetector},
                       {"both", tuning::Parts::kBoth}},
                      "what learns (default: sounds, and the detector where there are videos)")
        ->group("Learning");
  }

  void declare_learning(CLI::App& app) {
    app.add_option("--minutes", minutes, "most time to learn for; 0: as long as the steps take")
        ->check(number_in(0, 10000))
        ->type_name("NUMBER")
        ->group("Learning")
        ->capture_default_str();
    app.add_option("--steps", request.steps, "of learning, 24 sounds each")
        ->check(CLI::Range(1, 1000000))
        ->type_name("N")
        ->group("Learning")
        ->capture_default_str();
    app.add_option("--rank", request.rank, "of the changes: larger learns more, and a larger file")
        ->check(CLI::Range(1, 256))
        ->type_name("N")
        ->group("Learning")
        ->capture_default_str();
    app.add_option("--rate", request.rate, "peak of the learning rate")
        ->check(number_in(1e-6, 1))
        ->type_name("NUMBER")
        ->group("Learning")
        ->capture_default_str();
    app.add_option("--seed", request.seed, "of all that is random in learning")
        ->check(whole_number())
        ->type_name("N")
        ->group("Learning")
        ->capture_default_str();
    app.add_flag("--restart", request.restarts, "throw an unfinished run away and begin again")
        ->group("Learning");
    app.add_option("--models", models, "folder with the weights that are adapted")
        ->type_name("DIR")
        ->group("Learning");
    app.add_option("--threads", threads, "threads to work on (0: all cores)")
        ->check(CLI::Range(0, kMostThreads))
        ->type_name("N")
        ->group("Learning");
  }
};

tuning::NewClass new_class_of(const std::string& text) {
  const auto colon = text.find(':');
  tuning::NewClass own{text.substr(0, colon), {}};
  for (char& c : own.name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (colon == std::string::npos) return own;
  own.shape = text.substr(colon + 1);
  std::replace(own.shape.begin(), own.shape.end(), '-', '_');
  const bool is_known =
      own.shape == "one_shot" || own.shape == "sustained" || own.shape == "texture";
  require(is_known, ErrorCode::kUsage,
          "--new: " + excerpt(text) + " ends in none of :one_shot, :sustained, :texture");
  return own;
}

json facts_of(const AdapterFacts& facts) {
  json classes = json::array();
  for (const AdapterClass& c : facts.classes) {
    json one = {{"name", c.name}, {"new", c.is_new}, {"sounds", c.sounds}};
    if (c.is_new) one.update({{"shape", c.shape}, {"lane", c.lane}, {"like", c.like}});
    classes.push_back(std::move(one));
  }
  return {{"sha256", facts.sha256},
          {"classes", classes},
          {"foley_base", facts.foley_base},
          {"detector_base", facts.detector_base},
          {"rank", facts.rank},
          {"steps", facts.steps},
          {"seed", facts.seed},
          {"data_seconds", facts.data_seconds},
          {"onsets", facts.onsets},
          {"author", facts.author},
          {"licence", facts.licence},
          {"note", facts.note},
          {"made_with", facts.made_with}};
}

std::string text_of(const AdapterFacts& facts) {
  std::string text;
  for (const AdapterClass& c : facts.classes) {
    text += "class          " + excerpt(c.name) + (c.is_new ? ", new, " + c.shape : "") +
            (c.is_new ? ", begun from " + c.like : "") + ", " + std::to_string(c.sounds) +
            " sounds\n";
  }
  text += "changes        " + std::string(facts.foley_base.empty() ? "" : "sounds ") +
          (facts.detector_base.empty() ? "" : "detector") + "\n";
  char line[96];
  std::snprintf(line, sizeof line, "learnt         %lld steps, rank %lld, %.0f s of sound\n",
                static_cast<long long>(facts.steps), static_cast<long long>(facts.rank),
                facts.data_seconds);
  text += line;
  if (!facts.author.empty()) text += "author         " + excerpt(facts.author, 200) + "\n";
  if (!facts.licence.empty()) text += "licence        " + excerpt(facts.licence, 200) + "\n";
  if (!facts.note.empty()) text += "note           " + excerpt(facts.note, 200) + "\n";
  return text;
}

/// Whether an adapter can be put onto the weights that are there.
std::string fit_of(const AdapterFacts& facts, const std::filesystem::path& models) {
  try {
    const ModelRegistry registry(find_models_folder(models));
    for (const ModelFile& file : registry.models()) {
      const std::string& wanted = file.name == "foley"      ? facts.foley_base
                                  : file.name == "detector" ? facts.detector_base
                                                            : file.sha256;
      if (!wanted.empty() && wanted != file.sha256) return "other weights than those here";
    }
    return "the weights here";
  } catch (const Error&) {
    return "weights that are not here";
  }
}

void show_info(const TrainOptions& options, Context& context) {
  auto& item = context.summary.item();
  item.input = options.info.string();
  const AdapterFacts facts = read_adapter_facts(options.info);
  json all = facts_of(facts);
  const std::string fit = fit_of(facts, options.models);
  all["belongs_to"] = fit;
  item.facts_json = all.dump(-1, ' ', false, json::error_handler_t::replace);
  if (context.wants_json) return;
  context.console.result("file           " + printable(options.info) + "\n" + text_of(facts) +
                         "belongs to     " + fit + "\n");
}

json facts_of(const tuning::DataReport& data) {
  json classes = json::array(), refused = json::array();
  for (const auto& c : data.classes) {
    classes.push_back({{"name", c.name},
                       {"new", c.is_new},
                       {"shape", c.shape},
                       {"files", c.files},
                       {"sounds", c.sounds}});
  }
  for (const auto& r : data.refused) {
    refused.push_back({{"file", r.file}, {"reason", r.reason}, {"message", r.message}});
  }
  return {{"files", data.files},
          {"data_seconds", data.seconds},
          {"onsets", data.onsets},
          {"classes", classes},
          {"refused", refused}};
}

void show_data(const tuning::DataReport& data, Context& context) {
  context.progress.end();
  for (const auto& warning : data.warnings) context.console.warning(warning);
  for (const auto& refused : data.refused) {
    context.console.warning("refused " + printable(refused.file) + " (" + refused.reason +
                            "): " + refused.message);
  }
  for (const auto& c : data.classes) {
    context.console.note(excerpt(c.name) + ": " + std::to_string(c.sounds) + " sounds in " +
                         std::to_string(c.files) + " files" +
                         (c.is_new ? ", a new class (" + c.shape + ")" : ""));
  }
  if (data.onsets > 0) {
    context.console.note(std::to_string(data.onsets) + " onsets heard in videos");
  }
  context.summary.item().facts_json =
      facts_of(data).dump(-1, ' ', false, json::error_handler_t::replace);
}

tuning::TuneRequest request_of(const TrainOptions& options) {
  tuning::TuneRequest request = options.request;
  request.folder = options.folder;
  require(!request.folder.empty(), ErrorCode::kUsage,
          "train: give the folder of your sounds or videos, or --info FILE");
  require(request.checks_only || !request.output.empty(), ErrorCode::kUsage,
          "train: name the adapter to write: -o NAME.safetensors");
  require(request.output.empty() || request.output.extension() == ".safetensors", ErrorCode::kUsage,
          "train: " + printable(request.output) +
              " is no name of an adapter; it has to end in "
              ".safetensors");
  for (const auto& text : options.new_classes) request.new_classes.push_back(new_class_of(text));
  request.overwrite = overwrite_of(options.overwrite);
  request.weights = find_models_folder(options.models);
  request.longest = Seconds(60 * options.minutes);
  StageOptions stages;
  stages.threads = options.threads;
  request.threads = stages.thread_count();
  request.made_with = std::string("qingyin ") + QINGYIN_VERSION;
  return request;
}

void train(const TrainOptions& options, Context& context) {
  if (!options.info.empty()) return show_info(options, context);
  auto& item = context.summary.item();
  item.input = options.folder.string();
  const tuning::TuneRequest request = request_of(options);
  context.when_stopped = "what was learnt is kept: the same command goes on from there";
  context.progress.begin(options.folder.filename().string());
  const auto made = tuning::tune(request, context.progress.watcher(),
                                 [&](const tuning::DataReport& data) { show_data(data, context); });
  context.progress.end();
  json facts = facts_of(made.data);
  item.warnings = made.data.warnings;
  if (made.output.empty()) {
    item.status = "planned";
    item.facts_json = facts.dump(-1, ' ', false, json::error_handler_t::replace);
    return;
  }
  item.status = "ok";
  item.outputs.push_back(made.output.string());
  facts["adapter"] = facts_of(made.facts);
  facts["is_whole"] = made.is_whole;
  item.facts_json = facts.dump(-1, ' ', false, json::error_handler_t::replace);
  if (!context.wants_json) context.console.result(made.output.string() + "\n");
  if (!made.is_whole) {
    context.console.note("The time was enough for " + std::to_string(made.steps) + " of " +
                         std::to_string(request.steps) + " steps.");
  }
  context.console.note("Use it: qingyin add CLIP --adapter " + printable(made.output));
}

}  // namespace

Command train_command() {
  return make_command(
      "train", "Teach the bundled engine sounds of your own; they come as a small adapter file.",
      "  qingyin train squeaks/ --class squeak --new squeak -o squeak.safetensors\n"
      "  qingyin train library/ -o mine.safetensors --minutes 20     labels.csv or UCS names\n"
      "  qingyin train videos/ --class footstep -o steps.safetensors  pictures and sounds\n"
      "  qingyin add clip.mp4 --adapter squeak.safetensors:0.8 --label squeak\n"
      "  qingyin train --info squeak.safetensors",
      train);
}

}  // namespace qingyin::cli
