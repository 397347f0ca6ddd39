#pragma once

#include "tests/parity/family.h"

namespace qingyin::test {

// The parts of the family `mmaudio` that see and read: fixtures of the README in
// `parity/mmaudio` by name.
FamilyPart mmaudio_clip_part();         // clip*, keys/clip*
FamilyPart mmaudio_synchformer_part();  // synchformer*, keys/synchformer*

FamilyPart mmaudio_tokenizer_part();      // tokenizer*.json, bpe_*.txt.gz
FamilyPart mmaudio_frame_picking_part();  // frame_picking*.json
FamilyPart mmaudio_preprocess_part();     // preprocess*

}  // namespace qingyin::test
