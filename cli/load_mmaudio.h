#pragma once

#include <memory>

#include "audio_gen/audio_generator.h"
#include "cli/load_pipeline.h"
#include "pipeline/pipeline.h"

namespace qingyin::cli {

/// An MMAudio engine and the eyes that it sees through.
struct MmaudioStage {
  std::unique_ptr<AudioGenerator> engine;
  std::shared_ptr<Sight> sight;
  Pipeline::Choices choices;  // that decide the samples
};

/// @throws Error  as find_mmaudio; kModelMissing (reason "licence"); kDevice (reason "memory") if a
///                network does not fit into --memory
MmaudioStage load_mmaudio(const StageOptions& options);

/// Bytes of "4G", "500M"; 0 for "auto". @throws Error kUsage
std::uint64_t parse_memory(const std::string& text);

}  // namespace qingyin::cli
