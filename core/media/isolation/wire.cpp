#include "core/media/isolation/wire.h"

#include <cmath>

#include "core/media/media_log.h"

namespace qingyin::media {
namespace {

void put(WireWriter& to, FrameRate rate) { to.number(rate.num).number(rate.den); }
FrameRate get_rate(WireReader& from) {
  FrameRate rate;
  rate.num = from.number<std::int64_t>();
  rate.den = from.number<std::int64_t>();
  return rate;
}

template <typename T>
void put_optional(WireWriter& to, const std::optional<T>& value) {
  to.number(static_cast<std::uint8_t>(value.has_value()));
  if (!value) return;
  if constexpr (std::is_arithmetic_v<T>) {
    to.number(*value);
  } else {
    put(to, *value);
  }
}

void put(WireWriter& to, const StreamInfo& stream) {
  to.number(stream.index).number(stream.kind);
  to.text(stream.codec).text(stream.language).text(stream.title);
  to.number(static_cast<std::uint8_t>(stream.is_default))
      .number(static_cast<std::uint8_t>(stream.is_attached_picture))
      .number(stream.sample_rate_hz)
      .number(stream.channels);
}

// What comes from the child's end is cleaned again: it is printed and stored as JSON.
std::string clean_text(WireReader& from) { return cleaned(from.text()); }

StreamInfo get_stream(WireReader& from, int index) {
  StreamInfo stream = {};
  stream.index = from.number<int>();
  const auto kind = from.number<std::uint32_t>();
  if (stream.index != index || kind > static_cast<std::uint32_t>(StreamKind::kAttachment)) {
    refuse_message();
  }
  stream.kind = static_cast<StreamKind>(kind);
  stream.codec = clean_text(from);
  stream.language = clean_text(from);
  stream.title = clean_text(from);
  stream.is_default = from.flag();
  stream.is_attached_picture = from.flag();
  stream.sample_rate_hz = from.number<int>();
  stream.channels = from.number<int>();
  return stream;
}

void check(bool makes_sense) {
  if (!makes_sense) refuse_message();
}

void check_facts(const ClipInfo& clip, const MediaLimits& limits) {
  const auto count = static_cast<int>(clip.streams.size());
  const double seconds = clip.duration.count();
  check(std::isfinite(seconds) && seconds >= 0 && seconds <= limits.max_duration.count());
  check(clip.width > 0 && clip.height > 0 && clip.width <= limits.max_pixels &&
        clip.height <= limits.max_pixels);
  check(clip.rate.num >= 0 && clip.rate.den > 0 && clip.tick_rate.num > 0 &&
        clip.tick_rate.den > 0);
  check(clip.duration_ticks >= 0 && clip.video_stream >= 0 && clip.video_stream < count);
  check(!clip.audio_stream || (*clip.audio_stream >= 0 && *clip.audio_stream < count));
  check(clip.bytes >= 0);
}

}  // namespace

void refuse_message() {
  throw Error(ErrorCode::kInvalidInput,
              "media: the process that reads the file answered with nonsense", "decoder_crashed");
}

const char* WireReader::take(std::size_t count) {
  if (count > left()) refuse_message();
  const char* from = bytes_.data() + at_;
  at_ += count;
  return from;
}

std::uint64_t WireReader::count() {
  const auto value = number<std::uint64_t>();
  if (value > left()) refuse_message();
  return value;
}

std::string WireReader::text() {
  const std::uint64_t size = count();
  return {take(size), size};
}

std::vector<std::string> WireReader::texts() {
  std::vector<std::string> values;
  for (std::uint64_t left = count(); left > 0; --left) values.push_back(text());
  return values;
}

std::vector<std::string> clean_texts(WireReader& from) {
  auto values = from.texts();
  for (auto& value : values) value = cleaned(value);
  return values;
}

void put(WireWriter& to, const MediaLimits& limits) {
  to.number(limits.max_pixels).number(limits.max_streams).number(limits.max_duration.count());
  to.number(limits.max_frames).number(limits.max_decoded_bytes);
  to.number(limits.no_progress.count());
}

MediaLimits get_limits(WireReader& from) {
  MediaLimits limits;
  limits.max_pixels = from.number<std::int64_t>();
  limits.max_streams = from.number<int>();
  limits.max_duration = Seconds(from.number<double>());
  limits.max_frames = from.number<std::int64_t>();
  limits.max_decoded_bytes = from.number<std::int64_t>();
  limits.no_progress = Seconds(from.number<double>());
  return limits;
}

void put(WireWriter& to, const ClipInfo& clip) {
  to.text(clip.container).number(clip.duration.count());
  put(to, clip.rate);
  put(to, clip.tick_rate);
  to.number(clip.start_ticks).number(clip.duration_ticks).number(clip.earliest_ticks);
  to.number(clip.width).number(clip.height).number(clip.rotation_deg).number(clip.bytes);
  to.number(clip.video_stream);
  put_optional(to, clip.audio_stream);
  to.number(static_cast<std::uint64_t>(clip.streams.size()));
  for (const auto& stream : clip.streams) put(to, stream);
  to.texts(clip.warnings);
}

ClipInfo get_clip(WireReader& from, const MediaLimits& limits) {
  ClipInfo clip;
  clip.container = clean_text(from);
  clip.duration = Seconds(from.number<double>());
  clip.rate = get_rate(from);
  clip.tick_rate = get_rate(from);
  clip.start_ticks = from.number<std::int64_t>();
  clip.duration_ticks = from.number<std::int64_t>();
  clip.earliest_ticks = from.number<std::int64_t>();
  clip.width = from.number<std::int64_t>();
  clip.height = from.number<std::int64_t>();
  clip.rotation_deg = from.number<int>();
  clip.bytes = from.number<std::int64_t>();
  clip.video_stream = from.number<int>();
  if (from.flag()) clip.audio_stream = from.number<int>();
  const auto count = from.number<std::uint64_t>();
  check(count <= static_cast<std::uint64_t>(limits.max_streams));
  for (int i = 0; i < static_cast<int>(count); ++i) clip.streams.push_back(get_stream(from, i));
  clip.warnings = clean_texts(from);
  check_facts(clip, limits);
  return clip;
}

void put(WireWriter& to, const FrameRequest& request) {
  put_optional(to, request.rate);
  to.number(request.longest_side).number(request.color).number(request.decode_threads);
}

FrameRequest get_frame_request(WireReader& from) {
  FrameRequest request;
  if (from.flag()) request.rate = get_rate(from);
  request.longest_side = from.number<std::int64_t>();
  request.color = from.number<FrameColor>();
  request.decode_threads = from.number<int>();
  return request;
}

void put(WireWriter& to, const MuxRequest& request) {
  to.text(request.target.native());
  to.number(static_cast<std::uint8_t>(request.keep_original_audio_tracks));
  to.number(static_cast<std::uint64_t>(request.metadata.size()));
  for (const auto& [key, value] : request.metadata) to.text(key).text(value);
}

MuxRequest get_mux_request(WireReader& from) {
  MuxRequest request;
  request.target = from.text();
  request.keep_original_audio_tracks = from.flag();
  for (auto left = from.number<std::uint64_t>(); left > 0; --left) {
    const std::string key = from.text();
    request.metadata[key] = from.text();
  }
  return request;
}

void put(WireWriter& to, const Frame& frame) {
  to.number(frame.height).number(frame.width).number(frame.channels).number(frame.time.count());
  to.text({reinterpret_cast<const char*>(frame.pixels.data()), frame.pixels.size()});
}

Frame get_frame(WireReader& from, const FrameRequest& request, const MediaLimits& limits) {
  Frame frame;
  frame.height = from.number<std::int64_t>();
  frame.width = from.number<std::int64_t>();
  frame.channels = from.number<int>();
  frame.time = Seconds(from.number<double>());
  const std::int64_t longest = request.longest_side > 0 ? request.longest_side : limits.max_pixels;
  check(frame.height > 0 && frame.width > 0 && frame.height <= longest && frame.width <= longest);
  check(frame.channels == (request.color == FrameColor::kGrey ? 1 : 3));
  check(std::isfinite(frame.time.count()));
  const auto size = from.number<std::uint64_t>();
  // Both sides are below 2^26, so the product of three cannot overflow.
  check(size == static_cast<std::uint64_t>(frame.height * frame.width * frame.channels));
  const auto* pixels = reinterpret_cast<const std::uint8_t*>(from.take(size));
  frame.pixels.assign(pixels, pixels + size);
  return frame;
}

void put(WireWriter& to, const Error& error) {
  to.number(error.code()).text(error.what()).text(error.reason());
}

Error get_error(WireReader& from) {
  const auto code = from.number<std::uint32_t>();
  check(code <= static_cast<std::uint32_t>(ErrorCode::kInternal));
  const std::string message = from.text();
  return {static_cast<ErrorCode>(code), cleaned(message), clean_text(from)};
}

}  // namespace qingyin::media
