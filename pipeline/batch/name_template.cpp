#include "pipeline/batch/name_template.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

#include "core/sha256.h"
#include "core/text.h"
#include "pipeline/batch/name_form.h"

namespace qingyin::batch {
namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 5> kFields = {"name", "folder", "parent", "index", "seed"};
constexpr std::string_view kFollowsClip = ".{ext}";
// Room for ".report.json", ".events.json" and a number behind a name of 255 bytes.
constexpr std::size_t kLongestName = 236;

[[noreturn]] void refuse(const std::string& text, const std::string& what) {
  throw Error(ErrorCode::kUsage, "the name template " + excerpt(text, 80) + " " + what);
}

std::string without_slashes(std::string text) {
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

std::string value_of(const std::string& field, const Item& item, std::size_t index) {
  if (field == "name") return without_slashes(item.input.stem().native());
  if (field == "folder") return item.folder.native();
  if (field == "parent") return item.input.parent_path().filename().native();
  if (field == "seed") return std::to_string(item.options.sound.seed);
  char number[32];
  std::snprintf(number, sizeof number, "%04zu", index);
  return number;
}

}  // namespace

std::string shortened_name(const std::string& name) {
  if (name.size() <= kLongestName) return name;
  const std::string mark = "~" + sha256_hex(name).substr(0, 8);
  std::size_t cut = kLongestName - mark.size();
  while (cut > 0 && (static_cast<unsigned char>(name[cut]) & 0xC0U) == 0x80U) --cut;
  return name.substr(0, cut) + mark;
}

NameTemplate::NameTemplate(const std::string& text) {
  std::string_view rest = text;
  for (const std::string_view ending :
       {kFollowsClip, std::string_view(".wav"), std::string_view(".flac")}) {
    if (rest.ends_with(ending)) {
      if (ending != kFollowsClip) extension_ = ending;
      rest.remove_suffix(ending.size());
      break;
    }
  }
  if (rest.size() == text.size()) refuse(text, "should end in .{ext}, .wav or .flac");
  while (!rest.empty()) {
    const auto brace = std::min(rest.find_first_of("{}"), rest.size());
    if (brace > 0) pieces_.push_back({{}, std::string(rest.substr(0, brace))});
    rest.remove_prefix(brace);
    if (rest.empty()) break;
    const auto end = rest.find('}');
    const bool is_field = rest[0] == '{' && end != std::string_view::npos;
    const auto field = is_field ? rest.substr(1, end - 1) : rest.substr(0, 1);
    if (!is_field || std::find(kFields.begin(), kFields.end(), field) == kFields.end()) {
      refuse(text, "holds " + excerpt(field) +
                       "; known are {name}, {folder}, {parent}, {index}, {seed}, and {ext} at the "
                       "end");
    }
    pieces_.push_back({std::string(field), {}});
    rest.remove_prefix(end + 1);
  }
  const fs::path whole(text);
  const bool climbs = std::find(whole.begin(), whole.end(), "..") != whole.end();
  if (whole.is_absolute() || climbs) refuse(text, "leaves the output folder");
  if (pieces_.empty()) refuse(text, "names no file");
}

fs::path NameTemplate::slot(const Item& item, std::size_t index) const {
  std::string text;
  for (const auto& piece : pieces_) {
    text += piece.field.empty() ? piece.text : value_of(piece.field, item, index);
  }
  return safe_slot(fs::path(composed(text)).relative_path());
}

fs::path safe_slot(const fs::path& wanted) {
  fs::path slot;
  for (const auto& part : wanted) {
    if (part.empty() || part == "." || part == "..") continue;
    slot /= shortened_name(part.native());
  }
  require(!slot.empty(), ErrorCode::kUsage,
          "the name template makes no name of " + printable(wanted) + "; use {name} or {index}");
  return slot;
}

}  // namespace qingyin::batch
