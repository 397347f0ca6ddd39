#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace qingyin {

/// Synchformer's visual encoder (Iashin et al., "Synchformer", 2024; v-iashin/Synchformer), a
/// Motionformer with divided attention over a segment of frames.
struct SynchformerConfig {
  std::int64_t width;  // D
  std::int64_t layers;
  std::int64_t heads;        // H, divides width
  std::int64_t grid;         // patches along a side of a frame
  std::int64_t patch = 16;   // pixels
  std::int64_t tubelet = 2;  // frames in one token
  std::int64_t frames = 16;  // F, of a segment
  std::int64_t mlp_ratio = 4;
  double norm_eps = 1e-6;

  std::int64_t times() const { return frames / tubelet; }     // tokens of a segment in time
  std::int64_t places() const { return grid * grid; }         // tokens of a frame
  std::int64_t picture_side() const { return grid * patch; }  // pixels
};

/// Every rule that the config breaks, each naming the field; empty means valid.
std::vector<std::string> problems(const SynchformerConfig& config);

/// The published size: 224 pixels, 122.44 M parameters.
SynchformerConfig synchformer_published();

}  // namespace qingyin
