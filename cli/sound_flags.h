#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/load_pipeline.h"
#include "cli/output_names.h"
#include "pipeline/pipeline.h"

namespace qingyin::cli {

/// Options of every command that makes sound.
struct SoundFlags {
  StageOptions stages;
  SoundOptions sound;
  OverwriteOptions overwrite;
  std::filesystem::path output, stems, timeline;
  bool is_dry_run = false;
  std::optional<RenderWay> way;
  std::optional<int> steps;  // none: the engine's own
  std::optional<double> guidance;
  bool ignores_picture = false;
  std::string event_picture = "none";

  void declare_output(CLI::App& app, const std::string& output_help);
  /// Seed, loudness, and what the bundled engine takes.
  void declare_bundled(CLI::App& app);
  /// The same and the choice of another engine.
  void declare_engine(CLI::App& app);
  /// The two ways in which an engine with eyes of its own can go.
  void declare_way(CLI::App& app);
  void declare_original(CLI::App& app);
  /// Mixing onto a clip: the original sound, stems, the timeline file.
  void declare_mix(CLI::App& app);

  /// @param preset  the way of an engine with eyes of its own, where none is asked for
  SoundOptions sound_options(RenderWay preset = RenderWay::kEvents) const;
  OutputRequest output_request(const std::filesystem::path& mix) const;
};

/// Words about what is heard.
struct WishFlags {
  Wishes wishes;

  void declare(CLI::App& app);
};

/// Says what came out, on the console and in the summary.
void show_result(const Result& result, Context& context);

/// What a run would do, for --dry-run.
struct RunPlan {
  std::filesystem::path input;
  Seconds duration{0};
  std::vector<std::filesystem::path> outputs;
  std::string engine;
  bool detects = false;
  std::size_t events = 0;  // that are rendered, where that is known before
};
/// About how long it will take, with the engine that the plan names.
Seconds estimated_time(const RunPlan& plan, const SoundFlags& flags);
void show_plan(const RunPlan& plan, const SoundFlags& flags, Context& context);

}  // namespace qingyin::cli
