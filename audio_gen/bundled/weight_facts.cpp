#include "audio_gen/bundled/weight_facts.h"

#include <charconv>

#include "core/error.h"

namespace qingyin::bundled {
namespace {

constexpr std::int64_t kMost = 4096;

}  // namespace

std::int64_t metadata_number(const std::map<std::string, std::string>& metadata,
                             const std::string& name, const std::string& file) {
  const auto found = metadata.find(name);
  require(found != metadata.end(), ErrorCode::kBadCheckpoint,
          file + ": its metadata lack \"" + name +
              "\", which the trainer writes; take the weights of this version of the program");
  const std::string& text = found->second;
  std::int64_t value = -1;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  require(
      failure == std::errc() && end == text.data() + text.size() && value >= 0 && value <= kMost,
      ErrorCode::kBadCheckpoint,
      file + ": " + name + " is \"" + text + "\" in its metadata; expected 0 to 4096");
  return value;
}

}  // namespace qingyin::bundled
