#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "audio_gen/audio_generator.h"
#include "core/dsp/loudness.h"
#include "core/events.h"
#include "pipeline/resources.h"

namespace qingyin {

/// A file that went in or came out.
struct ReportFile {
  std::string role;  // "clip", "timeline"; "mix", "stem", "timeline"
  std::filesystem::path path;
  std::string sha256;
};

/// What became of one event or layer.
struct ReportEvent {
  std::string id, kind;         // "event", "layer"
  std::string label, material;  // as the engine understood them
  bool is_exact = true;         // false: the nearest that the engine has
  std::string lane;
  std::uint64_t seed = 0;
  Seconds wanted_onset{0};
  std::optional<Seconds> produced_onset;  // measured in the placed sound; none: silent or a bed
};

/// The sidecar of a result (schema qingyin.report/1): what was made from what, how, and how well.
struct Report {
  std::string command, key;
  EngineInfo engine;
  RenderSettings settings;
  std::uint64_t seed = 0;
  std::map<std::string, std::string> options;  // the other choices, by name
  std::vector<ReportFile> inputs, outputs;
  std::vector<ReportEvent> events;
  std::map<std::string, std::int64_t> features;  // what the engine's eyes computed, or knew
  Seconds duration{0};
  std::string loudness_target;
  LoudnessFigures before{}, after{};
  double gain_db = 0;
  double limiter_reduction_db = 0;
  std::vector<std::string> warnings;
  Stopwatch::Timings timings;
  std::int64_t peak_memory_bytes = 0;
  std::map<std::string, std::string> libraries;
};

std::string to_json(const Report& report);

/// Where the report of an output lies: `OUT.report.json` for `OUT.mp4` and for a folder `OUT`.
std::filesystem::path report_path(const std::filesystem::path& output);

/// True if the report of `output` is there, carries this key, and every file that it lists is there
/// with the bytes that it lists.
bool is_already_made(const std::filesystem::path& output, const std::string& key);

}  // namespace qingyin
