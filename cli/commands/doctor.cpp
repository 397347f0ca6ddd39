#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "audio_gen/audio_generator.h"
#include "cli/commands.h"
#include "cli/load_pipeline.h"
#include "core/error.h"
#include "core/text.h"
#include "models/registry/model_registry.h"
#include "pipeline/resources.h"

namespace qingyin::cli {
namespace {

constexpr double kGigabyte = 1e9;
constexpr double kMemoryNeeded = 1, kDiskNeeded = 1;  // GB

struct DoctorOptions {
  StageOptions stages;

  void declare(CLI::App& app) { stages.declare_engine(app); }
};

// One line of the screen: what was looked at, what was found, and the fix if it is not well.
struct Finding {
  std::string name, found, fix;
  ErrorCode fault = ErrorCode::kInternal;  // what a run would fail with
};

std::string gigabytes(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f GB", value);
  return text;
}

// Memory that programs can still get, in GB; negative if it cannot be told.
double free_memory() {
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    long long kilobytes = 0;
    if (std::sscanf(line.c_str(), "MemAvailable: %lld kB", &kilobytes) == 1) {
      return static_cast<double>(kilobytes) * 1024 / kGigabyte;
    }
  }
  return -1;
}

Finding look_at_memory() {
  const double free = free_memory();
  if (free < 0) return {"memory", "cannot be told", ""};
  return {"memory", gigabytes(free) + " free",
          free < kMemoryNeeded ? "close other programs: about 1 GB is needed" : "",
          ErrorCode::kDevice};
}

Finding look_at_disk() {
  const auto free = static_cast<double>(free_disk_bytes(".")) / kGigabyte;
  return {"disk", gigabytes(free) + " free here",
          free < kDiskNeeded ? "free some space, or write elsewhere with -o" : "", ErrorCode::kIo};
}

Finding look_at_models(const std::filesystem::path& chosen) {
  try {
    const auto folder = find_models_folder(chosen);
    const ModelRegistry registry(folder);
    for (const auto& model : registry.models()) registry.verified_path(model.name);
    const EngineInfo info = make_bundled_engine(folder)->info();
    std::string found = "'" + info.name + "', the basic engine, from " + printable(folder);
    for (const auto& [name, hash] : info.models) found += "; " + name + " " + hash.substr(0, 12);
    return {"engine", found, ""};
  } catch (const Error& e) {
    return {"engine", e.what(),
            "reinstall qingyin, or name the folder of the weights with --models", e.code()};
  }
}

void doctor(const DoctorOptions& options, Context& context) {
  const std::vector<Finding> findings = {
      {"program", std::string("qingyin ") + QINGYIN_VERSION, ""},
      {"device", "CPU, " + std::to_string(options.stages.thread_count()) + " threads", ""},
      look_at_memory(),
      look_at_disk(),
      look_at_models(options.stages.models),
  };
  std::string text;
  nlohmann::ordered_json facts = {{"findings", nlohmann::ordered_json::array()}};
  std::optional<ErrorCode> fault;
  for (const auto& [name, found, fix, code] : findings) {
    if (!fix.empty() && !fault) fault = code;
    std::string label = name;
    label.resize(10, ' ');
    text += (fix.empty() ? "ok    " : "FIX   ") + label + found + "\n";
    if (!fix.empty()) text += "                " + fix + "\n";
    facts["findings"].push_back(
        {{"name", name}, {"found", found}, {"ok", fix.empty()}, {"fix", fix}});
  }
  context.summary.item().facts_json =
      facts.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  if (!context.wants_json) context.console.result(text);
  if (fault) {
    throw Error(*fault, "something has to be mended first: see the lines with FIX", "unwell");
  }
}

}  // namespace

Command doctor_command() {
  return make_command("doctor", "Look at this machine: memory, disk, engine; say what to mend.",
                      "  qingyin doctor\n  qingyin doctor --json", doctor);
}

}  // namespace qingyin::cli
