#pragma once

#include <filesystem>
#include <memory>

#include "core/media/audio_reader.h"
#include "core/media/copy_writer.h"
#include "core/media/frame_reader.h"

namespace qingyin::media {

// The same work as `probe`, `open_frames`, `open_audio` and `open_copy`, each in a MediaChild. In
// addition to their own errors they throw kInvalidInput with reason "decoder_crashed" or "limit".

ClipInfo probe_isolated(const std::filesystem::path& path, const MediaLimits& limits);

std::unique_ptr<FrameReader> open_isolated_frames(const ClipInfo& clip, const FrameRequest& request,
                                                  const MediaLimits& limits);

std::unique_ptr<AudioReader> open_isolated_audio(const ClipInfo& clip, const MediaLimits& limits);

std::unique_ptr<CopyWriter> open_isolated_copy(const ClipInfo& clip, const MuxRequest& request,
                                               const std::filesystem::path& temporary);

}  // namespace qingyin::media
