#include "core/media/sound_file.h"

#include <algorithm>
#include <array>

#include "core/media/demuxer.h"

namespace qingyin {
namespace {

constexpr int kRate = 48000;
constexpr std::size_t kBlock = kRate;  // frames read at once

/// The default sound that can be decoded, else the first.
int choose_sound(const media::Demuxer& demuxer) {
  int best = -1;
  for (int i = 0; i < demuxer.stream_count(); ++i) {
    const AVStream& stream = demuxer.stream(i);
    const AVCodecParameters& codec = *stream.codecpar;
    if (codec.codec_type != AVMEDIA_TYPE_AUDIO || codec.sample_rate <= 0) continue;
    if (media::allowed_decoder(codec.codec_id) == nullptr) continue;
    const bool is_default = (stream.disposition & AV_DISPOSITION_DEFAULT) != 0;
    if (best < 0 || is_default) best = i;
    if (is_default) break;
  }
  if (best < 0) demuxer.refuse("has no sound that can be decoded", "no_audio");
  return best;
}

/// What a reader of its sound needs to know of a file that may have no picture.
ClipInfo clip_of(const std::filesystem::path& path, const MediaLimits& limits) {
  const media::Demuxer demuxer(path, limits, media::Demuxer::EditLists::kFollow,
                               media::Demuxer::Files::kVideosAndSounds);
  ClipInfo clip;
  clip.path = path;
  const int index = choose_sound(demuxer);
  clip.audio_stream = index;
  for (int i = 0; i < demuxer.stream_count(); ++i) {
    const AVStream& picture = demuxer.stream(i);
    const bool moves =
        !(picture.disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_STILL_IMAGE));
    if (picture.codecpar->codec_type == AVMEDIA_TYPE_VIDEO && moves) clip.video_stream = i;
  }
  const AVStream& stream = demuxer.stream(index);
  clip.tick_rate = {stream.time_base.den, stream.time_base.num};
  clip.start_ticks = stream.start_time == AV_NOPTS_VALUE ? 0 : stream.start_time;
  double claimed = 0;
  if (stream.duration != AV_NOPTS_VALUE) {
    claimed = static_cast<double>(stream.duration) * av_q2d(stream.time_base);
  } else if (demuxer.format().duration != AV_NOPTS_VALUE) {
    claimed = static_cast<double>(demuxer.format().duration) / AV_TIME_BASE;
  }
  clip.duration = Seconds(std::max(claimed, 0.0));
  return clip;
}

double power(const std::vector<float>& samples) {
  double sum = 0;
  for (const float x : samples) sum += static_cast<double>(x) * x;
  return sum;
}

std::vector<float> mono_of(const std::vector<float>& stereo) {
  std::array<std::vector<float>, 2> sides;
  std::vector<float> middle;
  for (std::size_t i = 0; i + 1 < stereo.size(); i += 2) {
    sides[0].push_back(stereo[i]);
    sides[1].push_back(stereo[i + 1]);
    middle.push_back((stereo[i] + stereo[i + 1]) / 2);
  }
  const double left = power(sides[0]), right = power(sides[1]);
  // Of two unlike sides the middle has half of the louder one's power at least.
  if (power(middle) >= 0.2 * std::max(left, right)) return middle;
  return left >= right ? sides[0] : sides[1];
}

}  // namespace

SoundFile read_sound_file(const std::filesystem::path& path, Seconds longest,
                          const MediaLimits& limits) {
  const ClipInfo clip = clip_of(path, limits);
  SoundFile file;
  file.has_picture = clip.video_stream >= 0;
  Seconds length = clip.duration > Seconds(0) ? clip.duration : longest;
  if (length > longest) {
    file.warnings.push_back("only its first " + std::to_string(static_cast<int>(longest.count())) +
                            " s are used");
    length = longest;
  }
  const auto reader = media::open_sound(clip, limits);
  const auto frames = static_cast<std::size_t>(length.count() * kRate + 0.5);
  std::vector<float> stereo;
  while (stereo.size() < 2 * frames) {
    const std::size_t from = stereo.size(), count = std::min(2 * kBlock, 2 * frames - from);
    stereo.resize(from + count);
    reader->read(std::span(stereo).subspan(from));
  }
  file.mono = mono_of(stereo);
  return file;
}

}  // namespace qingyin
