#include "training/synthesis/room.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "training/synthesis/layers.h"

namespace qingyin::training {
namespace {

constexpr double kSoundSpeed = 343.0;  // m/s
constexpr std::size_t kLines = 8;

/// How a class is usually met.
struct Setting {
  double outdoors_share;
  double near_m, far_m;
  bool spread = false;  // comes from all around: no single reflection of the ground
};

Setting setting_of(int class_id) {
  switch (class_id) {
    case kRain:
    case kWind:
    case kStream:
      return {0.9, 1.5, 30, true};
    case kFire:
      return {0.6, 0.8, 10, true};
    case kEngine:
      return {0.75, 1, 25};
    case kWhoosh:
      return {0.35, 0.5, 5};
    case kExplosion:
      return {0.85, 8, 250};
    case kBell:
      return {0.35, 0.6, 15};
    case kFootstep:
      return {0.35, 0.8, 6};
    case kVehicle:
      return {0.97, 2, 12};  // of its own way: the synthesiser knows the rest
    case kGunshot:
      return {0.75, 2, 80};
    case kSplash:
    case kAnimal:
    case kBark:
      return {0.6, 0.8, 12};
    case kChirp:
      return {0.95, 2, 25};
    case kMurmur:
      return {0.2, 2, 15};
    case kClick:
      return {0.05, 0.2, 1.5};
    case kBlip:
    case kRiser:
      return {0.9, 0.2, 0.6};  // made for the loudspeaker: no room to speak of
    default:
      return {0.25, 0.2, 4};
  }
}

/// Two metres of air take nothing; a hundred take the treble: 0.1 dB/m at 8 kHz, in proportion to
/// the square of the frequency (20 degrees, 50 % humidity).
void absorb_in_air(Signal& signal, double distance_m) {
  const double cutoff = 8000.0 * std::sqrt(30.0 / distance_m);
  if (cutoff > 18000) return;
  OnePole air(cutoff);
  for (double& x : signal) x = air.low(x);
}

void add_copy(Signal& out, const Signal& dry, double delay_s, double gain) {
  const auto lag = static_cast<std::size_t>(delay_s * kRate);
  for (std::size_t i = lag; i < dry.size(); ++i) out[i] += gain * dry[i - lag];
}

Signal dulled(const Signal& dry, double cutoff_hz) {
  OnePole wall(cutoff_hz);
  Signal dull(dry.size());
  for (std::size_t i = 0; i < dry.size(); ++i) dull[i] = wall.low(dry[i]);
  return dull;
}

/// Image sources of first order in a box: one per wall, louder the nearer.
void add_walls(Signal& out, const Signal& dull, const Room& room, Random& random) {
  const double side = std::cbrt(room.volume_m3);
  const double absorbed =
      std::min(0.8, 0.161 * room.volume_m3 / (6.5 * side * side * room.reverberation_s));
  const double reflection = std::sqrt(1 - absorbed);
  for (int wall = 0; wall < 6; ++wall) {
    const double away = side * random.range(0.25, 1.1);
    const double path = std::hypot(room.distance_m, 2 * away * random.range(0.3, 0.9));
    const double sign = random.chance(0.85) ? 1 : -1;
    const double gain = sign * reflection * room.distance_m / path * (room.spread ? 0.3 : 1.0);
    add_copy(out, dull, (path - room.distance_m) / kSoundSpeed, gain);
  }
}

void add_open(Signal& out, const Signal& dull, const Room& room, Random& random) {
  const double height = random.range(0.3, 1.6);
  const double path = std::hypot(room.distance_m, 2 * height);
  const double ground = room.spread ? 0.0 : random.range(0.1, 0.5);
  if (ground > 0) {
    add_copy(out, dull, (path - room.distance_m) / kSoundSpeed, ground * room.distance_m / path);
  }
  if (room.facades == 0) return;
  const Signal duller = dulled(dull, random.range(900, 2500));
  for (int facade = 0; facade < room.facades; ++facade) {
    const double further = random.range(12, 90);
    const double gain = random.range(0.3, 0.7) * room.distance_m / (room.distance_m + further);
    add_copy(out, duller, further / kSoundSpeed, gain);
    const double smear = random.range(0.003, 0.02);
    add_copy(out, duller, further / kSoundSpeed + smear, -0.6 * gain);
  }
}

/// Feedback delay network with a Hadamard matrix, one damping filter per line.
class Tail {
 public:
  Tail(const Room& room, Random& random) {
    const double mean_s = std::max(0.014, 0.8 * std::cbrt(room.volume_m3) / kSoundSpeed);
    const double top_s = room.reverberation_s * room.treble;
    const double bass_s = room.reverberation_s * 1.1;
    double total_s = 0;
    for (std::size_t k = 0; k < kLines; ++k) {
      const double spread = 0.62 + 0.11 * static_cast<double>(k);
      const double length_s = mean_s * spread * random.range(0.95, 1.05);
      total_s += length_s;
      lines_[k].assign(static_cast<std::size_t>(length_s * kRate), 0.0F);
      const double bass = std::pow(10.0, -3 * length_s / bass_s);
      const double ratio = std::pow(10.0, -3 * length_s / top_s) / bass;
      const double pole = (1 - ratio) / (1 + ratio);
      pole_[k] = static_cast<float>(pole);
      keep_[k] = static_cast<float>(bass * (1 - pole) / std::sqrt(static_cast<double>(kLines)));
    }
    // Energy of the answer to one unit impulse: lines / mean length * decay time / ln(10^6).
    energy_ = kLines / (total_s / kLines) * room.reverberation_s / 13.8;
  }

