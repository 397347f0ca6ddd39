#pragma once

#include <string>
#include <string_view>

#include "pipeline/pipeline.h"
#include "pipeline/report.h"

namespace qingyin {

/// What identifies a result: the bytes of its inputs, the weights, every choice, the files wanted
/// and the program's version, as a SHA-256. Equal keys mean equal samples.
/// @param said  wishes or other words that the inputs do not hold
std::string result_key(const Report& begun, const OutputRequest& output, std::string_view said);

}  // namespace qingyin
