#pragma once

#include <filesystem>
#include <memory>

#include "core/media/muxer.h"

namespace qingyin::media {

/// The part of a Muxer that touches media: it fills and checks a temporary file and leaves the
/// final name to its caller.
class CopyWriter : public Muxer {};

/// @param temporary  an existing, empty file
/// @throws Error as `open_muxer`
std::unique_ptr<CopyWriter> open_copy(const ClipInfo& clip, const MuxRequest& request,
                                      const std::filesystem::path& temporary);

}  // namespace qingyin::media
