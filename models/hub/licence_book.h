#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "models/hub/known_models.h"

namespace qingyin {

/// Which licences the user has accepted, in a small JSON file of theirs:
///   {"schema": "qingyin.licences/1", "accepted": {"cc-by-nc-4.0": {"on": "2026-11-21"}}}
class LicenceBook {
 public:
  /// @param file  need not be there
  /// @throws Error kBadCheckpoint if it is there and is no such file
  explicit LicenceBook(std::filesystem::path file = default_file());

  /// $XDG_CONFIG_HOME or ~/.config, qingyin/licences.json below it.
  static std::filesystem::path default_file();

  bool has_accepted(std::string_view licence_id) const;
  /// Records it, with today's date, at once. @throws Error kIo
  void accept(const Licence& licence);

  /// @throws Error kModelMissing (reason "licence") naming every licence of the model that was not
  ///         accepted and the command that shows and accepts it
  void require_accepted(const KnownModel& model) const;

 private:
  struct Entry {
    std::string id, on;
  };
  std::filesystem::path file_;
  std::vector<Entry> entries_;
};

}  // namespace qingyin
