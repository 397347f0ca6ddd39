#include "cli/load_mmaudio.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "audio_gen/mmaudio/mmaudio_engine.h"
#include "cli/mmaudio_folder.h"
#include "core/error.h"
#include "core/sha256.h"
#include "core/text.h"
#include "models/hub/file_digests.h"
#include "models/hub/licence_book.h"
#include "pipeline/sight.h"

namespace qingyin::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kGigabyte = std::uint64_t{1} << 30U;
/// Of a network at work beside its weights, and the program itself.
constexpr std::uint64_t kWorkingBytes = kGigabyte * 3 / 4;
/// What bfloat16 leaves of a float32 file.
constexpr double kHalf = 0.5;
/// Of CLIP's file the image tower, and of the mel VAE's the decoder; nothing else is read.
constexpr double kImageTower = 0.65, kDecoder = 0.58;
/// Convolutions by tiles hold more numbers than the file.
constexpr double kTiles = 2;
/// What 8 bits leave of a float32 file: a little more than a quarter.
constexpr double kInt8 = 0.3;

struct StageSize {
  std::string name;
  std::uint64_t bytes;
};

std::uint64_t bytes_of(const fs::path& path) {
  std::error_code error;
  const auto bytes = fs::file_size(path, error);
  return error ? 0 : bytes;
}

std::vector<StageSize> stage_sizes(const MmaudioModel& model, bool is_half, bool is_int8) {
  const auto size = [&](const char* role, double times) {
    return static_cast<std::uint64_t>(times * static_cast<double>(bytes_of(model.files.at(role))));
  };
  // Weights are converted one by one while a file is read.
  const double converted = is_half ? kHalf : 1;
  return {{"CLIP", size("clip", kImageTower * converted) + kWorkingBytes},
          {"Synchformer", size("synchformer", converted) + kWorkingBytes},
          {"flow network", size("flow", is_int8 ? kInt8 : converted) + kWorkingBytes},
          {"mel decoder and vocoder",
           size("vae", kDecoder * kTiles) + size("vocoder", kTiles) + kWorkingBytes}};
}

/// Memory that could be used without swapping; 0 if it cannot be told.
std::uint64_t available_memory() {
  std::ifstream facts("/proc/meminfo");
  std::string name, unit;
  std::uint64_t kilobytes = 0;
  while (facts >> name >> kilobytes) {
    if (name == "MemAvailable:") return kilobytes * 1024;
    std::getline(facts, unit);
  }
  return 0;
}

std::string in_gigabytes(std::uint64_t bytes) {
  const std::uint64_t tenths = (bytes * 10 + kGigabyte - 1) / kGigabyte;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " GB";
}

/// Whether all networks of the sound may stay loaded together.
/// @throws Error kDevice (reason "memory") if a single stage is over the limit that was asked for
bool may_keep_loaded(const MmaudioModel& model, const StageOptions& options, bool is_half) {
  const std::uint64_t asked = parse_memory(options.memory);
  const std::uint64_t limit = asked > 0 ? asked : available_memory() / 10 * 9;
  const auto stages = stage_sizes(model, is_half, options.weights == "int8");
  std::string over;
  for (const StageSize& stage : stages)
    if (asked > 0 && stage.bytes > limit)
      over += "\n  " + stage.name + ": about " + in_gigabytes(stage.bytes);
  if (!over.empty())
    throw Error(ErrorCode::kDevice,
                model.name + " does not fit into --memory " + options.memory + ":" + over +
                    "\nallow more, or use a smaller model",
                "memory");
  return stages[2].bytes + stages[3].bytes <= limit;
}

void settle_licences(const KnownModel& model, bool agrees) {
  LicenceBook book;
  for (const Licence* terms : licences_of(model))
    if (agrees && needs_acceptance(*terms)) book.accept(*terms);
  book.require_accepted(model);
}

MmaudioVisualOptions visual_options(const MmaudioModel& model, bool is_half) {
  return {.precision = is_half ? FeaturePrecision::kBFloat16 : FeaturePrecision::kFloat32,
          .clip = model.clip,
          .synchformer = model.synchformer};
}

}  // namespace

std::uint64_t parse_memory(const std::string& text) {
  if (text == "auto") return 0;
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  const std::string unit(rest, end);
  const bool is_known = unit == "G" || unit == "M" || unit == "GB" || unit == "MB";
  require(error == std::errc() && is_known && value > 0 && value < 1e6, ErrorCode::kUsage,
          "--memory takes \"auto\" or a size like 4G or 500M, not " + excerpt(text));
  return static_cast<std::uint64_t>(value *
                                    static_cast<double>(unit[0] == 'G' ? kGigabyte : 1U << 20U));
}

MmaudioStage load_mmaudio(const StageOptions& options) {
  const MmaudioModel model = find_mmaudio(options.engine, options.models);
  if (!model.name.ends_with(":custom"))
    settle_licences(known_model(model.name), options.accepts_licence);
  const bool is_half = options.dtype == "bfloat16";
  MmaudioStage stage;
  mmaudio::EngineOptions engine{
      .name = model.name,
      .model = model.sound,
      .files = {model.files.at("flow"), model.files.at("vae"), model.files.at("vocoder")},
      .networks = {.precision = is_half ? mmaudio::FlowPrecision::kBfloat16
                                        : mmaudio::FlowPrecision::kFloat32,
                   .threads = options.thread_count(),
                   .weights = options.weights == "int8" ? mmaudio::FlowWeights::kInt8
                                                        : mmaudio::FlowWeights::kFull},
      .keeps_loaded = may_keep_loaded(model, options, is_half),
      .licences = model.licences,
      .noise = options.noise};
  for (const auto& [role, path] : model.files) engine.models[role] = remembered_sha256(path);
  stage.choices["dtype"] = options.dtype;
  if (options.weights != "full") stage.choices["weights"] = options.weights;
  if (!options.noise.empty()) stage.choices["noise"] = sha256_of_file(options.noise);
  stage.sight = std::make_shared<Sight>(
      make_mmaudio_encoder({model.files.at("clip"), model.files.at("synchformer"),
                            model.files.at("clip_vocabulary")},
                           visual_options(model, is_half), options.thread_count()),
      FeatureCache());
  stage.engine = mmaudio::make_engine(std::move(engine), stage.sight);
  return stage;
}

}  // namespace qingyin::cli
