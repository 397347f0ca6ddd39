#include "cli/input_flags.h"

#include <cstdio>

#include "core/error.h"
#include "core/text.h"

namespace qingyin::cli {

void InputFlags::declare(CLI::App& app) {
  app.add_flag("--untrusted", is_untrusted,
               "read the clip in a process without files, network and rights; it may crash alone")
      ->group("Input");
}

MediaLimits InputFlags::limits() const { return {.isolated = is_untrusted}; }

PictureSize picture_size(const std::string& text) {
  if (text.empty()) return {};
  long width = 0, height = 0;
  int used = 0;
  const bool is_size = std::sscanf(text.c_str(), "%ldx%ld%n", &width, &height, &used) == 2 &&
                       static_cast<std::size_t>(used) == text.size() && width > 0 && height > 0;
  require(is_size, ErrorCode::kUsage, "--size " + excerpt(text) + " is no size; expected 720x480");
  return {width, height};
}

}  // namespace qingyin::cli
