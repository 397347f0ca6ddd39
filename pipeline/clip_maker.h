#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/atomic_file.h"
#include "core/progress.h"
#include "video_gen/video_generator.h"

namespace qingyin {

/// A generated clip's files.
struct ClipFiles {
  std::filesystem::path video = {};  // .mp4, .mov or .mkv; silent
  std::filesystem::path cover = {};  // .png, the middle frame; empty: not wanted
  // .png, where settings ask for previews: always the last one, gone when the run ends; empty: none
  std::filesystem::path preview = {};
  FrameRate rate{0, 1};  // of the file; 0: the model's own
  Overwrite overwrite = Overwrite::kNo;
};

/// Generates a clip into a file, frame by frame, with a cover beside it. Nothing is left behind if
/// it fails or is stopped.
/// @throws Error as VideoGenerator::generate; kIo
VideoReport make_clip(const VideoGenerator& generator, const VideoPrompt& prompt,
                      const VideoSettings& settings, const ClipFiles& files,
                      const Progress& progress = {});

/// What a clip was made from, in words that `read_recipe` takes back (schema qingyin.clip/1).
struct ClipRecipe {
  std::string model = {};  // a known model's id, or the folder of a checkpoint
  std::string text = {}, negative = {}, sound = {};  // sound: what was asked for
  std::filesystem::path picture = {}, clip = {};     // inputs beside the text; empty: none
  VideoSettings settings = {};                       // complete
  FrameRate rate{0, 1};
};

/// The recipe of a clip and what the run says of itself, as JSON.
std::string recipe_json(const ClipRecipe& recipe, const VideoReport& report);

/// @throws Error kInvalidInput if the file is no such recipe
ClipRecipe read_recipe(const std::filesystem::path& file);

}  // namespace qingyin
