#include "pipeline/result_key.h"

#include <nlohmann/json.hpp>

#include "core/sha256.h"

namespace qingyin {

std::string result_key(const Report& begun, const OutputRequest& output, std::string_view said) {
  nlohmann::ordered_json key = {{"version", QINGYIN_VERSION},
                                {"command", begun.command},
                                {"engine", begun.engine.name},
                                {"models", begun.engine.models},
                                {"steps", begun.settings.steps},
                                {"guidance", begun.settings.guidance},
                                {"options", begun.options},
                                {"seed", begun.seed},
                                {"loudness", begun.loudness_target},
                                {"mix", output.mix.filename().string()},
                                {"stems", output.stems.filename().string()},
                                {"timeline", output.timeline.filename().string()},
                                {"said", said}};
  if (!begun.settings.negative_prompt.empty()) key["negative"] = begun.settings.negative_prompt;
  for (const auto& input : begun.inputs) key["inputs"].push_back(input.sha256);
  return sha256_hex(key.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

}  // namespace qingyin
