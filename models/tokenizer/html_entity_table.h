#pragma once

#include <string_view>

namespace qingyin {

/// The named character references of HTML (html.spec.whatwg.org, section 13.5), each as
/// "NAME=HEX" or "NAME=HEX+HEX", apart by blanks. "NAME!" is also known without a semicolon.
extern const std::string_view kHtmlEntities;

}  // namespace qingyin
