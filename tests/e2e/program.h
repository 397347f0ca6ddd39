#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace qingyin::test {

/// What came of one run of a program.
struct Outcome {
  int exit_code = -1;  // 128 + signal if a signal ended it
  std::string out, err;
};

/// One run of a program.
struct ProgramRun {
  std::vector<std::string> arguments;                   // the program first
  std::filesystem::path folder = {};                    // working directory; empty: the test's own
  std::map<std::string, std::string> environment = {};  // added to the test's own
  bool closes_stdout = false;
  /// Sent as soon as stderr holds `text`.
  struct Interrupt {
    int signal;
    std::string text;
  };
  std::optional<Interrupt> interrupt = {};
  std::chrono::seconds limit{60};
};

/// Runs it to its end. Past the limit it is killed.
Outcome run(const ProgramRun& wanted);

/// Runs `build/bin/qingyin` with these arguments.
Outcome qingyin(const std::vector<std::string>& arguments,
                const std::filesystem::path& folder = {});

/// The path of the program under test.
std::string program();

/// Runs a shell command that has to succeed.
void shell(const std::string& command);

/// What a shell command prints; it has to succeed.
std::string shell_output(const std::string& command);

}  // namespace qingyin::test
