#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/media/clip.h"
#include "core/media/container.h"
#include "core/media/demuxer.h"
#include "core/media/display_times.h"

namespace qingyin::media {

/// The streams of a clip that its copy keeps, and a note for each that it cannot.
struct CopyPlan {
  std::vector<int> kept;  // indices in the source
  std::vector<std::string> notes;
};
CopyPlan plan_copy(const Demuxer& source, const ClipInfo& clip, Container container,
                   bool keep_sound);

/// Adds a stream that will get the packets of `from`: parameters, side data (display matrix,
/// mastering light), language, title, disposition, time base. @returns its index
int add_copy(AVFormatContext& out, const AVStream& from);

/// Metadata and chapters of the file. Chapter times are moved by `-start` microseconds.
void copy_metadata(AVFormatContext& out, const AVFormatContext& from, std::int64_t start_us);

/// Reads the packets of a clip in file order and puts them on the copy's clock, where the first
/// shown frame stands at `lead` seconds (0 in containers that can hide what comes before it).
/// Content is never touched; only stamps that a container would refuse are mended.
class PacketSource {
 public:
  PacketSource(const ClipInfo& clip, Container container, const MediaLimits& limits);

  Demuxer& demuxer() { return demuxer_; }
  /// Packets of these streams are delivered.
  void keep(const std::vector<int>& streams);
  /// The next packet with its stamps in the source stream's time base; false at the end.
  bool next(AVPacket& packet);
  /// Time of the first shown frame on the copy's clock, in samples of 48 kHz.
  std::int64_t lead_samples() const;

 private:
  bool wanted(AVPacket& packet) const;
  void complete_times(AVPacket& packet);
  void move(AVPacket& packet) const;
  void mend(AVPacket& packet);

  ClipInfo clip_;
  MediaLimits limits_;
  Demuxer demuxer_;
  bool hides_;             // the container hides negative times
  bool strict_;            // decoding times must increase, not only never fall
  std::int64_t zero_ = 0;  // tick of the picture's clock that becomes time 0
  std::vector<bool> kept_;
  std::vector<std::int64_t> last_dts_;
  std::optional<DisplayTimes> display_times_;
  std::int64_t picture_packets_ = 0;
};

}  // namespace qingyin::media
