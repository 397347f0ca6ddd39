#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/console.h"
#include "cli/progress_view.h"
#include "cli/summary.h"

namespace qingyin::cli {

/// What a running command has at hand.
struct Context {
  Console& console;
  ProgressView& progress;
  Summary& summary;
  const CLI::App& program;  // all commands and options, for completion
  bool wants_json = false;  // the summary goes to stdout: print no other result
  ProgressStyle progress_style = ProgressStyle::kAuto;
  /// What a person who stops the command should know.
  std::string when_stopped = "no unfinished output was left behind";
  int exit_code = 0;  // of a run that threw nothing: a batch can end well and have failed items
};

/// Options that every command has.
struct CommonOptions {
  bool is_quiet = false, is_verbose = false, wants_json = false;
  ProgressStyle progress = ProgressStyle::kAuto;

  void declare(CLI::App& app);
};

/// One verb: how to declare its options, and what to do. `declare` returns the function to run.
struct Command {
  std::string name, summary, examples;
  std::function<std::function<void(Context&)>(CLI::App&)> declare;
};

/// A command from an options struct (with one `declare(CLI::App&)`, the only list of its options)
/// and a function.
template <class Options>
Command make_command(std::string name, std::string summary, std::string examples,
                     void (*run)(const Options&, Context&)) {
  return {std::move(name), std::move(summary), std::move(examples), [run](CLI::App& app) {
            auto options = std::make_shared<Options>();
            options->declare(app);
            return [options, run](Context& context) { run(*options, context); };
          }};
}

/// Gives every option of `app` without a file or flag of this run alone its environment name,
/// QINGYIN_ and the option's long name.
void name_environment(CLI::App& app);

/// An option with fixed words. The words stand in the help and in the completion.
template <class Value>
CLI::Option* add_choice(CLI::App& app, const std::string& names, Value& value,
                        std::vector<std::pair<std::string, Value>> words,
                        const std::string& description) {
  std::string all, preset;
  for (const auto& [word, meaning] : words) {
    all += (all.empty() ? "" : "|") + word;
    if (meaning == value) preset = word;
  }
  const auto set = [&value, words = std::move(words), names, all](const std::string& given) {
    for (const auto& [word, meaning] : words) {
      if (word == given) {
        value = meaning;
        return;
      }
    }
    throw CLI::ValidationError(names, "'" + given + "' is none of " + all);
  };
  CLI::Option* option =
      app.add_option_function<std::string>(names, set, description)->type_name(all);
  if (!preset.empty()) option->default_str(preset);
  return option;
}

/// Digits only: CLI11 takes "-1" for a large unsigned number.
CLI::Validator whole_number();

/// A finite number in [low, high]; "nan" is refused too.
CLI::Validator number_in(double low, double high);

}  // namespace qingyin::cli
