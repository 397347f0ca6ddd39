#pragma once

#include <filesystem>

namespace qingyin::test {

/// Registers the cases of a folder of checkpoint vectors: `good/` must load bit for bit, `bad/`
/// must be refused with a typed error in little time and memory, `either/` may do one or the other,
/// `third_party/` has verdicts of its own. A file that no manifest names is a failing test.
void register_checkpoint_tests(const std::filesystem::path& folder);

/// The parts of it, one per folder that is there.
void register_loading_tests(const std::filesystem::path& folder, bool may_refuse);
void register_refusal_tests(const std::filesystem::path& folder);
void register_third_party_tests(const std::filesystem::path& folder);

}  // namespace qingyin::test
