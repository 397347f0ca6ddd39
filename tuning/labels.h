#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qingyin::tuning {

/// What somebody says about a recording, or about one sound in it.
struct Label {
  std::string sound_class;  // lower case
  std::string material;     // of the vocabulary, or empty
  std::optional<double> size, intensity;
  std::optional<double> onset_s;  // none: every sound in the file
  std::string caption;
  std::string shape;  // "one_shot", "sustained", "texture" or empty
  std::string where;  // "labels.csv, line 3", or the file's name: for messages
};

/// Rows of a table, by the file that they name (as written there, '/' between folders).
struct LabelTable {
  std::map<std::string, std::vector<Label>> rows;
  std::vector<std::string> faults;  // "labels.csv, line 7: size is not a number from 0 to 1"
};

/// Reads comma-separated text (RFC 4180) whose first row names the columns: file and class, and if
/// wanted material, size, intensity, onset, caption, shape. Others are passed over. A row with a
/// fault is left out and told of.
/// @param name    of the file, for messages
/// @throws Error  kInvalidInput if it is no UTF-8 or a needed column is missing
LabelTable read_label_table(std::string_view text, const std::string& name);

/// What a file name after the Universal Category System says, "CatID_FXName_CreatorID_SourceID...":
/// the class that its category stands for. None if the name does not follow the scheme.
/// Only ids of the published list count, letter by letter (universalcategorysystem.com).
struct UcsName {
  std::string cat_id;                 // "DOORWood"
  std::string fx_name;                // "Creaky Cupboard"
  std::string sound_class, material;  // empty: no class of ours
};
std::optional<UcsName> parse_ucs_name(const std::filesystem::path& file);

}  // namespace qingyin::tuning
