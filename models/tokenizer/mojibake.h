#pragma once

#include <string>
#include <string_view>

namespace qingyin {

/// Whether characters stand side by side as they do in UTF-8 that was read as another encoding
/// ("schÃ¶n"), and hardly ever in what a person means.
bool looks_misread(std::u32string_view text);

/// The text that was meant where UTF-8 was read as a one-byte encoding, once or several times over,
/// wholly or in places, also where a byte or a no-break space was lost on the way. Text that looks
/// right stays.
///
/// The evidence and the order of the attempts are those of ftfy 6.3 (Speer, "ftfy", 2019;
/// rspeer/python-ftfy, ftfy/badness.py and ftfy/__init__.py), by which the prompts of the published
/// networks were cleaned. UTF-16 surrogates in UTF-8 (CESU-8) are not repaired.
std::u32string repaired_encoding(std::u32string text);

}  // namespace qingyin
