#pragma once

#include <vector>

#include "cli/command.h"

namespace qingyin::cli {

Command add_command();
Command understand_command();
Command render_command();
Command sfx_command();
Command batch_command();
Command bench_command();
Command status_command();
Command info_command();
Command doctor_command();
Command completion_command();
Command models_command();
Command generate_command();
Command rerun_command();
Command train_command();

}  // namespace qingyin::cli
