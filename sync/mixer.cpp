#include "sync/mixer.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <numbers>
#include <tuple>
#include <utility>

#include "core/error.h"
#include "sync/pan.h"

namespace qingyin {
namespace {

/// One sound of the mix; it is asked for consecutive stretches.
struct Sound {
  std::int64_t start, end;
  float left, right;
  std::vector<float> samples;           // of a finite sound
  std::unique_ptr<SoundStream> stream;  // else
  std::int64_t fade_in = 0, fade_out = 0;

  float fade_at(std::int64_t at) const {
    const auto rise = [](std::int64_t from_end, std::int64_t fade) {
      if (from_end >= fade) return 1.0;
      const double x = (static_cast<double>(from_end) + 0.5) / static_cast<double>(fade);
      return 0.5 - 0.5 * std::cos(std::numbers::pi * x);
    };
    return static_cast<float>(rise(at - start, fade_in) * rise(end - 1 - at, fade_out));
  }

  /// Adds its samples [first, last) to `sum`, [.., 2], whose sample 0 is `origin`.
  void add_to(std::span<double> sum, std::int64_t origin, std::int64_t first, std::int64_t last) {
    std::vector<float> read;
    if (stream) {
      read.resize(static_cast<std::size_t>(last - first));
      stream->read(read);
      for (std::int64_t at = first; at < last; ++at)
        read[static_cast<std::size_t>(at - first)] *= fade_at(at);
    }
    const float* mono = stream ? read.data() : samples.data() + (first - start);
    double* out = sum.data() + 2 * (first - origin);
    for (std::int64_t n = 0; n < last - first; ++n) {
      out[2 * n] += mono[n] * left;
      out[2 * n + 1] += mono[n] * right;
    }
  }
};

using Lane = std::map<std::pair<std::int64_t, std::string>, Sound>;  // by (start, id)

}  // namespace

struct Mixer::State {
  std::vector<std::string> names;
  std::vector<Lane> lanes;
  std::int64_t position = 0;
  mutable std::mutex mutex;

  void insert(const MixPlace& place, Sound sound) {
    const std::scoped_lock lock(mutex);
    require(place.lane < lanes.size(), ErrorCode::kInternal, "sync: the mixer has no such lane");
    require(place.start >= position, ErrorCode::kInternal,
            "sync: " + place.id + " begins in a part of the mix that is already done");
    const bool is_new =
        lanes[place.lane].try_emplace({place.start, place.id}, std::move(sound)).second;
    require(is_new, ErrorCode::kInternal, "sync: " + place.id + " was added twice");
  }
};

Mixer::Mixer(std::vector<std::string> lanes) : state_(std::make_unique<State>()) {
  state_->lanes.resize(lanes.size());
  state_->names = std::move(lanes);
}

Mixer::~Mixer() = default;

const std::vector<std::string>& Mixer::lanes() const { return state_->names; }

std::int64_t Mixer::position() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->position;
}

namespace {

Sound sound_at(const MixPlace& place, std::int64_t end) {
  const StereoGains pan = pan_gains(place.pan);
  const auto gain = static_cast<float>(std::pow(10, place.gain_db / 20));
  return {.start = place.start,
          .end = end,
          .left = gain * pan.left,
          .right = gain * pan.right,
          .samples = {},
          .stream = nullptr};
}

}  // namespace

void Mixer::add(const MixPlace& place, std::vector<float> mono) {
  Sound sound = sound_at(place, place.start + static_cast<std::int64_t>(mono.size()));
  sound.samples = std::move(mono);
  state_->insert(place, std::move(sound));
}

void Mixer::add_stream(const MixPlace& place, std::unique_ptr<SoundStream> stream,
                       const Extent& extent) {
  require(stream != nullptr && extent.end >= place.start, ErrorCode::kInternal,
          "sync: a stream in the mix ends after it begins");
  Sound sound = sound_at(place, extent.end);
  sound.stream = std::move(stream);
  const std::int64_t length = extent.end - place.start;
  sound.fade_in = std::min(length / 2, samples_for(extent.fade_in, kOutputRateHz));
  sound.fade_out = std::min(length / 2, samples_for(extent.fade_out, kOutputRateHz));
  state_->insert(place, std::move(sound));
}

StemBlock Mixer::take(std::int64_t length) {
  require(length >= 0, ErrorCode::kInternal, "sync: a block of the mix has at least 0 samples");
  const std::scoped_lock lock(state_->mutex);
  const std::int64_t begin = state_->position, end = begin + length;
  StemBlock block{.length = length, .stems = {}};
  std::vector<double> sum(static_cast<std::size_t>(2 * length));
  for (Lane& lane : state_->lanes) {
    std::ranges::fill(sum, 0.0);
    for (auto entry = lane.begin(); entry != lane.end() && entry->second.start < end;) {
      Sound& sound = entry->second;
      const std::int64_t first = std::max(begin, sound.start), last = std::min(end, sound.end);
      if (first < last) sound.add_to(sum, begin, first, last);
      entry = sound.end <= end ? lane.erase(entry) : std::next(entry);
    }
    block.stems.emplace_back(sum.begin(), sum.end());
  }
  state_->position = end;
  return block;
}

std::vector<float> sum_of(const StemBlock& block) {
  std::vector<float> sum(static_cast<std::size_t>(2 * block.length));
  for (const auto& stem : block.stems)
    for (std::size_t n = 0; n < sum.size(); ++n) sum[n] += stem[n];
  return sum;
}

}  // namespace qingyin
