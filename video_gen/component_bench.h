#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/progress.h"
#include "video_gen/video_settings.h"

namespace qingyin {

/// The networks of a run, each measured by itself.
enum class VideoComponent { kText, kTransformer, kEncode, kDecode };

/// What is measured: full-size networks with random weights, no files.
struct ComponentBenchRequest {
  std::string model;                       // "cogvideox:2b", "cogvideox:1.5-5b-i2v", ...
  std::vector<VideoComponent> components;  // in their order; empty: all
  std::int64_t width = 0, height = 0;      // pixels; 0: the model's own
  std::int64_t frames = 0;                 // 0: the model's own
  std::int64_t clips = 2;                  // that the transformer sees at once; 2: with guidance
  std::int64_t layers = 1;  // of the text encoder and of the transformer that are run
  std::int64_t repeats = 1;
  bool is_tiled = false;       // the VAE, in the tiles of a run whose memory is short
  bool is_whole_clip = false;  // through the VAE; else its first batch of frames, the largest
  VideoPrecision precision = VideoPrecision::kFloat32;
  VideoWeights weights = VideoWeights::kFull;  // the transformer's
  int threads = 1;
};

/// A network's part that was run, and what of the whole it is.
struct ComponentFigures {
  std::string name = {};                                    // "transformer"
  std::vector<double> wall_seconds = {}, cpu_seconds = {};  // of each repeat; user and system time
  double giga_flop = 0;            // of matrix products and convolutions, a repeat
  double share = 1;                // of the network's work for the whole clip
  std::int64_t peak_bytes = 0;     // resident memory at its largest, less what was there before
  std::int64_t planned_bytes = 0;  // what the memory plan says of such a part
  std::string measured = {};       // "1 of 30 blocks"
};

/// Measures one component after another; the making of weights is not counted in the time.
/// @throws Error  kUsage naming what is wrong; kCancelled
std::vector<ComponentFigures> bench_components(const ComponentBenchRequest& request,
                                               const Progress& progress = {});

}  // namespace qingyin
