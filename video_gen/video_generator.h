#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/progress.h"
#include "core/time.h"
#include "video_gen/memory_plan.h"
#include "video_gen/picture.h"
#include "video_gen/video_settings.h"

namespace qingyin {

/// What a clip is to show. A picture or a clip beside the text makes it image- or video-to-video.
struct VideoPrompt {
  std::string text;      // English; may be empty where a picture is given
  std::string negative;  // what it is not to show
  std::optional<RgbPicture> picture;
  PictureSource clip;  // pictures of the clip that is to be changed; empty: none
};

VideoTask task_of(const VideoPrompt& prompt);

struct VideoFormat {
  std::int64_t width = 0, height = 0;  // pixels
  std::int64_t frames = 0;
  FrameRate rate{8, 1};
};

/// Where finished frames go.
class FrameSink {
 public:
  virtual ~FrameSink() = default;
  /// Once, before the first frame.
  virtual void begin(const VideoFormat& format) = 0;
  /// A preview between two steps, where settings ask for it: some pictures of the clip in a row,
  /// small, as far as they can be told.
  virtual void preview(const RgbPicture& /*strip*/) {}
  /// The next frame: sRGB [height, width, 3].
  virtual void write(std::span<const std::uint8_t> rgb) = 0;
};

/// What a checkpoint is and can do.
struct VideoModelInfo {
  std::string name = {};     // "cogvideox-5b-i2v"; "cogvideox" for shapes that were not published
  std::string licence = {};  // of the published weights, with what it restricts
  bool is_from_picture = false;       // needs a picture; else text, and perhaps a clip
  bool is_second_generation = false;  // 1.5
  VideoFormat native = {};            // what it was trained for
  std::int64_t longest_frames = 0;
  std::int64_t frame_grid = 8;  // lengths are a multiple of this, plus 1
  std::int64_t size_grid = 16;  // width and height are multiples of this
  bool has_fixed_size = false;  // only the native size, unless the stored table is ignored
  std::int64_t text_tokens = 0;
  bool has_fixed_text = false;  // exactly so many rows of text
};

/// What a run will take.
struct VideoEstimate {
  MemoryPlan memory = {};
  std::int64_t tokens = 0;  // of text and video in the transformer
  std::int64_t steps = 0;
  std::vector<std::int64_t> skipped_steps = {};  // from 0; reused with TeaCache
  double tera_flop = 0;                          // of all forwards of the transformer
};

/// What a run did, enough to repeat it and to judge it.
struct VideoReport {
  VideoModelInfo model = {};
  VideoTask task = VideoTask::kFromText;
  VideoFormat format = {};
  VideoSettings settings = {};  // complete
  MemoryPlan memory = {};
  std::vector<std::int64_t> timesteps = {};
  std::vector<std::int64_t> skipped_steps = {};  // from 0; reused with TeaCache
  std::vector<double> guidance = {};             // the weight of each step
  std::vector<std::string> warnings = {};  // what of the prompt was cut off, an untrained size
  std::vector<std::string> quirks = {};    // compatible modes that were on, by name
  std::vector<std::string> loras = {};     // of each: matched and unmatched modules, scale
};

/// Makes silent clips. Const after construction; calls may overlap, each with its own memory.
class VideoGenerator {
 public:
  virtual ~VideoGenerator() = default;

  virtual const VideoModelInfo& info() const = 0;

  /// The settings with every "what is usual" filled in.
  /// @throws Error  kUsage naming what is wrong and the nearest value that is right: sizes, length,
  ///                steps, strength; a prompt that the model cannot take; a LoRA that is not there
  VideoSettings completed(const VideoPrompt& prompt, const VideoSettings& settings) const;

  /// Nothing but the small files of the checkpoint and the heads of the large ones is read.
  /// @throws Error  as `completed`; kModelMissing, kBadCheckpoint if a network's file or a LoRA is
  ///                not what the model needs; kDevice if no plan fits into `memory_bytes`, with
  ///                what would
  VideoEstimate estimate(const VideoPrompt& prompt, const VideoSettings& settings) const;

  /// Frames go to the sink in order, a batch at a time, after the last step. The same seed and
  /// settings give the same frames on the same machine.
  /// @throws Error  as `estimate`; kModelMissing, kBadCheckpoint; kInternal with reason "nan" if
  ///                the model's first answer is not finite; kCancelled between two steps or two
  ///                batches of frames; what the sink throws
  VideoReport generate(const VideoPrompt& prompt, const VideoSettings& settings, FrameSink& sink,
                       const Progress& progress = {}) const;

 private:
  virtual VideoEstimate do_estimate(const VideoPrompt& prompt,
                                    const VideoSettings& settings) const = 0;
  virtual VideoReport do_generate(const VideoPrompt& prompt, const VideoSettings& settings,
                                  FrameSink& sink, const Progress& progress) const = 0;
};

/// A published CogVideoX checkpoint in the diffusers layout. Its small files are read and checked.
/// @throws Error  kModelMissing naming every file that is not there; kBadCheckpoint
std::unique_ptr<VideoGenerator> open_video_generator(const std::filesystem::path& folder);

}  // namespace qingyin
