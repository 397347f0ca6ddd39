#include "training/sound_bank.h"

#include <algorithm>
#include <cmath>

#include "audio_gen/vocabulary.h"
#include "core/error.h"
#include "training/synthesis/layers.h"
#include "training/synthesis/room.h"

namespace qingyin::training {
namespace {

constexpr std::size_t kLevelWindow = 2400;  // 50 ms
constexpr double kCeiling = 0.98;

void check(const SoundRecipe& recipe, double lead_s, double length_s) {
  const auto in_unit = [](double x) { return x >= 0.0 && x <= 1.0; };
  const bool known =
      recipe.class_id >= 0 && recipe.class_id < static_cast<int>(sound_classes().size()) &&
      recipe.material_id >= 0 && recipe.material_id < static_cast<int>(sound_materials().size());
  require(known, ErrorCode::kUsage, "sound recipe: class or material is not in the vocabulary");
  require(in_unit(recipe.size) && in_unit(recipe.intensity), ErrorCode::kUsage,
          "sound recipe: size and intensity must lie in [0, 1]");
  require(std::isfinite(recipe.duration_s) && recipe.duration_s >= 0, ErrorCode::kUsage,
          "sound recipe: the duration must be a finite number of seconds, at least 0");
  require(std::all_of(recipe.level_curve.begin(), recipe.level_curve.end(), in_unit),
          ErrorCode::kUsage, "sound recipe: the level curve must lie in [0, 1]");
  require(lead_s >= 0 && length_s > lead_s && length_s <= 600, ErrorCode::kUsage,
          "sound: the length must exceed the lead and be at most 600 s");
}

void add_class(Layer& layer) {
  switch (layer.recipe.class_id) {
    case kImpact:
      return add_impact(layer);
    case kFootstep:
      return add_footstep(layer);
    case kDrop:
      return add_drop(layer);
    case kBubbles:
      return add_bubbles(layer);
    case kRain:
      return add_rain(layer);
    case kStream:
      return add_stream(layer);
    case kWind:
      return add_wind(layer);
    case kFire:
      return add_fire(layer);
    case kEngine:
      return add_engine(layer);
    case kWhoosh:
      return add_whoosh(layer);
    case kExplosion:
      return add_explosion(layer);
    case kBell:
      return add_bell(layer);
    case kScrape:
      return add_scrape(layer);
    case kRolling:
      return add_rolling(layer);
    case kDoor:
      return add_door(layer);
    case kFall:
      return add_fall(layer);
    case kSplash:
      return add_splash(layer);
    case kBreak:
      return add_break(layer);
    case kRustle:
      return add_rustle(layer);
    case kClick:
      return add_click(layer);
    case kVehicle:
      return add_vehicle(layer);
    case kGunshot:
      return add_gunshot(layer);
    case kAnimal:
      return add_animal(layer);
    case kBark:
      return add_bark(layer);
    case kChirp:
      return add_chirp(layer);
    case kMurmur:
      return add_murmur(layer);
    case kBlip:
      return add_blip(layer);
    case kRiser:
      return add_riser(layer);
    default:
      break;
  }
  throw Error(ErrorCode::kInternal, "sound bank: a class of the vocabulary has no synthesiser");
}

/// Follows the level curve, and ends what lasts at its extent.
void shape(const SoundRecipe& recipe, std::size_t extent, Signal& signal) {
  const auto& curve = recipe.level_curve;
  const double attack = recipe.class_id == kWind ? 1200 : recipe.class_id == kEngine ? 300 : 100;
  const double release = 0.04 * kRate;
  for (std::size_t i = 0; i < signal.size(); ++i) {
    const double place = static_cast<double>(i) / 480.0;
    double gain = std::min(1.0, (static_cast<double>(i) + 1) / attack);
    if (!curve.empty()) {
      const auto k = std::min(static_cast<std::size_t>(place), curve.size() - 1);
      const double next = curve[std::min(k + 1, curve.size() - 1)];
      const double u = std::min(1.0, place - static_cast<double>(k));
      gain *= curve[k] + (next - curve[k]) * u;
    }
    if (i > extent) {
      const double u = std::min(1.0, static_cast<double>(i - extent) / release);
      gain *= 0.5 + 0.5 * std::cos(kPi * u);
    }
    signal[i] *= gain;
  }
}

/// Removes what lies below hearing, without ringing before the attack.
void remove_offset(Signal& signal) {
  OnePole first(18), second(18);
  for (double& x : signal) x = second.high(first.high(x));
}

double loudest(const Signal& signal) {
  const std::size_t window = std::min(kLevelWindow, signal.size());
  double sum = 0, best = 0;
  for (std::size_t i = 0; i < signal.size(); ++i) {
    sum += signal[i] * signal[i];
    if (i >= window) sum -= signal[i - window] * signal[i - window];
    best = std::max(best, sum);
  }
  return std::sqrt(best / static_cast<double>(kLevelWindow));
}

double soften(double x) {
  constexpr double kKnee = 0.7;
  const double over = std::abs(x) - kKnee;
  if (over <= 0) return x;
  const double room = kCeiling - kKnee;
  return std::copysign(kKnee + room * std::tanh(over / room), x);
}

/// Sets the loudest 50 ms to `wanted`; peaks that would pass full scale are rounded off, as any
/// recording of a loud blow has them.
void set_level(Signal& signal, double wanted) {
  const double now = loudest(signal);
  if (now <= 0) return;
  double gain = wanted / now;
  Signal rounded;
  for (int round = 0; round < 6; ++round) {
    rounded = signal;
    for (double& x : rounded) x = soften(gain * x);
    gain *= std::min(2.0, wanted / loudest(rounded));
  }
  signal = std::move(rounded);
}

/// Drops what is not audible before the attack.
void trim_start(Signal& signal) {
  double peak = 0;
  for (const double x : signal) peak = std::max(peak, std::abs(x));
  const auto audible = std::find_if(signal.begin(), signal.end(),
                                    [&](double x) { return std::abs(x) > 0.01 * peak; });
  signal.erase(signal.begin(), audible);
  constexpr std::size_t kRise = 12;
  for (std::size_t i = 0; i < std::min(kRise, signal.size()); ++i) {
    signal[i] *= static_cast<double>(i + 1) / kRise;
  }
}

void fade_end(Signal& signal) {
  const std::size_t length = std::min<std::size_t>(240, signal.size());
  for (std::size_t i = 0; i < length; ++i) {
    signal[signal.size() - 1 - i] *= 0.5 - 0.5 * std::cos(kPi * static_cast<double>(i) / 240.0);
  }
}

}  // namespace

std::size_t Layer::extent() const {
  return std::min(out.size(), static_cast<std::size_t>(recipe.duration_s * kRate) + 1);
}

double Layer::by_size(double small, double large) const {
  return small * std::pow(large / small, recipe.size);
}

BankSound synthesise(const SoundRecipe& recipe, double lead_s, double length_s) {
  check(recipe, lead_s, length_s);
  const auto total = static_cast<std::size_t>(std::llround(length_s * kRate));
  const auto lead = static_cast<std::size_t>(std::llround(lead_s * kRate));
  // Some is trimmed before the attack: synthesise a little more.
  Signal signal(total - lead + static_cast<std::size_t>(0.1 * kRate), 0.0);
  Random random(recipe.seed ^
                (0x5851F42D4C957F2Dull * static_cast<std::uint64_t>(recipe.class_id + 1)));
  Random room_random = random.fork();
  Layer layer{recipe, signal, random};
  add_class(layer);
  const auto kind = sound_classes()[static_cast<std::size_t>(recipe.class_id)].shape;
  if (kind != SoundShape::kOneShot) shape(recipe, layer.extent(), signal);
  remove_offset(signal);
  const Room room = draw_room(recipe.class_id, room_random);
  add_room(signal, room, room_random);
  trim_start(signal);
  signal.resize(total - lead, 0.0);
  fade_end(signal);
  set_level(signal, std::pow(10.0, (-40.0 + 29.0 * recipe.intensity) / 20.0));
  BankSound sound;
  sound.onset_sample = static_cast<std::int64_t>(lead);
  sound.samples.assign(total, 0.0F);
  std::transform(signal.begin(), signal.end(), sound.samples.begin() + sound.onset_sample,
                 [](double x) { return static_cast<float>(x); });
  return sound;
}

}  // namespace qingyin::training
