#pragma once

#include <vector>

#include "training/synthesis/filters.h"

namespace qingyin::training {

/// Materials by their id in the vocabulary.
enum Material { kNone, kWood, kMetal, kGlass, kCeramic, kPlastic, kStone, kEarth, kCloth };

/// Earth and cloth have grains and air rather than modes.
bool is_soft(int material);

/// One resonance of a body: gain * exp(-decay t) * sin(2 pi f t).
struct Mode {
  double frequency_hz;
  double decay_per_s;
  double gain;
};

/// How a material behaves under a blow. Limits of what is drawn for one object. A mode dies out
/// as exp(-(a + pi eta f) t): a is what the support and the air take, eta the loss factor.
struct MaterialLaw {
  double low_hz, high_hz;            // lowest mode: of the largest and of the smallest object
  double support_low, support_high;  // a, in 1/s
  double loss_low, loss_high;        // eta
  double contact_s;                  // contact time of a middling blow
  double noise;                      // level of the contact's own noise beside the modes
  int modes;
};

const MaterialLaw& law_of(int material);

/// Draws the resonances of one object: free bars and boxes for wood, plates, rods and vessels for
/// metal, shells for glass and ceramic, irregular bodies else. `damping` multiplies the losses (an
/// object held or lying).
/// Source: van den Doel and Pai, "The sounds of physical shapes", Presence 7(4), 1998; loss
/// factors after Cremer, Heckl and Petersson, "Structure-Borne Sound", 2005.
std::vector<Mode> draw_modes(int material, double size, double damping, Random& random);

/// Adds the ringing after one blow at sample `at`; modes above 1 / contact_s are weak, as the
/// spectrum of a half-sine force is.
void add_blow(Signal& out, double at, double gain, const std::vector<Mode>& modes, double contact_s,
              Random& random);

/// The bodies' answer to a driving force, each mode with unit gain at its resonance.
Signal drive_modes(const Signal& force, const std::vector<Mode>& modes);

/// Contact time of a blow: Hertz's law t ~ speed^(-1/5), widened because harder blows also compress
/// the striker (Chaigne and Doutaut, JASA 101, 1997).
double contact_time(int material, double size, double intensity, Random& random);

}  // namespace qingyin::training
