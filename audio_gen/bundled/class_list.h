#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "audio_gen/vocabulary.h"
#include "models/adapter/adapter.h"

namespace qingyin::bundled {

/// The classes that an engine makes: the first ones of the vocabulary, which its weights know, and
/// new ones of adapters, whose ids follow the vocabulary's.
class ClassList {
 public:
  /// @param known    classes of the vocabulary that the weights were trained on, at least 14
  /// @param adapted  new classes with names of their own
  explicit ClassList(int known = 0, std::vector<AdapterClass> adapted = {});

  int known() const { return known_; }
  const std::vector<AdapterClass>& adapted() const { return adapted_; }

  /// The id of a new class that the words name: each word of its name in a row, whatever their
  /// case, an English ending ("squeaks", "squeaking") allowed. The last one where there are
  /// several.
  std::optional<int> find(std::string_view words) const;

  /// Texts live as long as this list.
  SoundClassInfo info(int class_id) const;

 private:
  int known_;
  std::vector<AdapterClass> adapted_;
};

/// "one_shot", "sustained" or "texture"; none for other words.
std::optional<SoundShape> sound_shape(std::string_view word);
std::string_view name_of(SoundShape shape);

}  // namespace qingyin::bundled
