#pragma once

#include <optional>

namespace qingyin::cli {

/// SIGINT and SIGTERM ask for an orderly stop; a second one ends the process at once with 130 or
/// 143. SIGPIPE and SIGXFSZ are ignored, so that the failing write reports.
void install_signal_handlers();

/// The signal that asked for a stop, if one did.
std::optional<int> stop_signal();

}  // namespace qingyin::cli
