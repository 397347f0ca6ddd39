#pragma once

#include <cstdint>
#include <vector>

#include "training/scenes/track.h"
#include "understanding/motion_map.h"
#include "understanding/picture_kinds.h"

namespace qingyin::training {

/// What is heard of a thing that is seen.
struct FilmEvent {
  bool lasts = false;
  OnsetKind onset_kind = OnsetKind::kImpact;         // if it does not last
  LastingKind lasting_kind = LastingKind::kRolling;  // if it lasts
  double onset_s = 0, offset_s = 0;
  double intensity = 0.5;  // [0, 1]
  double x = 0, y = 0;     // right and up, [-1, 1]
  bool hidden = false;     // outside the picture or behind something: heard, not seen
};

/// A textured shape on its way through the picture. Lengths: the picture is 1.5 wide and 1 high.
struct Thing {
  bool is_box = false;
  double half_width = 0.1, half_height = 0.1;
  double arm = 0;  // the shape's centre is this far from (x, y) in the direction of the angle
  Track x, y, angle;
  Track size{1}, opacity{1}, grey{128};
  Track slide;           // of the texture along its y, own lengths
  double contrast = 30;  // of the texture, grey levels
  double grain = 8;      // repeats of the texture over the picture's height
  double texture_x = 0;  // place in the texture
  double soft = 0.01;    // width of the outline
};

/// All that happens in a film, before it is shot.
struct FilmPlan {
  double duration_s = 4;
  std::vector<Thing> things;  // later ones cover earlier ones
  std::vector<FilmEvent> events;
  Track light{1};
  std::vector<double> jolts_s;  // the camera is shaken at
  std::vector<double> jolts;    // by
};

/// Adds something that moves and what is heard of it.
void add_cause(Draw& draw, FilmPlan& plan);
/// Adds something that moves and makes no sound.
void add_distractor(Draw& draw, FilmPlan& plan);
/// Adds something that stands before the rest.
void add_occluder(Draw& draw, FilmPlan& plan);

struct FilmFrame {
  double time_s;
  SmallPicture picture;
};

/// One shot of a small grey silent film with the truth about what sounds when. Picture and events
/// come from one plan, so that they agree to a fraction of a frame.
struct Film {
  std::vector<FilmFrame> frames;
  std::vector<FilmEvent> events;  // in order of their onsets
  double duration_s = 0;
};

/// Shoots film `index` of a seed: things, textures, a camera on a tripod, in a hand or panning,
/// light, grain, skipped blocks and key frames of a coder, shutter, 15 to 30 frames per second and
/// now and then repeated frames.
Film shoot_film(std::uint64_t seed, std::uint64_t index, double duration_s);

}  // namespace qingyin::training
