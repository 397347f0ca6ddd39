#pragma once

#include <vector>

#include "training/synthesis/modes.h"

// Layers that many sounds of contact share. The room is added to every sound afterwards.
namespace qingyin::training {

/// The crack of the contact itself: noise about as long and as bright as the contact is short.
void add_transient(Signal& out, double at, double gain, double contact_s, Random& random);

/// The answer of a heavy thing below or behind: one low mode whose pitch sags a little as it dies.
void add_thump(Signal& out, double at, double gain, double frequency_hz, double decay_per_s);

/// Small pieces set free: collisions at Poisson times whose energy dies out (PhISEM; Cook,
/// "Physically informed sonic modeling", Computer Music Journal 21(3), 1997).
struct Debris {
  double at;  // samples
  double gain;
  double rate_per_s;  // of the collisions at the beginning
  double decay_s;     // of their energy, to 1 / e
  double centre_hz;   // of a collision, and the sharpness of its band
  double q;
  double grain_s;  // how long one lasts
};
void add_debris(Signal& out, const Debris& debris, Random& random);

/// Later contacts of the same body: a bounce whose waits and blows shrink by the restitution.
struct Bounces {
  double at;      // samples: of the blow before
  double wait_s;  // until the first
  double restitution;
  double gain;  // of the first
  int count;
};
void add_bounces(Signal& out, const Bounces& bounces, const std::vector<Mode>& modes,
                 double contact_s, Random& random);

/// A loose part that chatters against its neighbour at a rate that rises as it comes to rest.
void add_chatter(Signal& out, double at, double gain, double rate_hz, double decay_s,
                 const std::vector<Mode>& modes, double contact_s, Random& random);

}  // namespace qingyin::training
