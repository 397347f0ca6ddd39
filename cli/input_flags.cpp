#include "cli/input_flags.h"

namespace qingyin::cli {

void InputFlags::declare(CLI::App& app) {
  app.add_flag("--untrusted", is_untrusted,
               "read the clip in a process without files, network and rights; it may crash alone")
      ->group("Input");
}

MediaLimits InputFlags::limits() const { return {.isolated = is_untrusted}; }

}  // namespace qingyin::cli
