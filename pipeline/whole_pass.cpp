#include "pipeline/whole_pass.h"

#include <algorithm>
#include <utility>

#include "pipeline/sound_pass.h"
#include "sync/mixer.h"

namespace qingyin {
namespace {

constexpr const char* kOriginal = "original";
// What the middle of the stereo picture takes away.
constexpr double kMiddleGainDb = 3.0102999566398120;

}  // namespace

bool WholePass::has_original() const {
  return original != nullptr && original_mode != OriginalSound::kReplace;
}

std::vector<std::string> WholePass::lanes() const {
  if (has_original()) return {lane, kOriginal};
  return {lane};
}

void WholePass::run(std::unique_ptr<SoundStream> sound, Mastering& mastering,
                    const Progress& progress) const {
  const std::int64_t total = samples_for(duration, kOutputRateHz);
  const std::int64_t window = samples_for(sound_window(), kOutputRateHz);
  Mixer mixer({lane});
  mixer.add_stream({.id = "whole", .lane = 0, .start = 0, .gain_db = kMiddleGainDb, .pan = 0},
                   std::move(sound), {total, Seconds(0), Seconds(0.01)});
  OriginalMixer own(has_original() ? original_mode : OriginalSound::kReplace, {0});
  for (std::int64_t at = 0; at < total; at += window) {
    report(progress, "decode", static_cast<double>(at) / static_cast<double>(total));
    StemBlock block = mixer.take(std::min(window, total - at));
    if (has_original()) {
      std::vector<float> samples(static_cast<std::size_t>(2 * block.length));
      original->read(samples);
      block = own.push(std::move(block), samples);
    }
    mastering.add(std::move(block));
  }
  mastering.add(own.finish());
}

}  // namespace qingyin
