#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/mmaudio_bench.h"
#include "video_gen/component_bench.h"

namespace qingyin::cli {

/// What `bench cogvideox:` takes beside what all engines take.
struct CogvideoxBenchFlags {
  std::string size;
  std::vector<std::string> components;
  ComponentBenchRequest request;

  void declare(CLI::App& app);
};

/// Measures the networks of a CogVideoX model and writes the result.
/// @param common  engine, threads, dtype and --full count
void bench_cogvideox(const BenchRequest& common, const CogvideoxBenchFlags& flags,
                     Context& context);

}  // namespace qingyin::cli
