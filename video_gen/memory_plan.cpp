#include "video_gen/memory_plan.h"

#include <algorithm>
#include <cstdio>

namespace qingyin {

std::string gigabytes(std::int64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f GB", static_cast<double>(bytes) / 1e9);
  return text;
}

std::int64_t MemoryPlan::peak_bytes() const {
  std::int64_t peak = 0;
  for (const MemoryStage& stage : stages) peak = std::max(peak, stage.bytes());
  return peak;
}

std::string MemoryPlan::text() const {
  std::string text;
  for (const MemoryStage& stage : stages) {
    text += stage.name + " " + gigabytes(stage.bytes());
    if (stage.name == "text" && maps_text) text += " (as stored)";
    if (stage.name == "denoise" && streams_transformer)
      text += has_int8_blocks ? " (weights in 8 bits, streamed)" : " (weights streamed)";
    else if (stage.name == "denoise" && has_int8_blocks)
      text += " (weights in 8 bits)";
    if (stage.name == "decode" && tiles_vae) text += " (tiled)";
    text += ", ";
  }
  if (!text.empty()) text.replace(text.size() - 2, 2, "; ");
  return text + "peak " + gigabytes(peak_bytes());
}

}  // namespace qingyin
