#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/signals.h"
#include "core/error.h"
#include "core/text.h"

namespace qingyin::cli {
namespace {

constexpr int kUsageExit = 2;

struct Run {
  std::function<void(Context&)> function;
  CommonOptions common;
};

// Declares every command on the program; `run` is filled by the one that was chosen.
void declare_commands(CLI::App& program, std::vector<Command>& commands,
                      std::vector<CommonOptions>& common, Run& run) {
  for (std::size_t i = 0; i < commands.size(); ++i) {
    const Command& command = commands[i];
    CLI::App* app = program.add_subcommand(command.name, command.summary);
    app->footer("Examples:\n" + command.examples);
    const auto function = command.declare(*app);
    common[i].declare(*app);
    name_environment(*app);
    app->callback([&run, function, &options = common[i]] { run = {function, options}; });
  }
}

// The stop signal's code wins over the error's own.
int code_of(const Error& error) {
  const auto signal = stop_signal();
  if (error.code() == ErrorCode::kCancelled && signal) return 128 + *signal;
  return exit_code(error.code());
}

int execute(const Run& run, Context& context) {
  const auto fail = [&](int code, const std::string& reason, const std::string& message) {
    context.progress.end();
    context.summary.fail(code, reason, message);
    // Whoever closed our output does not want to hear about it.
    if (reason != "stdout") context.console.error(message);
    return code;
  };
  try {
    run.function(context);
    context.progress.end();
    return context.exit_code;
  } catch (const Error& e) {
    const int code = code_of(e);
    if (code > 128) return fail(code, "signal", "stopped by request; " + context.when_stopped);
    const std::string reason(e.reason().empty() ? name_of(e.code()) : e.reason());
    return fail(code, reason, e.what());
  } catch (const std::bad_alloc&) {
    return fail(5, "memory", "out of memory; close other programs or use a shorter clip");
  } catch (const std::exception& e) {
    return fail(70, "internal", std::string("internal error, please report it: ") + e.what());
  }
}

int parse_failure(const CLI::App& program, const CLI::ParseError& error, const char* first_word,
                  Console& console) {
  if (error.get_exit_code() == 0) {
    std::string text = std::string("qingyin ") + QINGYIN_VERSION + "\n";
    if (dynamic_cast<const CLI::CallForVersion*>(&error) == nullptr) {
      const auto chosen = program.get_subcommands();
      text = chosen.empty() ? program.help() : chosen.front()->help("qingyin");
    }
    console.result(text);
    return 0;
  }
  if (program.get_subcommands().empty() && first_word != nullptr && *first_word != '-') {
    console.error("there is no command " + excerpt(first_word) + "; see qingyin --help");
    return kUsageExit;
  }
  std::string help = "qingyin";
  for (const CLI::App* chosen : program.get_subcommands()) help += " " + chosen->get_name();
  console.error(std::string(error.what()) + "; see " + help + " --help");
  return kUsageExit;
}

int run_program(int argc, char** argv, Console& console) {
  std::vector<Command> commands = {add_command(),      batch_command(),      status_command(),
                                   render_command(),   understand_command(), sfx_command(),
                                   generate_command(), rerun_command(),      info_command(),
                                   doctor_command(),   models_command(),     train_command(),
                                   bench_command(),    completion_command()};
  std::vector<CommonOptions> common(commands.size());
  Run run;
  CLI::App program("Gives video its sound: finds what should be heard, makes it, puts it in place.",
                   "qingyin");
  program.set_version_flag("--version", std::string("qingyin ") + QINGYIN_VERSION);
  program.require_subcommand(1);
  program.footer(
      "Examples:\n  qingyin add clip.mp4            sound for a clip: clip.sound.mp4\n"
      "  qingyin sfx \"a bell\" -o bell.wav\n  qingyin COMMAND --help          more, with "
      "examples");
  declare_commands(program, commands, common, run);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return parse_failure(program, e, argc > 1 ? argv[1] : nullptr, console);
  }

  if (run.common.is_quiet) console.set_verbosity(Verbosity::kQuiet);
  if (run.common.is_verbose) console.set_verbosity(Verbosity::kVerbose);
  ProgressView progress(console);
  progress.set_style(run.common.progress);
  Summary summary;
  summary.command = program.get_subcommands().front()->get_name();
  Context context{console, progress, summary, program, run.common.wants_json, run.common.progress};
  const int code = execute(run, context);
  if (run.common.wants_json) console.result(summary.to_json(code));
  return code;
}

}  // namespace
}  // namespace qingyin::cli

int main(int argc, char** argv) {
  using namespace qingyin;
  cli::install_signal_handlers();
  cli::Console console;
  try {
    return cli::run_program(argc, argv, console);
  } catch (const Error& e) {
    return exit_code(e.code());
  } catch (const std::exception& e) {
    console.error(std::string("internal error, please report it: ") + e.what());
    return exit_code(ErrorCode::kInternal);
  }
}
