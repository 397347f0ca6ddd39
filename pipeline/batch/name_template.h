#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "pipeline/batch/item.h"

namespace qingyin::batch {

/// How results are named, below the output folder: text with the fields {name} (of the input,
/// without extension), {folder} (of the input, below what was asked for), {parent} (the last folder
/// of the input), {index} (its number in the batch, from 1, at least four digits), {seed}. It ends
/// in ".{ext}" (the container follows the clip), ".wav" or ".flac" (the sound alone).
class NameTemplate {
 public:
  /// @throws Error kUsage naming what is wrong
  explicit NameTemplate(const std::string& text);

  /// The name without its extension: safe (no "..", no control of folders by an input's name), in
  /// Unicode's composed form, and short enough for the report beside it.
  /// @throws Error kUsage if nothing is left of it
  std::filesystem::path slot(const Item& item, std::size_t index) const;
  /// ".wav" or ".flac"; empty: that of the clip's container.
  const std::string& extension() const { return extension_; }

 private:
  struct Piece {
    std::string field;  // empty: `text` as it is
    std::string text;
  };

  std::vector<Piece> pieces_;
  std::string extension_;
};

/// A name without its extension, cut where it leaves no room for what is put behind it and marked,
/// so that it stays apart from others that begin alike.
std::string shortened_name(const std::string& name);

/// The name of a file without its extension, as `NameTemplate::slot` makes one.
std::filesystem::path safe_slot(const std::filesystem::path& wanted);

}  // namespace qingyin::batch
