#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace qingyin::test {

/// A part of a family's engine that has parity tests: it claims fixtures by name and registers one
/// test per case that it finds in them.
struct FamilyPart {
  /// Whether a fixture belongs to this part.
  /// @param relative  the file below the family's folder: "flow_v1_16k.safetensors",
  ///                  "pipelines/i2v_5b/expected.safetensors"
  bool (*claims)(const std::filesystem::path& relative);

  /// @param folder   the family's folder
  /// @param claimed  its claimed files, relative, sorted
  void (*register_tests)(const std::filesystem::path& folder,
                         const std::vector<std::filesystem::path>& claimed);
};

/// A folder of fixtures of one kind of network.
struct Family {
  std::string name;
  std::vector<FamilyPart> parts;
  bool is_complete = false;  // a fixture that no part claims fails; otherwise it is a visible skip
};

/// Registers the tests of every fixture below `folder`.
void register_family(const Family& family, const std::filesystem::path& folder);

}  // namespace qingyin::test
