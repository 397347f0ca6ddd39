#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace qingyin {

/// What a JSON text holds, in the order of the text. Nothing is built, so a hostile text costs no
/// more memory than the receiver keeps.
class JsonEvents {
 public:
  virtual ~JsonEvents() = default;

  virtual void begin_object() = 0;
  virtual void key(const std::string& name) = 0;
  virtual void end_object() = 0;
  virtual void begin_array() = 0;
  virtual void end_array() = 0;
  virtual void string(const std::string& value) = 0;
  /// A non-negative integer below 2^64.
  virtual void integer(std::uint64_t value) = 0;
  /// Anything else: a negative, fractional, exponential or too large number, true, false, null.
  /// @param what  says which, for messages
  virtual void other(const std::string& what) = 0;
};

/// Scans one strict JSON text (RFC 8259, UTF-8 without byte order mark): no comments, no trailing
/// commas, no raw control characters, no lone surrogates, no repeated keys in one object, nothing
/// after the value but white space, at most 64 levels deep.
/// @param file    stands in messages
/// @throws Error  kBadCheckpoint
void scan_json(std::string_view text, JsonEvents& events, const std::filesystem::path& file);

}  // namespace qingyin
