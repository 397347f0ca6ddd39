#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace qingyin {

/// What a part of a run holds in memory at its peak.
struct MemoryStage {
  std::string name;  // "text", "encode", "denoise", "decode"
  std::int64_t weights_bytes = 0, working_bytes = 0;

  std::int64_t bytes() const { return weights_bytes + working_bytes; }
};

/// "3.4 GB"
std::string gigabytes(std::int64_t bytes);

/// How a run is fitted into memory. Its parts follow one another, and each lets its weights go.
struct MemoryPlan {
  bool maps_text = false;            // the text encoder runs as it is stored, from the mapped file
  bool has_int8_blocks = false;      // the transformer's, as the run asks
  bool streams_transformer = false;  // one block at a time from the mapped file, for every step
  bool tiles_vae = false;            // changes the picture a little where tiles meet
  std::vector<MemoryStage> stages = {};  // in their order

  std::int64_t peak_bytes() const;
  /// "denoise 10.2 GB (weights streamed), decode 3.4 GB (tiled); peak 10.2 GB"
  std::string text() const;
};

}  // namespace qingyin
