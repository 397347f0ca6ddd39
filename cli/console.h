#pragma once

#include <string>
#include <string_view>

namespace qingyin::cli {

/// How much a run says on stderr.
enum class Verbosity { kQuiet, kNormal, kVerbose };

/// Text of unknown origin (file names, tags, messages) made safe for a terminal: control
/// characters, escape sequences, text-direction marks and bytes that are not UTF-8 become \xNN.
/// Line feeds stay.
std::string safe_text(std::string_view text);

/// Where messages and results go: results to stdout, everything else to stderr.
class Console {
 public:
  /// Colour is used on a terminal unless NO_COLOR is set.
  Console();

  void set_verbosity(Verbosity verbosity) { verbosity_ = verbosity; }
  Verbosity verbosity() const { return verbosity_; }
  bool has_terminal() const { return has_terminal_; }
  bool has_color() const { return has_color_; }

  /// One result text on stdout. @throws Error kIo if stdout is closed or full
  void result(std::string_view text);
  /// A message for people, not with --quiet.
  void note(std::string_view text);
  /// A detail, with --verbose only.
  void detail(std::string_view text);
  /// Something that the user should know, not with --quiet.
  void warning(std::string_view text);
  /// Why the run failed; always said.
  void error(std::string_view text);

  /// Replaces the status line (terminal only); empty clears it.
  void status_line(std::string_view text);
  /// A line on stderr as it is, for progress that programs read.
  void raw_line(std::string_view text);

 private:
  void say(std::string_view prefix, std::string_view color, std::string_view text);

  Verbosity verbosity_ = Verbosity::kNormal;
  bool has_terminal_, has_color_;
  bool has_status_ = false;
};

}  // namespace qingyin::cli
