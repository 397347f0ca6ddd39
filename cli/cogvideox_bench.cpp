#include "cli/cogvideox_bench.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/input_flags.h"

namespace qingyin::cli {
namespace {

using nlohmann::ordered_json;

const std::map<std::string, VideoComponent>& components() {
  static const std::map<std::string, VideoComponent> all{
      {"text", VideoComponent::kText},
      {"transformer", VideoComponent::kTransformer},
      {"encode", VideoComponent::kEncode},
      {"decode", VideoComponent::kDecode}};
  return all;
}

/// The times are of the whole, from the fastest repeat of the part that was run.
std::string line_of(const ComponentFigures& part) {
  const double wall = std::ranges::min(part.wall_seconds), cpu = std::ranges::min(part.cpu_seconds);
  char text[240];
  std::snprintf(
      text, sizeof text,
      "%-12s %9.2f s %9.2f s CPU %10.0f GFLOP %7.1f GFLOP/s %6.2f GB, planned %6.2f   %s\n",
      part.name.c_str(), wall / part.share, cpu / part.share, part.giga_flop / part.share,
      part.giga_flop / wall, static_cast<double>(part.peak_bytes) / 1e9,
      static_cast<double>(part.planned_bytes) / 1e9, part.measured.c_str());
  return text;
}

ordered_json facts_of(const ComponentFigures& part) {
  return {{"name", part.name},
          {"measured", part.measured},
          {"share_of_clip", part.share},
          {"wall_s", part.wall_seconds},
          {"cpu_s", part.cpu_seconds},
          {"gflop", part.giga_flop},
          {"peak_memory_bytes", part.peak_bytes},
          {"planned_memory_bytes", part.planned_bytes}};
}

}  // namespace

void CogvideoxBenchFlags::declare(CLI::App& app) {
  constexpr char kGroup[] = "CogVideoX";
  app.add_option("--size", size, "WIDTHxHEIGHT (default: the model's)")->group(kGroup);
  app.add_option("--frames", request.frames, "length in frames (default: the model's)")
      ->check(whole_number())
      ->group(kGroup);
  app.add_option("--component", components, "text, transformer, encode, decode (default: all)")
      ->check(CLI::IsMember({"text", "transformer", "encode", "decode"}))
      ->type_name("NAME")
      ->group(kGroup);
  app.add_option("--layers", request.layers,
                 "layers of the text encoder and blocks of the transformer that are run")
      ->check(CLI::Range(1, 100))
      ->type_name("N")
      ->group(kGroup)
      ->capture_default_str();
  app.add_option("--clips", request.clips,
                 "that the transformer sees at once; with guidance a run has 2")
      ->check(CLI::Range(1, 8))
      ->type_name("N")
      ->group(kGroup)
      ->capture_default_str();
  app.add_option("--repeats", request.repeats, "of each part; the fastest counts")
      ->check(CLI::Range(1, 1000))
      ->type_name("N")
      ->group(kGroup)
      ->capture_default_str();
  app.add_flag("--tiles", request.is_tiled, "the VAE in tiles, as where memory is short")
      ->group(kGroup);
}

void bench_cogvideox(const BenchRequest& common, const CogvideoxBenchFlags& flags,
                     Context& context) {
  ComponentBenchRequest request = flags.request;
  request.model = common.engine;
  request.threads = common.threads;
  request.is_whole_clip = common.is_full;
  request.precision =
      common.dtype == "bfloat16" ? VideoPrecision::kBfloat16 : VideoPrecision::kFloat32;
  request.weights = common.weights == "int8" ? VideoWeights::kInt8 : VideoWeights::kFull;
  const PictureSize size = picture_size(flags.size);
  request.width = size.width;
  request.height = size.height;
  for (const std::string& name : flags.components)
    request.components.push_back(components().at(name));
  ordered_json facts = {{"engine", common.engine},
                        {"threads", common.threads},
                        {"dtype", common.dtype},
                        {"weights", request.weights == VideoWeights::kInt8 ? "int8" : "full"},
                        {"random_weights", true}};
  std::string text;
  for (const ComponentFigures& part : bench_components(request, context.progress.watcher())) {
    text += line_of(part);
    facts["parts"].push_back(facts_of(part));
  }
  auto& item = context.summary.item();
  item.status = "ok";
  item.facts_json = facts.dump();
  context.progress.end();
  if (!context.wants_json) context.console.result(text);
}

}  // namespace qingyin::cli
