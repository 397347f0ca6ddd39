#pragma once

#include <cstdint>
#include <string>

#include "cli/command.h"
#include "core/media/clip.h"

namespace qingyin::cli {

/// How a clip is opened.
struct InputFlags {
  bool is_untrusted = false;

  void declare(CLI::App& app);
  MediaLimits limits() const;
};

/// Pixels; 0: what is usual.
struct PictureSize {
  std::int64_t width = 0, height = 0;
};

/// "720x480"; empty: what is usual. @throws Error kUsage
PictureSize picture_size(const std::string& text);

}  // namespace qingyin::cli
