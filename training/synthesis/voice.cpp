#include "training/synthesis/voice.h"

#include <algorithm>
#include <cmath>

namespace qingyin::training {
namespace {

/// Slope of Rosenberg's pulse: a slow opening, a steep closing, and rest.
double fold_flow(double phase, double closing) {
  constexpr double kOpening = 0.4;
  if (phase < kOpening) return 0.5 * kPi / kOpening * std::sin(kPi * phase / kOpening);
  const double u = (phase - kOpening) / closing;
  return u < 1 ? -0.5 * kPi / closing * std::sin(0.5 * kPi * u) : 0;
}

}  // namespace

Signal sing(std::size_t length, const VoiceTraits& traits,
            const std::function<VoiceState(double)>& at, Random& random) {
  constexpr std::size_t kStep = 32;
  // Filters are tuned for kRate: another rate scales every frequency.
  const double scale = kRate / traits.rate_hz;
  Signal out(length);
  std::array<StateVariable, 4> tract{StateVariable(500, traits.q), StateVariable(1500, traits.q),
                                     StateVariable(2500, traits.q), StateVariable(3500, traits.q)};
  VoiceState state = at(0), next = state;
  double phase = 0, stretch = 1;
  for (std::size_t i = 0; i < length; ++i) {
    if (i % kStep == 0) {
      state = next;
      next = at(static_cast<double>(i + kStep) / traits.rate_hz);
      for (std::size_t k = 0; k < tract.size(); ++k) {
        tract[k].set(std::clamp(state.formant_hz[k] * scale, 30.0, 20000.0), traits.q);
      }
    }
    const double u = static_cast<double>(i % kStep) / kStep;
    phase += state.pitch_hz * stretch / traits.rate_hz;
    if (phase >= 1) {
      phase -= std::floor(phase);
      stretch = std::exp(traits.jitter * random.noise());
    }
    const double flow = 0.25 * fold_flow(phase, traits.closing) +
                        state.breath * random.noise() * (phase < 0.7 ? 1.0 : 0.4);
    double y = 0;
    for (std::size_t k = 0; k < tract.size(); ++k) {
      tract[k].step(flow);
      y += state.formant_gain[k] * tract[k].band();
    }
    out[i] = (state.level + u * (next.level - state.level)) * y;
  }
  return out;
}

}  // namespace qingyin::training
