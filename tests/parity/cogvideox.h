#pragma once

#include "tests/parity/family.h"

namespace qingyin::test {

FamilyPart cogvideox_text();         // tokenizer and T5
FamilyPart cogvideox_transformer();  // networks, position tables
FamilyPart cogvideox_sampling();     // schedulers
FamilyPart cogvideox_lora();

}  // namespace qingyin::test
