#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "core/error.h"
#include "core/media/clip.h"
#include "core/media/frame_reader.h"
#include "core/media/muxer.h"

namespace qingyin::media {

/// What one message between a program and its media child says.
enum class Word : std::uint32_t {
  // To the child, the first message.
  kProbe = 1,
  kFrames,
  kSound,
  kMux,
  // To the child that muxes.
  kSamples,
  kFinish,
  // From the child.
  kClip,
  kFrame,
  kEnd,
  kSoundBlock,
  kOpened,
  kDone,
  kError,
};

/// Builds the body of a message: numbers as they lie in memory (both ends are one machine).
class WireWriter {
 public:
  template <typename T>
  WireWriter& number(T value) {
    static_assert(std::is_arithmetic_v<T> || std::is_enum_v<T>);
    const auto* from = reinterpret_cast<const char*>(&value);
    bytes_.append(from, sizeof value);
    return *this;
  }
  WireWriter& text(const std::string& value) {
    number(static_cast<std::uint64_t>(value.size()));
    bytes_ += value;
    return *this;
  }
  WireWriter& texts(const std::vector<std::string>& values) {
    number(static_cast<std::uint64_t>(values.size()));
    for (const auto& value : values) text(value);
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

/// Takes a message apart. The other end is not trusted: each read is checked.
/// @throws Error kInvalidInput, reason "decoder_crashed", on a body that ends early or says
/// nonsense
class WireReader {
 public:
  explicit WireReader(const std::string& bytes) : bytes_(bytes) {}

  template <typename T>
  T number() {
    static_assert(std::is_arithmetic_v<T> || std::is_enum_v<T>);
    T value;
    std::memcpy(&value, take(sizeof value), sizeof value);
    return value;
  }
  bool flag() { return number<std::uint8_t>() != 0; }
  std::string text();
  std::vector<std::string> texts();
  /// Bytes not yet read.
  std::size_t left() const { return bytes_.size() - at_; }
  const char* take(std::size_t count);

 private:
  std::uint64_t count();

  const std::string& bytes_;
  std::size_t at_ = 0;
};

/// Throws what a body that makes no sense means.
[[noreturn]] void refuse_message();

/// Texts made fit to print and to store as JSON.
std::vector<std::string> clean_texts(WireReader& from);

void put(WireWriter& to, const MediaLimits& limits);
MediaLimits get_limits(WireReader& from);
/// All but the path, which both ends know.
void put(WireWriter& to, const ClipInfo& clip);
/// @throws Error kInvalidInput, reason "decoder_crashed", if the facts contradict one another or
/// the limits
ClipInfo get_clip(WireReader& from, const MediaLimits& limits);
void put(WireWriter& to, const FrameRequest& request);
FrameRequest get_frame_request(WireReader& from);
void put(WireWriter& to, const MuxRequest& request);
MuxRequest get_mux_request(WireReader& from);
void put(WireWriter& to, const Frame& frame);
/// @throws as above if the pixels are not of the size that the request allows
Frame get_frame(WireReader& from, const FrameRequest& request, const MediaLimits& limits);
void put(WireWriter& to, const Error& error);
Error get_error(WireReader& from);

}  // namespace qingyin::media
