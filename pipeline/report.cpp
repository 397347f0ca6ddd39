#include "pipeline/report.h"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/sha256.h"

namespace qingyin {
namespace {

using json = nlohmann::ordered_json;

// JSON has no infinity: nothing loud enough to measure is null.
json number(double value) { return std::isfinite(value) ? json(value) : json(nullptr); }

json to_json_object(const LoudnessFigures& figures) {
  return {{"integrated_lufs", number(figures.integrated_lufs)},
          {"max_momentary_lufs", number(figures.max_momentary_lufs)},
          {"range_lu", number(figures.range_lu)},
          {"true_peak_dbtp", number(figures.true_peak_dbtp)}};
}

json to_json_list(const std::vector<ReportFile>& files) {
  json out = json::array();
  for (const auto& file : files) {
    out.push_back({{"role", file.role}, {"path", file.path.string()}, {"sha256", file.sha256}});
  }
  return out;
}

json to_json_object(const ReportEvent& event) {
  json out = {{"id", event.id},
              {"kind", event.kind},
              {"label", event.label},
              {"material", event.material},
              {"is_exact", event.is_exact},
              {"lane", event.lane},
              {"seed", event.seed},
              {"wanted_onset_s", event.wanted_onset.count()}};
  if (event.produced_onset) {
    out["produced_onset_s"] = event.produced_onset->count();
    out["error_ms"] = 1000 * (*event.produced_onset - event.wanted_onset).count();
  } else {
    out["produced_onset_s"] = nullptr;
    out["error_ms"] = nullptr;
  }
  return out;
}

}  // namespace

std::string to_json(const Report& report) {
  json out = {{"schema", "qingyin.report/1"},
              {"program", "qingyin"},
              {"version", QINGYIN_VERSION},
              {"command", report.command},
              {"key", report.key}};
  out["engine"] = {{"name", report.engine.name},
                   {"sample_rate_hz", report.engine.sample_rate_hz},
                   {"models", report.engine.models},
                   {"licences", report.engine.licences}};
  out["settings"] = {{"steps", report.settings.steps}, {"guidance", report.settings.guidance}};
  if (!report.settings.negative_prompt.empty())
    out["settings"]["negative_prompt"] = report.settings.negative_prompt;
  out["options"] = report.options;
  out["seed"] = report.seed;
  out["inputs"] = to_json_list(report.inputs);
  out["outputs"] = to_json_list(report.outputs);
  out["duration_s"] = report.duration.count();
  out["events"] = json::array();
  for (const auto& event : report.events) out["events"].push_back(to_json_object(event));
  if (!report.features.empty()) out["features"] = report.features;
  out["loudness"] = {{"target", report.loudness_target},
                     {"before", to_json_object(report.before)},
                     {"after", to_json_object(report.after)},
                     {"gain_db", report.gain_db},
                     {"limiter_reduction_db", report.limiter_reduction_db}};
  out["warnings"] = report.warnings;
  out["timings_s"] = json::object();
  for (const auto& [stage, time] : report.timings) out["timings_s"][stage] = time.count();
  out["peak_memory_bytes"] = report.peak_memory_bytes;
  out["libraries"] = report.libraries;
  return out.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

std::filesystem::path report_path(const std::filesystem::path& output) {
  auto path = output.has_filename() ? output : output.parent_path();
  path.replace_extension(".report.json");
  return path;
}

bool is_already_made(const std::filesystem::path& output, const std::string& key) {
  std::ifstream file(report_path(output), std::ios::binary);
  if (!file) return false;
  const json report = json::parse(file, nullptr, /*allow_exceptions=*/false);
  try {
    if (report.at("schema") != "qingyin.report/1" || report.at("key") != key) return false;
    for (const auto& made : report.at("outputs")) {
      const std::filesystem::path path = made.at("path").get<std::string>();
      // Only the bytes count: a file that was moved along with its report is still the same.
      const auto beside = output.parent_path() / path.filename();
      const auto& place = std::filesystem::exists(path) ? path : beside;
      if (sha256_of_file(place) != made.at("sha256")) return false;
    }
    return !report.at("outputs").empty();
  } catch (const json::exception&) {
    return false;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace qingyin
