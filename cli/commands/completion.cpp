#include "cli/completion.h"

#include "cli/commands.h"

namespace qingyin::cli {
namespace {

struct CompletionOptions {
  Shell shell = Shell::kBash;

  void declare(CLI::App& app) {
    add_choice<Shell>(app, "shell", shell,
                      {{"bash", Shell::kBash}, {"zsh", Shell::kZsh}, {"fish", Shell::kFish}},
                      "shell to complete in")
        ->required();
  }
};

void print_completion(const CompletionOptions& options, Context& context) {
  const std::string script = completion_script(context.program, options.shell);
  if (!context.wants_json) context.console.result(script);
}

}  // namespace

Command completion_command() {
  return make_command(
      "completion", "Print the completion script of a shell.",
      "  qingyin completion bash > ~/.local/share/bash-completion/completions/qingyin\n"
      "  qingyin completion zsh > \"${fpath[1]}/_qingyin\"\n"
      "  qingyin completion fish | source",
      print_completion);
}

}  // namespace qingyin::cli
