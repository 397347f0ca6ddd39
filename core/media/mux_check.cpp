#include "core/media/mux_check.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/media/demuxer.h"
#include "core/media/sound_decoder.h"
#include "core/text.h"

namespace qingyin::media {
namespace {

int first_of(const Demuxer& demuxer, AVMediaType type, AVCodecID codec) {
  for (int i = 0; i < demuxer.stream_count(); ++i) {
    const AVCodecParameters& facts = *demuxer.stream(i).codecpar;
    if (facts.codec_type != type) continue;
    if (codec == AV_CODEC_ID_NONE || facts.codec_id == codec) return i;
  }
  return -1;
}

// The largest magnitude in a frame of any of the formats that our own sound decodes to.
double peak_of(const AVFrame& frame) {
  const auto format = static_cast<AVSampleFormat>(frame.format);
  const int channels = frame.ch_layout.nb_channels;
  const int planes = av_sample_fmt_is_planar(format) ? channels : 1;
  const int per_plane = frame.nb_samples * (planes == 1 ? channels : 1);
  double peak = 0;
  for (int plane = 0; plane < planes; ++plane) {
    const std::uint8_t* data = frame.extended_data[plane];
    for (int i = 0; i < per_plane; ++i) {
      if (av_get_packed_sample_fmt(format) == AV_SAMPLE_FMT_FLT) {
        peak = std::max(peak, std::abs(double{reinterpret_cast<const float*>(data)[i]}));
      } else if (av_get_packed_sample_fmt(format) == AV_SAMPLE_FMT_S32) {
        const double value = reinterpret_cast<const std::int32_t*>(data)[i];
        peak = std::max(peak, std::abs(value) / 2147483648.0);
      }
    }
  }
  return peak;
}

struct Sound {
  std::int64_t samples = 0, damaged = 0;
  double peak = 0;
};

Sound decode_sound(const std::filesystem::path& file, int stream) {
  Demuxer demuxer(file, {});
  demuxer.select({stream});
  SoundDecoder decoder(demuxer, stream);
  const FrameHandle frame = make_frame();
  Sound sound;
  while (decoder.next(*frame)) {
    sound.samples += frame->nb_samples;
    sound.peak = std::max(sound.peak, peak_of(*frame));
  }
  sound.damaged = decoder.damaged();
  return sound;
}

// All that are stored: of two pictures with one time, an edit list hides the first.
std::int64_t count_packets(const std::filesystem::path& file, int stream) {
  Demuxer demuxer(file, {}, Demuxer::EditLists::kIgnore);
  demuxer.select({stream});
  const PacketHandle packet = make_packet();
  std::int64_t count = 0;
  for (; demuxer.read(*packet); av_packet_unref(packet.get())) ++count;
  return demuxer.early_end().empty() ? count : -1;
}

void check(const std::filesystem::path& file, const Written& expected) {
  const Demuxer demuxer(file, {});
  const int picture = first_of(demuxer, AVMEDIA_TYPE_VIDEO, expected.picture);
  const int sound = first_of(demuxer, AVMEDIA_TYPE_AUDIO, AV_CODEC_ID_NONE);
  const auto fail = [](const std::string& what) { throw Error(ErrorCode::kIo, what); };
  if (picture < 0) fail("its picture is not there");
  if (sound < 0) fail("its sound is not there");
  const std::int64_t packets = count_packets(file, picture);
  if (packets != expected.picture_packets) {
    fail("it holds " + std::to_string(packets) + " packets of the picture instead of " +
         std::to_string(expected.picture_packets));
  }
  const Sound decoded = decode_sound(file, sound);
  if (decoded.samples != expected.sound_samples || decoded.damaged > 0) {
    fail("its sound decodes to " + std::to_string(decoded.samples) + " samples instead of " +
         std::to_string(expected.sound_samples));
  }
  constexpr double kInaudible = 1e-5;
  if (expected.audible && decoded.peak < kInaudible) fail("its sound decodes to silence");
}

}  // namespace

void check_written(const std::filesystem::path& file, const std::filesystem::path& target,
                   const Written& expected) {
  try {
    check(file, expected);
  } catch (const Error& error) {
    throw Error(ErrorCode::kIo,
                "media: " + printable(target) +
                    ": the finished file did not pass its check and was removed: " + error.what());
  }
}

}  // namespace qingyin::media
