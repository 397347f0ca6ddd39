#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/cogvideox_bench.h"
#include "cli/commands.h"
#include "cli/mmaudio_bench.h"
#include "cli/mmaudio_drift.h"
#include "core/error.h"

namespace qingyin::cli {
namespace {

struct BenchOptions {
  BenchRequest request;
  CogvideoxBenchFlags video;
  bool has_random_weights = false;
  std::filesystem::path models, drift_clip;

  void declare(CLI::App& app) {
    app.add_option("engine", request.engine, "mmaudio:small_16k, cogvideox:2b, ...")
        ->required()
        ->type_name("NAME");
    app.add_flag("--random-weights", has_random_weights,
                 "full-size networks with random numbers: no files are needed")
        ->group("Engine");
    app.add_option("--models", models, "folder with the engine's weights")
        ->type_name("DIR")
        ->group("Engine");
    app.add_option("--vocabulary", request.vocabulary,
                   "CLIP's vocabulary, to measure its text tower with random weights too")
        ->type_name("FILE")
        ->group("Engine");
    app.add_option("--stages", request.stages,
                   "clip, synchformer, text, flow, \"mel decoder\", vocoder: only these")
        ->delimiter(',')
        ->type_name("NAME,...")
        ->group("Work");
    app.add_option("--seconds", request.seconds, "length of the clip")
        ->check(number_in(0.64, 60))
        ->type_name("NUMBER")
        ->group("Work")
        ->capture_default_str();
    app.add_option("--steps", request.steps, "sampler steps")
        ->check(CLI::Range(1, 200))
        ->type_name("N")
        ->group("Work")
        ->capture_default_str();
    app.add_option("--threads", request.threads, "threads to work on")
        ->check(CLI::Range(1, 256))
        ->type_name("N")
        ->group("Work")
        ->capture_default_str();
    add_choice<std::string>(app, "--dtype", request.dtype,
                            {{"float32", "float32"}, {"bfloat16", "bfloat16"}},
                            "numbers that the networks work with")
        ->group("Engine");
    add_choice<std::string>(
        app, "--weights", request.weights, {{"full", "full"}, {"int8", "int8"}},
        "how the flow network's, or the transformer's, large weights are kept: as --dtype says, or "
        "in 8 bits")
        ->group("Engine");
    app.add_option(
           "--drift", drift_clip,
           "instead of times: how far bfloat16 is from float32 on a clip's pictures, in the "
           "encoders' rows and in the spectrogram")
        ->type_name("CLIP")
        ->group("Work");
    app.add_flag("--full", request.is_full,
                 "run everything: without it a few pictures, segments and evaluations are run and "
                 "their time is scaled")
        ->group("Work");
    video.declare(app);
  }
};

std::string line_of(const BenchStage& stage) {
  char text[200];
  std::snprintf(text, sizeof text,
                "%-12s %9.2f s %9.2f s CPU %10.0f GFLOP %8.1f GFLOP/s %7.2f GB   %s\n",
                stage.name.c_str(), stage.seconds, stage.cpu_seconds, stage.gflop,
                stage.gflop / stage.seconds, static_cast<double>(stage.peak_bytes) / 1e9,
                stage.measured.c_str());
  return text;
}

std::string line_of(const RowDrift& rows) {
  char text[200];
  std::snprintf(text, sizeof text,
                "%-12s %5lld rows  cosine %.6f at least, %.6f mean; less the mean row %.6f, %.6f; "
                "from row to row %.4f\n",
                rows.name.c_str(), static_cast<long long>(rows.rows), rows.least_cosine,
                rows.mean_cosine, rows.least_telling_cosine, rows.mean_telling_cosine,
                rows.neighbours_cosine);
  return text;
}

std::string line_of(const MelDrift& mel) {
  char text[200];
  std::snprintf(text, sizeof text, "%-26s mel %.4f (%.2f dB), %.4f of its spread; latents %.4f\n",
                mel.name.c_str(), mel.l1, mel.l1 * 20 / std::log(10.0), mel.of_spread,
                mel.of_latents);
  return text;
}

nlohmann::ordered_json facts_of(const BenchRequest& request, bool has_random_weights) {
  return {{"engine", request.engine},
          {"seconds", request.seconds},
          {"steps", request.steps},
          {"threads", request.threads},
          {"dtype", request.dtype},
          {"weights", request.weights},
          {"random_weights", has_random_weights}};
}

void finish(Context& context, const nlohmann::ordered_json& facts, const std::string& text) {
  auto& item = context.summary.item();
  item.status = "ok";
  item.facts_json = facts.dump();
  context.progress.end();
  if (!context.wants_json) context.console.result(text);
}

void bench_drift(const BenchOptions& options, const MmaudioModel& model, Context& context) {
  const MmaudioDrift drift =
      measure_drift(options.request, model, options.drift_clip, context.progress.watcher());
  auto facts = facts_of(options.request, options.has_random_weights);
  facts.erase("dtype");
  std::string text;
  for (const RowDrift& rows : drift.rows) {
    text += line_of(rows);
    facts["features"].push_back({{"name", rows.name},
                                 {"rows", rows.rows},
                                 {"least_cosine", rows.least_cosine},
                                 {"mean_cosine", rows.mean_cosine},
                                 {"least_telling_cosine", rows.least_telling_cosine},
                                 {"mean_telling_cosine", rows.mean_telling_cosine},
                                 {"neighbours_cosine", rows.neighbours_cosine}});
  }
  for (const MelDrift& mel : drift.mels) {
    text += line_of(mel);
    facts["mel"].push_back({{"name", mel.name},
                            {"l1", mel.l1},
                            {"of_spread", mel.of_spread},
                            {"of_latents", mel.of_latents}});
  }
  finish(context, facts, text);
}

void bench(const BenchOptions& options, Context& context) {
  context.summary.item().input = options.request.engine;
  if (options.request.engine.starts_with("cogvideox:")) {
    require(options.has_random_weights, ErrorCode::kUsage,
            "bench: the networks of " + options.request.engine +
                " are measured with random weights; add --random-weights");
    return bench_cogvideox(options.request, options.video, context);
  }
  const MmaudioModel model = options.has_random_weights
                                 ? sizes_of_mmaudio(options.request.engine)
                                 : find_mmaudio(options.request.engine, options.models);
  if (!options.drift_clip.empty()) return bench_drift(options, model, context);
  const auto stages = bench_mmaudio(options.request, model, context.progress.watcher());
  auto facts = facts_of(options.request, options.has_random_weights);
  std::string text;
  for (const BenchStage& stage : stages) {
    text += line_of(stage);
    facts["stages"].push_back({{"name", stage.name},
                               {"seconds", stage.seconds},
                               {"cpu_seconds", stage.cpu_seconds},
                               {"gflop", stage.gflop},
                               {"peak_memory_bytes", stage.peak_bytes},
                               {"measured", stage.measured}});
  }
  finish(context, facts, text);
}

}  // namespace

Command bench_command() {
  return make_command("bench", "Measure time and memory of an engine's stages on this machine.",
                      "  qingyin bench mmaudio:small_16k --random-weights --threads 2\n"
                      "  qingyin bench mmaudio:large_44k_v2 --models weights --dtype bfloat16 "
                      "--full --json\n"
                      "  qingyin bench cogvideox:2b --random-weights --size 720x480 --frames 49 "
                      "--component transformer",
                      bench);
}

}  // namespace qingyin::cli
