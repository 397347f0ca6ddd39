#include "video_gen/lora_scale.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/text.h"
#include "models/checkpoint/checkpoint_file.h"
#include "models/checkpoint/config_file.h"

namespace qingyin {
namespace {

constexpr char kPrefix[] = "transformer.";

/// Whether a pattern of literal characters, `.` and `.*` matches the whole text.
bool matches(std::string_view pattern, std::string_view text) {
  // reached[i]: the pattern so far can end after i characters.
  std::vector<bool> reached(text.size() + 1, false);
  reached[0] = true;
  while (!pattern.empty()) {
    const bool is_run = pattern.starts_with(".*");
    const bool is_escaped = pattern.starts_with("\\.");
    const bool is_any = pattern.front() == '.' && !is_run;
    const char wanted = is_escaped ? '.' : pattern.front();
    std::vector<bool> next(text.size() + 1, false);
    for (std::size_t i = 0; i <= text.size(); ++i) {
      if (is_run)
        next[i] = reached[i] || (i > 0 && next[i - 1]);
      else
        next[i] = i > 0 && reached[i - 1] && (is_any || text[i - 1] == wanted);
    }
    reached = std::move(next);
    pattern.remove_prefix(is_run || is_escaped ? 2 : 1);
  }
  return reached[text.size()];
}

}  // namespace

bool names_module(std::string_view pattern, std::string_view module) {
  const bool is_anchored = pattern.starts_with('^');
  if (is_anchored) pattern.remove_prefix(1);
  if (pattern.ends_with('$')) pattern.remove_suffix(1);
  if (matches(pattern, module)) return true;
  for (std::size_t dot = module.find('.'); !is_anchored && dot != module.npos;
       dot = module.find('.', dot + 1))
    if (matches(pattern, module.substr(dot + 1))) return true;
  return false;
}

LoraScale LoraScale::parse(std::string_view metadata, const std::filesystem::path& file) {
  const ConfigFile config = ConfigFile::parse(metadata, file);
  const std::string prefix = kPrefix;
  LoraScale scale;
  scale.file_ = file;
  if (!config.has(prefix + "r") && !config.has(prefix + "lora_alpha")) return scale;
  scale.is_given_ = true;
  scale.rank_ = config.number(prefix + "r");
  scale.alpha_ = config.number(prefix + "lora_alpha");
  scale.is_rank_stabilised_ = config.boolean(prefix + "use_rslora", false);
  const auto patterns = [&](const std::string& key, std::vector<Pattern>& into) {
    if (!config.has(key)) return;
    const nlohmann::json& entries = config.json().at(key);
    if (!entries.is_object()) config.refuse(key + " is no JSON object");
    for (const auto& [text, value] : entries.items()) {
      constexpr std::size_t kLongest = 256;
      if (!value.is_number() || text.size() > kLongest ||
          text.find_first_of("()[]{}|+?") != std::string::npos)
        config.refuse(key + " has an entry that is not understood: " + excerpt(text, 200));
      into.push_back({.text = text, .value = value.get<double>()});
    }
  };
  patterns(prefix + "rank_pattern", scale.ranks_);
  patterns(prefix + "alpha_pattern", scale.alphas_);
  return scale;
}

std::optional<double> LoraScale::value_of(const std::vector<Pattern>& patterns,
                                          const std::string& module) {
  for (const Pattern& pattern : patterns)
    if (names_module(pattern.text, module)) return pattern.value;
  return std::nullopt;
}

double LoraScale::of(const std::string& module, std::int64_t rank) const {
  if (!is_given_) return 1;
  const auto found_rank = static_cast<double>(rank);
  const double wanted_rank = value_of(ranks_, module).value_or(rank_);
  if (wanted_rank != found_rank)
    refuse_checkpoint(file_, "its metadata gives " + excerpt(module, 200) + " the rank " +
                                 std::to_string(wanted_rank) + ", its tensors have " +
                                 std::to_string(rank));
  const double alpha = value_of(alphas_, module).value_or(alpha_);
  return alpha / (is_rank_stabilised_ ? std::sqrt(found_rank) : found_rank);
}

}  // namespace qingyin
