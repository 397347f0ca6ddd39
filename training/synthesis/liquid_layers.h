#pragma once

#include "training/synthesis/filters.h"

// Layers that sounds of water share.
namespace qingyin::training {

/// One bubble under water: Minnaert's pitch 3 / r (in Hz and metres), its radiation and heat loss,
/// and the rise in pitch as it nears the surface.
/// Source: van den Doel, "Physically based models for liquid sounds", ACM TAP 2(4), 2005.
struct Bubble {
  double at;  // samples
  double gain;
  double radius_m;
  double rise;
};
void add_bubble(Signal& out, const Bubble& bubble);

/// Bubbles at Poisson times, their radii after a power law, louder when larger.
struct BubbleStream {
  double rate_per_s;
  double small_m, large_m;
  double clumping;  // nepers by which their rate sways
  double period_s;  // of the sway
};
void add_bubble_stream(Signal& out, const BubbleStream& stream, Random& random);

}  // namespace qingyin::training
