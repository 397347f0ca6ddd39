#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/audio_buffer.h"
#include "core/time.h"
#include "sync/stem_block.h"

namespace qingyin {

/// How a sound goes into the mix.
struct MixPlace {
  std::string id;    // of the event or layer; with the start it fixes the order of summing
  std::size_t lane;  // index into the mixer's lanes
  std::int64_t start;
  double gain_db = 0;
  double pan = 0;  // [-1, 1], see pan_gains
};

/// Streaming overlap-add of mono sounds into stereo lanes. Memory holds only what has been added
/// and not yet taken. Each sample of a lane is the sum of its sounds in the order of (start, id):
/// neither the order of `add` calls nor threads nor block lengths change a bit of it.
///
/// What one sound gives to its lane depends on that sound and its place alone. Where sounds
/// overlap, a change of one leaves the other's share the same up to the rounding of the float sum.
class Mixer {
 public:
  explicit Mixer(std::vector<std::string> lanes);
  ~Mixer();

  const std::vector<std::string>& lanes() const;
  /// Samples taken so far.
  std::int64_t position() const;

  /// Thread-safe, as is add_stream.
  /// @throws Error kInternal if the place lies before position(), the lane does not exist, or
  ///               another sound has the same lane, start and id
  void add(const MixPlace& place, std::vector<float> mono);

  struct Extent {
    std::int64_t end;       // sample after the last
    Seconds fade_in{0.05};  // inside the extent, as the fade-out
    Seconds fade_out{0.15};
  };
  /// The stream is read from `place.start` on, while blocks are taken.
  void add_stream(const MixPlace& place, std::unique_ptr<SoundStream> stream, const Extent& extent);

  /// The next `length` samples of every lane. They are complete: whatever begins in them was added.
  StemBlock take(std::int64_t length);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace qingyin
