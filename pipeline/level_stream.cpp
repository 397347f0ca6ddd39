#include "pipeline/level_stream.h"

#include <cstdint>
#include <span>
#include <utility>

namespace qingyin {
namespace {

constexpr double kRateHz = 48000;

class LevelStream : public SoundStream {
 public:
  LevelStream(std::unique_ptr<SoundStream> stream, std::vector<EnvelopePoint> envelope)
      : stream_(std::move(stream)), envelope_(std::move(envelope)) {}

  void read(std::span<float> mono) override {
    stream_->read(mono);
    for (float& sample : mono) {
      sample *= static_cast<float>(level_at(Seconds(static_cast<double>(position_++) / kRateHz)));
    }
  }

 private:
  double level_at(Seconds time) {
    while (next_ < envelope_.size() && envelope_[next_].time <= time) ++next_;
    if (next_ == 0) return envelope_.front().level;
    if (next_ == envelope_.size()) return envelope_.back().level;
    const EnvelopePoint &from = envelope_[next_ - 1], &to = envelope_[next_];
    const double part = (time - from.time) / (to.time - from.time);
    return from.level + part * (to.level - from.level);
  }

  std::unique_ptr<SoundStream> stream_;
  const std::vector<EnvelopePoint> envelope_;
  std::int64_t position_ = 0;
  std::size_t next_ = 0;  // first point after the position
};

}  // namespace

std::unique_ptr<SoundStream> follow_envelope(std::unique_ptr<SoundStream> stream,
                                             std::vector<EnvelopePoint> envelope) {
  return std::make_unique<LevelStream>(std::move(stream), std::move(envelope));
}

}  // namespace qingyin
