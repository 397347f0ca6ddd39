#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qingyin {

/// Whether a peft pattern names a module: the whole name, or its end behind a dot (in peft,
/// `(.*\.)?(PATTERN)$`). Of regular expressions `^` in front, `$` behind, `.`, `\.` and `.*` are
/// understood.
bool names_module(std::string_view pattern, std::string_view module);

/// The scales that a LoRA file's `lora_adapter_metadata` asks for.
class LoraScale {
 public:
  /// No metadata: 1 for every module.
  LoraScale() = default;

  /// @throws Error kBadCheckpoint
  static LoraScale parse(std::string_view metadata, const std::filesystem::path& file);

  /// @param rank    of the module's tensors
  /// @throws Error  kBadCheckpoint if the metadata gives the module another rank
  double of(const std::string& module, std::int64_t rank) const;

 private:
  struct Pattern {
    std::string text;
    double value;
  };
  static std::optional<double> value_of(const std::vector<Pattern>& patterns,
                                        const std::string& module);

  std::filesystem::path file_;
  bool is_given_ = false, is_rank_stabilised_ = false;
  double rank_ = 0, alpha_ = 0;
  std::vector<Pattern> ranks_, alphas_;
};

}  // namespace qingyin
