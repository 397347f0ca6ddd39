#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "core/events.h"
#include "core/media/frame_reader.h"
#include "core/progress.h"
#include "models/adapter/adapter.h"

namespace qingyin {

/// Decides what should be heard in a silent clip, and when.
/// Const after construction; calls with different readers may overlap.
class Understanding {
 public:
  virtual ~Understanding() = default;

  /// @param frames   positioned at the first frame, opened with `request()`
  /// @return         events sorted by onset, each inside [0, clip duration]; clip facts filled
  /// @throws Error   kInvalidInput if the clip has no duration; kCancelled if progress said stop
  EventTimeline describe(FrameReader& frames, const Progress& progress = {}) const;

  /// The frames that this detector wants.
  virtual FrameRequest request() const = 0;

 private:
  virtual EventTimeline do_describe(FrameReader& frames, const Progress& progress) const = 0;
};

/// Person-set knobs of the detector.
struct MotionDetectorOptions {
  double sensitivity = 0.5;  // [0, 1]: more events, more false ones
  bool find_sustained = true;
  int threads = 1;  // never changes the result
  /// Weights of the detector network, which has a say in how sure an event is and what it is;
  /// empty: the motion alone.
  std::filesystem::path network{};
  /// Put onto the network's weights where they bring something for it.
  std::vector<AdapterChoice> adapters{};
};

/// Picture-only detector: strikes and starts from dense optical flow.
/// @throws Error  kUsage; kModelMissing, kBadCheckpoint if the network's weights are not what they
///                should be
std::unique_ptr<Understanding> make_motion_detector(const MotionDetectorOptions& options = {});

}  // namespace qingyin
