#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/sound_flags.h"
#include "video_gen/prompt/composer.h"
#include "video_gen/video_settings.h"

namespace qingyin::cli {

/// What the command line says of a clip.
struct GenerateOptions {
  std::string prompt, negative, style, mood, camera, light;
  std::filesystem::path picture, clip;
  std::string model, size, sound = "auto", fps, memory;
  double seconds = 0;
  std::optional<double> guidance;
  std::vector<std::string> loras;
  prompt::Formula formula = prompt::Formula::kFull;
  int count = 1, round = 0;
  bool suggests = false, accepts_licence = false;
  SoundFlags flags;

  void declare(CLI::App& app);

  /// What the assistant makes a prompt from.
  prompt::Wish wish() const;
  /// @throws Error kUsage
  VideoSettings video_settings() const;

 private:
  void declare_prompt(CLI::App& app);
  void declare_clip(CLI::App& app);
  void declare_steps(CLI::App& app);
  void declare_memory(CLI::App& app);
  void declare_compatible(CLI::App& app);

  VideoSettings settings_;  // those that need no second look
};

}  // namespace qingyin::cli
