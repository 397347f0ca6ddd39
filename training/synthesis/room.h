#pragma once

#include "training/synthesis/filters.h"

namespace qingyin::training {

/// Where a sound is heard: a box with walls, or the open.
struct Room {
  bool outdoors;
  bool spread;  // the source is all around, not at one place
  double volume_m3;
  double reverberation_s;  // 60 dB at 1 kHz
  double treble;           // reverberation at the top of the spectrum over that at 1 kHz
  double distance_m;       // from the source to the listener
  int facades;             // outdoors: walls far away that send an echo back
};

/// Draws a place as it is usual for the class: a table for what is hit, the open for rain.
Room draw_room(int class_id, Random& random);

/// Lets the signal be heard in the room: air absorption over the distance, the first reflections of
/// the walls (image sources; outdoors of the ground and of facades), and a diffuse tail whose level
/// follows from the critical distance. The direct sound stays where it is and keeps its level.
/// Source: Allen and Berkley, JASA 65(4), 1979 (images); Jot and Chaigne, AES 90, 1991 (delay
/// network with frequency-dependent decay); ISO 9613-1 (air); Kuttruff, "Room Acoustics".
void add_room(Signal& signal, const Room& room, Random& random);

}  // namespace qingyin::training
