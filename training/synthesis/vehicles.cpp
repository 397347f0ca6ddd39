#include <algorithm>
#include <array>
#include <cmath>

#include "training/synthesis/layers.h"

namespace qingyin::training {
namespace {

constexpr double kSoundSpeed = 343;  // m/s

/// A straight way past the listener.
struct Pass {
  double nearest_m, speed, middle_s;
  double along(double t) const { return speed * (t - middle_s); }
  double distance(double t) const { return std::sqrt(nearest_m * nearest_m + along(t) * along(t)); }
  /// What Doppler's effect multiplies frequencies with.
  double doppler(double t) const { return 1 / (1 + speed * along(t) / distance(t) / kSoundSpeed); }
};

/// The level falls by 16 to 24 dB towards both ends of the event, so a shorter event is a faster
/// or nearer vehicle.
Pass draw_pass(double duration_s, Random& random) {
  const double fall = random.range(6, 15), wanted = random.range(2.5, 7);
  const double middle_s = duration_s * random.range(0.42, 0.58);
  const double speed = std::clamp(2 * wanted * fall / duration_s, 6.0, 48.0);
  return {std::max(1.2, speed * duration_s / (2 * fall)), speed, middle_s};
}

/// Firing pulses of the engine at the pitch that is heard.
Signal engine_of(Layer& layer, const Pass& pass) {
  Random& random = layer.random;
  Signal out(layer.out.size());
  const double firing_hz =
      layer.by_size(105, 38) * (0.75 + 0.6 * layer.intensity()) * random.range(0.85, 1.18);
  const double pulse_decay = std::exp(-firing_hz * random.range(5, 10) / kRate);
  const double rough = random.range(0.2, 0.5);
  const double resonance = layer.by_size(320, 95) * random.range(0.85, 1.2);
  std::array<StateVariable, 3> body{StateVariable(resonance, 2.5),
                                    StateVariable(2.1 * resonance, 3),
                                    StateVariable(4.7 * resonance, 3)};
  double phase = 1, pulse = 0, target = 1, ratio = 1;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (i % 64 == 0) ratio = pass.doppler(static_cast<double>(i) / kRate);
    phase += firing_hz * ratio / kRate;
    if (phase >= target) {
      phase -= target;
      target = 1 + 0.015 * random.noise();
      pulse += random.range(0.8, 1.2);
    }
    pulse *= pulse_decay;
    const double x = pulse * (1 + rough * random.noise());
    double y = 0;
    for (StateVariable& band : body) {
      band.step(x);
      y += band.band();
    }
    out[i] = y;
  }
  normalise(out);
  return out;
}

/// Tyres on the road: a broad hump near 1 kHz, the tread's tone in it, heard also by way of the
/// road, whose reflection sweeps a comb through it (Sandberg and Ejsmont 2002).
Signal tyres_of(Layer& layer, const Pass& pass) {
  Random& random = layer.random;
  Signal noise(layer.out.size());
  const double hump = layer.by_size(1250, 620) * (0.6 + 0.8 * layer.intensity());
  const double tread = hump * random.range(0.7, 1.3), tone = random.range(0.1, 0.5);
  StateVariable broad(hump, 0.6), narrow(tread, 14);
  OnePole air(9000);
  for (std::size_t i = 0; i < noise.size(); ++i) {
    if (i % 64 == 0) {
      const double t = static_cast<double>(i) / kRate, ratio = pass.doppler(t);
      broad.set(hump * ratio, 0.6);
      narrow.set(tread * ratio, 14);
      air.set(18000 / (1 + 0.12 * pass.distance(t)));
    }
    const double x = random.noise();
    broad.step(x);
    narrow.step(x);
    noise[i] = air.low(broad.band() + tone * narrow.band() + 0.06 * x);
  }
  Signal out = noise;
  const double exhaust = random.range(0.1, 0.4);
  const double heights = 2 * exhaust * random.range(1.2, 1.8);
  for (std::size_t i = 64; i < out.size(); ++i) {
    const double lag = std::min(
        60.0, heights / pass.distance(static_cast<double>(i) / kRate) / kSoundSpeed * kRate);
    const auto whole = static_cast<std::size_t>(lag);
    const double late = noise[i - whole], later = noise[i - whole - 1];
    out[i] += 0.5 * (late + (later - late) * (lag - static_cast<double>(whole)));
  }
  normalise(out);
  return out;
}

}  // namespace

void add_vehicle(Layer& layer) {
  Random& random = layer.random;
  Signal& out = layer.out;
  const double duration_s = std::max(0.2, layer.recipe.duration_s);
  const Pass pass = draw_pass(duration_s, random);
  const Signal engine = engine_of(layer, pass), tyres = tyres_of(layer, pass);
  const double motor = random.range(0.35, 0.9),
               road = random.range(0.5, 1.1) * (0.6 + 0.8 * layer.intensity());
  // The air that a large vehicle pushes aside, heard only beside it.
  OnePole wake1(layer.by_size(160, 70)), wake2(layer.by_size(160, 70));
  const double wake = random.range(4, 10) * layer.size();
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double t = static_cast<double>(i) / kRate, u = t / duration_s;
    const double near = pass.nearest_m / pass.distance(t);
    const double push = wake2.low(wake1.low(random.noise())) * wake * near * near * near;
    // What is still coming or gone swells and dies at the edges of the event.
    const double edge = std::min(1.0, std::min(0.35 + 6 * u, std::max(0.0, 8 * (1 - u))));
    out[i] += edge * near * (motor * engine[i] + road * tyres[i] + push);
  }
}

}  // namespace qingyin::training
