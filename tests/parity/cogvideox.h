#pragma once

#include "tests/parity/family.h"

namespace qingyin::test {

FamilyPart cogvideox_text();         // tokenizer and T5
FamilyPart cogvideox_transformer();  // networks, position tables
FamilyPart cogvideox_sampling();     // schedulers
FamilyPart cogvideox_lora();
FamilyPart cogvideox_vae();
FamilyPart cogvideox_preprocess();
FamilyPart cogvideox_pipelines();

}  // namespace qingyin::test