  double energy() const { return energy_; }

  float step(float x) {
    std::array<float, kLines> y;
    for (std::size_t k = 0; k < kLines; ++k) y[k] = lines_[k][place_[k]];
    const float out = y[0] - y[1] + y[2] - y[3] + y[4] - y[5] + y[6] - y[7];
    for (std::size_t half = 1; half < kLines; half *= 2) {
      for (std::size_t k = 0; k < kLines; ++k) {
        if (k & half) continue;
        const float a = y[k], b = y[k + half];
        y[k] = a + b;
        y[k + half] = a - b;
      }
    }
    for (std::size_t k = 0; k < kLines; ++k) {
      state_[k] = keep_[k] * y[k] + pole_[k] * state_[k];
      lines_[k][place_[k]] = state_[k] + x;
      if (++place_[k] == lines_[k].size()) place_[k] = 0;
    }
    return out;
  }

 private:
  std::array<std::vector<float>, kLines> lines_;
  std::array<std::size_t, kLines> place_{};
  std::array<float, kLines> pole_{}, keep_{}, state_{};
  double energy_ = 0;
};

void add_tail(Signal& out, const Signal& dull, const Room& room, Random& random) {
  // A microphone that points at the source (10 dB) hears the direct sound 3.2 times as far.
  const double critical_m = 3.2 * 0.057 * std::sqrt(room.volume_m3 / room.reverberation_s);
  const double wet = std::clamp(room.distance_m / critical_m, 0.02, 0.9);
  Tail tail(room, random);
  const auto gain = static_cast<float>(wet / std::sqrt(tail.energy()));
  for (std::size_t i = 0; i < dull.size(); ++i) {
    out[i] += gain * tail.step(static_cast<float>(dull[i]));
  }
}

}  // namespace

Room draw_room(int class_id, Random& random) {
  const Setting setting = setting_of(class_id);
  Room room{};
  room.outdoors = random.chance(setting.outdoors_share);
  room.spread = setting.spread;
  const double kind = random.uniform();
  if (kind < 0.65) {
    room.volume_m3 = random.log_range(12, 90);
    room.reverberation_s = random.log_range(0.18, 0.6);
  } else if (kind < 0.9) {
    room.volume_m3 = random.log_range(90, 900);
    room.reverberation_s = random.log_range(0.4, 1.1);
  } else {
    room.volume_m3 = random.log_range(900, 12000);
    room.reverberation_s = random.log_range(0.9, 2.4);
  }
  room.treble = random.range(0.3, 0.75);
  // Near things are met more often than far ones.
  const double u = random.uniform();
  room.distance_m = setting.near_m * std::pow(setting.far_m / setting.near_m, u * std::sqrt(u));
  const bool walled = random.chance(class_id == kExplosion || class_id == kGunshot ? 0.7 : 0.3);
  room.facades = walled ? random.integer(1, 3) : 0;
  if (!room.outdoors) {
    room.distance_m = std::min(room.distance_m, 0.7 * std::cbrt(room.volume_m3));
  }
  return room;
}

void add_room(Signal& signal, const Room& room, Random& random) {
  absorb_in_air(signal, room.distance_m);
  const Signal dull = dulled(signal, random.range(3500, 9000));
  if (room.outdoors) return add_open(signal, dull, room, random);
  add_walls(signal, dull, room, random);
  add_tail(signal, dull, room, random);
}

}  // namespace qingyin::training
