#pragma once

#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "core/media/clip.h"
#include "core/media/input_file.h"
#include "core/media/media_log.h"

namespace qingyin::media {

/// The demuxers that may open a file. Playlists and anything that names other files are not here.
inline constexpr const char* kDemuxers =
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,ogg,gif,asf";

/// The same for files of sound alone.
inline constexpr const char* kSoundDemuxers = "wav,w64,flac,mp3,aiff,caf,aac";

/// The decoders that may run, best first where two serve one codec.
inline constexpr const char* kDecoders =
    "h264,hevc,vp8,vp9,libdav1d,libaom-av1,mpeg4,mpeg1video,mpeg2video,h263,flv,msmpeg4,"
    "msmpeg4v2,wmv1,wmv2,wmv3,vc1,prores,dnxhd,mjpeg,dvvideo,png,gif,ffv1,rawvideo,theora,dirac,"
    "qtrle,vp6,vp6f,vp6a,aac,aac_latm,mp3float,mp3,mp2float,mp2,ac3,eac3,opus,vorbis,flac,alac,"
    "wmav1,wmav2,amrnb,"
    "amrwb,"
    "adpcm_ms,adpcm_ima_wav,adpcm_ima_qt,pcm_u8,pcm_s8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,"
    "pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,pcm_alaw,pcm_mulaw,pcm_dvd,"
    "pcm_bluray";

/// Largest sound frame that a decoder may claim.
inline constexpr std::int64_t kMaxSamplesPerFrame = 1 << 20;

/// The decoder of `kDecoders` that serves a codec; null: none may.
const AVCodec* allowed_decoder(AVCodecID codec);

/// Packets of one file in file order, with every limit of the media safety rules in force. Time
/// stamps of formats that may jump (MPEG streams, Ogg) are joined to one continuous clock.
class Demuxer {
 public:
  /// Whether the edit lists of MP4 are followed, or every packet that is stored is delivered.
  enum class EditLists { kFollow, kIgnore };
  /// Whether files that hold sound alone may be opened.
  enum class Files { kVideos, kVideosAndSounds };

  /// @throws Error kInvalidInput with reason "not_found", "not_a_file", "unreadable", "limit"
  Demuxer(const std::filesystem::path& path, const MediaLimits& limits,
          EditLists edit_lists = EditLists::kFollow, Files files = Files::kVideos);
  ~Demuxer();
  Demuxer(const Demuxer&) = delete;
  Demuxer& operator=(const Demuxer&) = delete;

  const std::filesystem::path& path() const { return path_; }
  AVFormatContext& format() const { return *format_; }
  AVStream& stream(int index) const { return *format_->streams[index]; }
  int stream_count() const { return static_cast<int>(format_->nb_streams); }
  std::int64_t bytes() const { return file_.bytes(); }
  MediaLog& log() const { return log_; }
  const MediaLimits& limits() const { return limits_; }

  /// Delivers these streams only, from now on. Negative numbers are ignored.
  void select(std::initializer_list<int> streams);
  /// The next packet; false at the end. Damage ends the file early: see `early_end`.
  /// @throws Error kInvalidInput, reason "limit", when nothing gets on
  bool read(AVPacket& packet);
  /// True where the container stores decoding times alone. What its demuxer gives as presentation
  /// times of some packets (AVI: those of B-frames) is on another clock than the rest.
  bool has_decoding_times_only() const;
  /// Why the file ended before its end; empty if it did not.
  const std::string& early_end() const { return early_end_; }
  /// Tells the watch that work gets on (a frame was made, a packet was written).
  void progress() { watch_.progress(); }
  /// Adds a decoded frame to what the file has cost. @throws Error kInvalidInput, reason "limit"
  void count_decoded(const AVFrame& frame);
  /// @throws Error kInvalidInput, reason "limit", if nothing got on for too long
  void check_progress() const;

  [[noreturn]] void refuse(const std::string& what, const std::string& reason) const;

 private:
  void open(EditLists edit_lists, Files files);
  void find_streams();
  void check_sizes() const;
  void join_clock(AVPacket& packet);

  std::filesystem::path path_;
  MediaLimits limits_;
  mutable MediaLog log_;
  Watch watch_;
  InputFile file_;
  AVFormatContext* format_ = nullptr;
  std::vector<bool> selected_;      // empty: every stream
  std::int64_t clock_offset_ = 0;   // microseconds, added to every time stamp
  std::vector<std::int64_t> next_;  // [stream], microseconds: where its next packet should start
  std::int64_t decoded_bytes_ = 0;
  std::string early_end_;
};

}  // namespace qingyin::media
