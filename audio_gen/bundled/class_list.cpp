#include "audio_gen/bundled/class_list.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <utility>

namespace qingyin::bundled {
namespace {

/// Lower-case words; a run of characters that are not English is a word.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words(1);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || (byte & 0x80)) {
      words.back() += static_cast<char>(std::tolower(byte));
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

bool is_form_of(const std::string& word, std::string name) {
  if (word == name) return true;
  if (!name.empty() && (name.back() & 0x80)) return word.find(name) != word.npos;
  for (const char* ending : {"s", "es", "ing", "ed", "d"}) {
    if (word == name + ending) return true;
  }
  const bool has_silent_e = name.ends_with('e');
  if (has_silent_e) name.pop_back();
  return has_silent_e && word == name + "ing";
}

bool holds(const std::vector<std::string>& words, const std::vector<std::string>& name) {
  return !name.empty() && std::search(words.begin(), words.end(), name.begin(), name.end(),
                                      is_form_of) != words.end();
}

}  // namespace

ClassList::ClassList(int known, std::vector<AdapterClass> adapted)
    : known_(known), adapted_(std::move(adapted)) {}

std::optional<int> ClassList::find(std::string_view text) const {
  if (adapted_.empty()) return std::nullopt;
  const auto words = words_of(text);
  for (std::size_t k = adapted_.size(); k-- > 0;) {
    if (!holds(words, words_of(adapted_[k].name))) continue;
    return static_cast<int>(sound_classes().size() + k);
  }
  return std::nullopt;
}

SoundClassInfo ClassList::info(int class_id) const {
  const auto id = static_cast<std::size_t>(class_id);
  if (id < sound_classes().size()) return sound_classes()[id];
  const AdapterClass& own = adapted_.at(id - sound_classes().size());
  return {own.name, sound_shape(own.shape).value_or(SoundShape::kOneShot), own.uses_material,
          own.lane, own.like};
}

std::optional<SoundShape> sound_shape(std::string_view word) {
  for (const auto shape : {SoundShape::kOneShot, SoundShape::kSustained, SoundShape::kTexture}) {
    if (name_of(shape) == word) return shape;
  }
  return std::nullopt;
}

std::string_view name_of(SoundShape shape) {
  switch (shape) {
    case SoundShape::kSustained:
      return "sustained";
    case SoundShape::kTexture:
      return "texture";
    default:
      return "one_shot";
  }
}

}  // namespace qingyin::bundled
