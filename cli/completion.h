#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace qingyin::cli {

enum class Shell { kBash, kZsh, kFish };

/// The completion script of a shell, made from the commands and options of `program`.
std::string completion_script(const CLI::App& program, Shell shell);

}  // namespace qingyin::cli
