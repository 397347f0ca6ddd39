#pragma once

#include "training/synthesis/filters.h"

namespace qingyin::training {

/// Adds a room: a handful of early reflections and a late tail from a feedback delay network with a
/// Hadamard matrix (Jot and Chaigne, AES 90, 1991). `wet` is the tail's share of amplitude.
void add_room(Signal& signal, double reverberation_s, double wet, Random& random);

}  // namespace qingyin::training
