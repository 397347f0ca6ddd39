#include "pipeline/batch/manifest.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <string_view>

#include "core/text.h"
#include "pipeline/batch/manifest_rows.h"
#include "sync/mastering.h"

namespace qingyin::batch {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMostBytes = std::size_t{64} << 20U;
constexpr std::size_t kMostRows = 1'000'000;

[[noreturn]] void refuse(const std::string& what) { throw Error(ErrorCode::kUsage, what); }

const std::string& single(const std::string& key, const std::vector<std::string>& values) {
  if (values.size() != 1) refuse(excerpt(key) + " is a list, expected one value");
  return values.front();
}

template <class Number>
Number number_in(const std::string& key, const std::string& text, Number low, Number high) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  if (is_number && value >= low && value <= high) return value;
  refuse(key + " is " + excerpt(text) + ", expected a number from " + std::to_string(low) + " to " +
         std::to_string(high));
}

OriginalSound original_of(const std::string& text) {
  if (text == "keep") return OriginalSound::kKeep;
  if (text == "duck") return OriginalSound::kDuck;
  if (text == "replace") return OriginalSound::kReplace;
  refuse("original is " + excerpt(text) + ", expected keep, duck or replace");
}

fs::path output_of(const std::string& text) {
  const fs::path path = fs::path(text).lexically_normal();
  const bool leaves = path.is_absolute() || (!path.empty() && *path.begin() == "..");
  if (leaves || !path.has_filename() || path == ".") {
    refuse("output is " + excerpt(text) + ", expected the name of a file below the output folder");
  }
  if (!path.has_extension()) {
    refuse("output " + excerpt(text) + " has no extension; expected a name such as clip.mp4");
  }
  return path;
}

// Sets one key of a row. @throws Error
void apply(Item& item, const std::string& key, const std::vector<std::string>& values,
           const fs::path& base) {
  Wishes& wishes = item.options.wishes;
  SoundOptions& sound = item.options.sound;
  if (key == "input") {
    const fs::path given = single(key, values);
    if (given.empty()) refuse("input is empty, expected the path of a clip");
    item.input = base.empty() ? given : base / given;
    const auto folder = given.lexically_normal().parent_path();
    const bool leaves = given.is_absolute() || (!folder.empty() && *folder.begin() == "..");
    if (!leaves) item.folder = folder;
  } else if (key == "output") {
    item.output = output_of(single(key, values));
  } else if (key == "prompt") {
    wishes.prompt = single(key, values);
  } else if (key == "label") {
    wishes.label = single(key, values);
  } else if (key == "ambience") {
    wishes.ambience = values;
  } else if (key == "seed") {
    sound.seed = number_in<std::uint64_t>(key, single(key, values), 0, UINT64_MAX);
  } else if (key == "steps") {
    sound.settings.steps = number_in(key, single(key, values), 1, 200);
  } else if (key == "guidance") {
    sound.settings.guidance = number_in(key, single(key, values), 1.0, 10.0);
  } else if (key == "original") {
    sound.original = original_of(single(key, values));
  } else if (key == "loudness") {
    sound.loudness = loudness_target(single(key, values)).name;
  } else {
    refuse("there is no key " + excerpt(key) +
           "; known are input, output, prompt, label, ambience, seed, steps, guidance, original, "
           "loudness");
  }
}

Item item_of(const ManifestRow& row, const fs::path& base, const std::string& name,
             const ItemOptions& defaults) {
  Item item{.input = {}, .options = defaults};
  const std::string place = name + ":" + std::to_string(row.line);
  try {
    if (!row.fault.empty()) refuse(row.fault);
    std::set<std::string> seen;
    for (const auto& [key, values] : row.cells) {
      if (!seen.insert(key).second) refuse(excerpt(key) + " is there twice");
      apply(item, key, values, base);
    }
    if (!seen.contains("input")) refuse("there is no input; every row names its clip");
  } catch (const Error& error) {
    item.fault = Fault{ErrorCode::kUsage, "bad_row", printable(place) + ": " + error.what()};
    if (item.input.empty()) item.input = place;
  }
  return item;
}

}  // namespace

std::vector<Item> read_manifest(const std::string& text, ManifestForm form, const fs::path& base,
                                const std::string& name, const ItemOptions& defaults) {
  const auto check = [&](bool is_ok, const std::string& what) {
    if (!is_ok) throw Error(ErrorCode::kInvalidInput, printable(name) + ": " + what, "limit");
  };
  check(text.size() <= kMostBytes, "is larger than 64 MB; split the manifest");
  const auto rows = split_manifest(text, form, name);
  check(rows.size() <= kMostRows, "has more than a million rows; split the manifest");
  std::vector<Item> items;
  items.reserve(rows.size());
  for (const auto& row : rows) items.push_back(item_of(row, base, name, defaults));
  return items;
}

}  // namespace qingyin::batch
