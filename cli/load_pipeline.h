#pragma once

#include <filesystem>

#include "cli/command.h"
#include "pipeline/pipeline.h"

namespace qingyin::cli {

/// Which stages a command needs.
enum class Stages { kDetector, kEngine, kBoth };

/// Options that decide how the stages are set up.
struct StageOptions {
  std::filesystem::path models;  // empty: found beside the program
  double sensitivity = 0.5;
  int threads = 0;  // 0: one for each core

  void declare_engine(CLI::App& app);
  void declare_detector(CLI::App& app);
  int thread_count() const;
};

/// The one place that names concrete stages. @throws Error kModelMissing, kBadCheckpoint
Pipeline load_pipeline(const StageOptions& options, Stages stages);

}  // namespace qingyin::cli
