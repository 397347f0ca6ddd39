#pragma once

#include "training/sound_bank.h"
#include "training/synthesis/filters.h"

namespace qingyin::training {

/// Classes by their id in the vocabulary.
enum SoundClass {
  kImpact,
  kFootstep,
  kDrop,
  kBubbles,
  kRain,
  kStream,
  kWind,
  kFire,
  kEngine,
  kWhoosh,
  kExplosion,
  kBell,
  kScrape,
  kRolling,
  kDoor,
  kFall,
  kSplash,
  kBreak,
  kRustle,
  kClick,
  kVehicle,
  kGunshot,
  kAnimal,
  kBark,
  kChirp,
  kMurmur,
  kBlip,
  kRiser
};

/// What a synthesiser of one class gets. It adds its sound to `out`, which begins at the attack, at
/// any level: level, room and ends are set afterwards.
struct Layer {
  const SoundRecipe& recipe;
  Signal& out;
  Random& random;

  double size() const { return recipe.size; }
  double intensity() const { return recipe.intensity; }
  /// Extent of a sustained sound in samples, within `out`.
  std::size_t extent() const;
  /// Interpolates on a logarithmic axis from the small object's value to the large one's.
  double by_size(double small, double large) const;
};

// contacts.cpp, bell.cpp: blows on solids.
void add_impact(Layer& layer);
void add_footstep(Layer& layer);
void add_bell(Layer& layer);
// explosion.cpp
void add_explosion(Layer& layer);
// liquids.cpp: Minnaert bubbles and drops.
void add_drop(Layer& layer);
void add_bubbles(Layer& layer);
void add_rain(Layer& layer);
void add_stream(Layer& layer);
// air.cpp: turbulence and combustion.
void add_wind(Layer& layer);
void add_fire(Layer& layer);
void add_whoosh(Layer& layer);
// engine.cpp
void add_engine(Layer& layer);
// motion.cpp: friction and rolling.
void add_scrape(Layer& layer);
void add_rolling(Layer& layer);
// doors.cpp, clicks.cpp, falls.cpp, breakage.cpp: several bodies in a row.
void add_door(Layer& layer);
void add_click(Layer& layer);
void add_fall(Layer& layer);
void add_break(Layer& layer);
// rustle.cpp, splash.cpp
void add_rustle(Layer& layer);
void add_splash(Layer& layer);
// vehicles.cpp, gunfire.cpp
void add_vehicle(Layer& layer);
void add_gunshot(Layer& layer);
// animals.cpp, crowd.cpp: voices by source and filter.
void add_animal(Layer& layer);
void add_bark(Layer& layer);
void add_chirp(Layer& layer);
void add_murmur(Layer& layer);
// interface_sounds.cpp
void add_blip(Layer& layer);
void add_riser(Layer& layer);

}  // namespace qingyin::training
