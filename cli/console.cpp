#include "cli/console.h"

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "core/error.h"

namespace qingyin::cli {
namespace {

// Length of the well-formed UTF-8 sequence at `text`, 0 if there is none; its code point in `code`.
std::size_t sequence_length(std::string_view text, std::uint32_t& code) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) {
    code = first;
    return 1;
  }
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
  if (length == 0 || first > 0xF4 || text.size() < length) return 0;
  code = first & (0x7F >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
    code = (code << 6) | (byte(i) & 0x3F);
  }
  const bool is_overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool is_surrogate = code >= 0xD800 && code < 0xE000;
  return is_overlong || is_surrogate || code > 0x10FFFF ? 0 : length;
}

bool is_harmless(std::uint32_t code) {
  if (code == '\n') return true;
  if (code < 0x20 || (code >= 0x7F && code < 0xA0)) return false;
  const bool is_direction_mark = (code >= 0x200B && code <= 0x200F) ||
                                 (code >= 0x2028 && code <= 0x202E) ||
                                 (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF;
  return !is_direction_mark;
}

void append_escaped(std::string& out, std::string_view bytes) {
  char hex[5];
  for (const char c : bytes) {
    std::snprintf(hex, sizeof hex, "\\x%02x", static_cast<unsigned char>(c));
    out += hex;
  }
}

}  // namespace

std::string safe_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    std::uint32_t code = 0;
    const std::size_t length = sequence_length(text, code);
    const auto piece = text.substr(0, length == 0 ? 1 : length);
    if (length > 0 && is_harmless(code)) {
      out += piece;
    } else {
      append_escaped(out, piece);
    }
    text.remove_prefix(piece.size());
  }
  return out;
}

Console::Console() : has_terminal_(isatty(STDERR_FILENO) == 1) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  has_color_ = has_terminal_ && (no_color == nullptr || *no_color == '\0') &&
               (terminal == nullptr || std::string_view(terminal) != "dumb");
}

void Console::result(std::string_view text) {
  const bool is_written =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (!is_written) {
    throw Error(ErrorCode::kIo, "cannot write the result to standard output: it is closed or full",
                "stdout");
  }
}

void Console::note(std::string_view text) {
  if (verbosity_ != Verbosity::kQuiet) say("", "", text);
}

void Console::detail(std::string_view text) {
  if (verbosity_ == Verbosity::kVerbose) say("", "\033[2m", text);
}

void Console::warning(std::string_view text) {
  if (verbosity_ != Verbosity::kQuiet) say("qingyin: warning: ", "\033[33m", text);
}

void Console::error(std::string_view text) { say("qingyin: ", "\033[31m", text); }

void Console::say(std::string_view prefix, std::string_view color, std::string_view text) {
  status_line("");
  std::string line;
  if (has_color_) line += color;
  line += prefix;
  line += safe_text(text);
  if (has_color_ && !color.empty()) line += "\033[0m";
  line += '\n';
  std::fwrite(line.data(), 1, line.size(), stderr);
}

void Console::status_line(std::string_view text) {
  if (!has_terminal_ || (text.empty() && !has_status_)) return;
  const std::string line = "\r\033[K" + safe_text(text);
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
  has_status_ = !text.empty();
}

void Console::raw_line(std::string_view text) {
  const std::string line = std::string(text) + '\n';
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
}

}  // namespace qingyin::cli
