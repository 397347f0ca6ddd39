#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/command.h"
#include "pipeline/pipeline.h"

namespace qingyin::cli {

/// Which stages a command needs.
enum class Stages { kDetector, kEngine, kBoth };

/// Options that decide how the stages are set up.
struct StageOptions {
  std::string engine = "bundled";
  std::filesystem::path models = {};  // empty: found beside the program, or in the cache
  std::string dtype = "float32";      // of published networks
  std::string weights = "full";       // full or int8, of published networks
  std::string memory = "auto";        // limit for them
  std::filesystem::path noise = {};   // initial noise of a whole clip; empty: from the seed
  bool accepts_licence = false;       // of the published weights
  double sensitivity = 0.5;
  std::string labels = "none";             // auto, none, or a file with a label list
  std::filesystem::path clip = {};         // folder with CLIP's weights; empty: found
  int label_pictures = 24;                 // of a clip that are looked at to name what sounds
  int threads = 0;                         // 0: one for each core
  std::vector<std::string> adapters = {};  // FILE or FILE:SCALE, for the bundled engine

  void declare_engine(CLI::App& app);
  void declare_adapters(CLI::App& app);
  /// Which engine, and what matters to published networks alone.
  void declare_published(CLI::App& app);
  void declare_detector(CLI::App& app);
  int thread_count() const;
  bool is_bundled() const { return engine == "bundled"; }
};

/// The one place that names concrete stages. @throws Error kModelMissing, kBadCheckpoint
Pipeline load_pipeline(const StageOptions& options, Stages stages);

}  // namespace qingyin::cli
