#pragma once

#include <string>
#include <string_view>

namespace qingyin {

/// Character references as a browser reads them, with or without their semicolon: Python's
/// html.unescape (HTML, section 13.2.5.72).
std::u32string unescaped(std::u32string_view text);

/// Only those that are surely meant: with a semicolon; names in capitals count where they can mean
/// nothing else (rspeer/python-ftfy, ftfy/fixes.py, unescape_html).
std::u32string surely_unescaped(std::u32string_view text);

}  // namespace qingyin
