#pragma once

#include "cli/command.h"
#include "core/media/clip.h"

namespace qingyin::cli {

/// How a clip is opened.
struct InputFlags {
  bool is_untrusted = false;

  void declare(CLI::App& app);
  MediaLimits limits() const;
};

}  // namespace qingyin::cli
