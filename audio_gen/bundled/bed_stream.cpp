#include "audio_gen/bundled/bed_stream.h"

#include <algorithm>
#include <limits>

#include "audio_gen/bundled/representation.h"

namespace qingyin::bundled {
namespace {

/// The beginning of a bed is not heard: there the vocoder looks back into silence.
constexpr std::int64_t kSkippedFrames = 16;
/// Samples that the level is measured on.
constexpr std::size_t kMeasured = 2 * kSampleRate;

class BedStream : public SoundStream {
 public:
  BedStream(const Networks& networks, const SoundPlan& plan, const RenderSettings& settings,
            double amplitude)
      : networks_(networks), sequence_(networks, plan, settings), seed_(plan.seed) {
    const auto side = networks.context_frames();
    frames_.assign(static_cast<std::size_t>(side * kMelBands), kQuietestLogMel);
    first_ = -side;
    while (ready_.size() < kMeasured + kSkippedFrames * kHop) make_more();
    ready_.erase(ready_.begin(), ready_.begin() + kSkippedFrames * kHop);
    const double now = loudest_rms(std::span(ready_).first(kMeasured));
    gain_ = now > 0 ? amplitude / now : 0;
  }

  void read(std::span<float> mono) override {
    std::size_t done = 0;
    while (done < mono.size()) {
      if (taken_ == ready_.size()) {
        ready_.clear();
        taken_ = 0;
        make_more();
      }
      const std::size_t count = std::min(mono.size() - done, ready_.size() - taken_);
      for (std::size_t i = 0; i < count; ++i) {
        mono[done + i] = static_cast<float>(gain_ * ready_[taken_ + i]);
      }
      done += count;
      taken_ += count;
    }
  }

 private:
  /// Vocodes what the next window completes. What is cut where depends on nothing but the windows,
  /// so the samples do not depend on how they are read.
  void make_more() {
    const auto side = networks_.context_frames();
    const auto next = sequence_.next_frames();
    frames_.insert(frames_.end(), next.begin(), next.end());
    const auto sound = networks_.vocode(frames_, first_, seed_);
    ready_.insert(ready_.end(), sound.begin(), sound.end());
    const auto count = static_cast<std::int64_t>(frames_.size()) / kMelBands;
    const std::int64_t done = count - 2 * side;
    frames_.erase(frames_.begin(), frames_.begin() + done * kMelBands);
    first_ += done;
  }

  const Networks& networks_;
  LatentSequence sequence_;
  std::uint64_t seed_;
  std::vector<float> frames_;  // [F, M] from frame `first_` on: not yet vocoded, and its context
  std::int64_t first_;
  std::vector<float> ready_;
  std::size_t taken_ = 0;
  double gain_ = 1;
};

}  // namespace

std::unique_ptr<SoundStream> open_bed(const Networks& networks, SoundPlan plan,
                                      const RenderSettings& settings, double amplitude) {
  if (plan.is_sustained) plan.duration_s = std::numeric_limits<double>::infinity();
  plan.level_curve.clear();
  return std::make_unique<BedStream>(networks, plan, settings, amplitude);
}

}  // namespace qingyin::bundled
