#pragma once

#include <string>
#include <string_view>

namespace qingyin {

/// Repairs what went wrong with a text before it came to us: misread encodings, character
/// references, ligatures, full-width forms, curly quotes, line ends, terminal colours, control
/// characters, decomposed characters. The steps and their order are ftfy's (6.3, its defaults;
/// rspeer/python-ftfy).
std::u32string repaired(std::u32string_view text);

/// A prompt as CLIP's tokenizer wants it (mlfoundations/open_clip, open_clip/tokenizer.py):
/// repaired, character references read twice, white space collapsed, lower case.
/// @param prompt  UTF-8
/// @throws Error  kInvalidInput if it is not UTF-8
std::string cleaned_prompt(std::string_view prompt);

}  // namespace qingyin
