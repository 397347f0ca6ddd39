#pragma once

#include <memory>
#include <string>
#include <vector>

#include "training/scenes/scene.h"

namespace qingyin::training {

/// A ball that is dropped and bounces on the floor until it lies still.
struct BouncingBall {
  double x;  // world units
  double floor_y;
  double height;  // of the first drop, world units
  double radius;
  double restitution;   // speed after a bounce over the speed before
  double drifts_per_s;  // sideways speed, world units per second
  double start_s;       // let go at
  std::string material;
  Color color;
};
std::unique_ptr<Actor> make_bouncing_ball(const BouncingBall& ball);

/// A hammer that is lifted slowly and strikes a block at given times.
struct Hammer {
  Point pivot;
  double length;  // pivot to head, world units
  std::vector<double> strikes_s;
  std::vector<double> force;  // 0 to 1, one per strike: how high it is lifted
  std::string material;       // of the block
  Color block;
};
std::unique_ptr<Actor> make_hammer(const Hammer& hammer);

/// A ball that rolls along a board from one side to the other.
struct RollingBall {
  Point from, to;  // centre, world units
  double radius;
  double start_s, end_s;
  std::string material;
  Color color;
};
std::unique_ptr<Actor> make_rolling_ball(const RollingBall& ball);

}  // namespace qingyin::training
