#include "understanding/labels/label_set.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <span>

#include "core/error.h"
#include "core/sha256.h"
#include "core/text.h"

namespace qingyin {
namespace {

constexpr std::array<std::string_view, 6> kColumns{"label",    "kind",    "sound",
                                                   "material", "picture", "caption"};
constexpr std::array<std::string_view, 3> kKinds{"strike", "lasting", "ambience"};
constexpr std::size_t kMostBytes = std::size_t{1} << 20, kMostLabels = 4096, kLongestCell = 200;
constexpr std::size_t kMostFaults = 20;  // told

std::vector<std::string_view> split(std::string_view text, char border) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = text.find(border);
    parts.push_back(text.substr(0, end));
    if (end == text.npos) return parts;
    text.remove_prefix(end + 1);
  }
}

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ErrorCode::kInvalidInput, what, "broken_labels");
}

/// Reads the lines of a list, and keeps what is wrong with them.
class ListReader {
 public:
  explicit ListReader(const LabelVocabulary& vocabulary) : vocabulary_(vocabulary) {}

  void take(std::string_view line) {
    ++line_;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) return;
    const auto cells = split(line, '\t');
    if (!has_header_) return take_header(cells);
    if (cells.size() != kColumns.size())
      return fault(std::to_string(cells.size()) + " columns, expected " +
                   std::to_string(kColumns.size()) + " with a tab between");
    take_label(cells);
  }

  std::vector<SoundLabel> finish(const std::string& name) {
    if (!has_header_) fault("no header; expected the line \"" + header() + "\"");
    if (has_header_ && labels_.empty() && faults_.empty()) fault("no label");
    if (labels_.size() > kMostLabels) fault("more than " + std::to_string(kMostLabels) + " labels");
    if (faults_.empty()) return std::move(labels_);
    std::string text = name + ": is no label list; nothing was taken from it. Correct:";
    for (const auto& each : std::span(faults_).first(std::min(faults_.size(), kMostFaults)))
      text += "\n  " + each;
    if (faults_.size() > kMostFaults)
      text += "\n  and " + std::to_string(faults_.size() - kMostFaults) + " more";
    refuse(text);
  }

 private:
  static std::string header() {
    std::string text;
    for (const auto column : kColumns) text += (text.empty() ? "" : "<tab>") + std::string(column);
    return text;
  }

  void fault(const std::string& what) {
    faults_.push_back("line " + std::to_string(line_) + ": " + what);
  }

  void take_header(const std::vector<std::string_view>& cells) {
    has_header_ = true;
    if (!std::ranges::equal(cells, kColumns))
      fault("expected the header \"" + header() + "\", found " + excerpt(cells.front()) +
            (cells.size() > 1 ? " and so on" : ""));
  }

  void take_label(const std::vector<std::string_view>& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string column(kColumns[i]);
      if (!is_utf8(cells[i])) return fault(column + " is not UTF-8");
      if (cells[i].size() > kLongestCell)
        return fault(column + " is longer than " + std::to_string(kLongestCell) + " bytes");
    }
    for (const std::size_t i : {std::size_t{0}, std::size_t{4}, std::size_t{5}})
      if (cells[i].empty()) return fault(std::string(kColumns[i]) + " is empty");
    if (!names_.emplace(cells[0]).second)
      return fault("the label " + excerpt(cells[0]) + " stands twice");
    const auto kind = std::ranges::find(kKinds, cells[1]);
    if (kind == kKinds.end())
      return fault("kind is " + excerpt(cells[1]) + "; expected strike, lasting or ambience");
    const auto sound =
        std::ranges::find(vocabulary_.sounds, cells[2], &LabelVocabulary::Sound::name);
    const bool is_known = sound != vocabulary_.sounds.end();
    if (!is_known && !cells[2].empty()) return fault(unknown_sound(cells[2]));
    const auto label_kind = static_cast<LabelKind>(kind - kKinds.begin());
    if (cells[2].empty() && label_kind != LabelKind::kAmbience)
      return fault("only an ambience may have no sound");
    if (!cells[3].empty() && std::ranges::count(vocabulary_.materials, cells[3]) == 0)
      return fault("material is " + excerpt(cells[3]) + ", which the engine does not know");
    labels_.push_back({std::string(cells[0]), label_kind, std::string(cells[2]),
                       is_known ? std::string(sound->lane) : std::string(), std::string(cells[3]),
                       std::string(cells[4]), std::string(cells[5])});
  }

  std::string unknown_sound(std::string_view word) const {
    std::string known;
    for (const auto& each : vocabulary_.sounds)
      known += (known.empty() ? "" : ", ") + std::string(each.name);
    return "sound is " + excerpt(word) + "; expected one of " + known;
  }

  const LabelVocabulary& vocabulary_;
  std::vector<SoundLabel> labels_;
  std::vector<std::string> faults_;
  std::set<std::string, std::less<>> names_;
  std::size_t line_ = 0;
  bool has_header_ = false;
};

}  // namespace

LabelSet parse_labels(std::string_view text, const std::string& name,
                      const LabelVocabulary& vocabulary) {
  ListReader reader(vocabulary);
  if (text.ends_with('\n')) text.remove_suffix(1);
  for (const auto line : split(text, '\n')) reader.take(line);
  return {reader.finish(name), sha256_hex(text)};
}

LabelSet read_labels(const std::filesystem::path& path, const LabelVocabulary& vocabulary) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kMostBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad())
    refuse(printable(path) + ": no label list can be read from it; name a readable file");
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMostBytes) refuse(printable(path) + ": is over 1 MiB; no label list is");
  return parse_labels(text, printable(path), vocabulary);
}

}  // namespace qingyin
