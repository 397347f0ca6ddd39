#include "cli/command.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdio>

namespace qingyin::cli {

void CommonOptions::declare(CLI::App& app) {
  app.add_flag("-q,--quiet", is_quiet, "say nothing but errors")->group("Messages");
  app.add_flag("-v,--verbose", is_verbose, "say more")->group("Messages");
  app.add_flag("--json", wants_json, "print one summary document on standard output")
      ->group("Messages");
  add_choice<ProgressStyle>(app, "--progress", progress,
                            {{"auto", ProgressStyle::kAuto},
                             {"json", ProgressStyle::kJson},
                             {"none", ProgressStyle::kNone}},
                            "progress on standard error; auto: on a terminal only")
      ->group("Messages");
}

void name_environment(CLI::App& app) {
  // What names the files of one run, or plans it, belongs on its own command line.
  static constexpr std::array<std::string_view, 11> kOfOneRun = {
      "help",    "output",       "stems",   "timeline", "reroll", "dry-run",
      "restart", "retry-failed", "version", "info",     "new"};
  for (CLI::Option* option : app.get_options()) {
    if (option->get_lnames().empty()) continue;
    const std::string& name = option->get_lnames().front();
    if (std::find(kOfOneRun.begin(), kOfOneRun.end(), name) != kOfOneRun.end()) continue;
    std::string variable = "QINGYIN_";
    for (const char c : name) {
      variable += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    option->envname(variable);
  }
}

CLI::Validator whole_number() {
  return CLI::Validator(
      [](const std::string& given) -> std::string {
        const bool is_whole = !given.empty() && std::all_of(given.begin(), given.end(), [](char c) {
          return c >= '0' && c <= '9';
        });
        return is_whole ? "" : "'" + given + "' is not a whole number from 0 on";
      },
      "");
}

CLI::Validator number_in(double low, double high) {
  char range[64];
  std::snprintf(range, sizeof range, "%g to %g", low, high);
  const std::string text = range;
  return CLI::Validator(
      [low, high, text](const std::string& given) -> std::string {
        double value = 0;
        const bool is_number = CLI::detail::lexical_cast(given, value) && std::isfinite(value);
        if (is_number && value >= low && value <= high) return {};
        return "'" + given + "' is not a number from " + text;
      },
      "");
}

}  // namespace qingyin::cli
