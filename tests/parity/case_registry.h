#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace qingyin::test {

/// A root of fixtures, which holds one folder per family.
struct FixtureRoot {
  std::filesystem::path path;
  std::string origin;  // what named it, for messages
};

/// `tests/fixtures` of the source tree and every folder of QINGYIN_FIXTURES (colon-separated).
std::vector<FixtureRoot> fixture_roots();

/// Registers one test. Its name holds family, file and case, with everything but letters and digits
/// turned into `_`; a name that is taken gets a number.
void register_case(const std::string& suite, const std::string& file_and_case,
                   std::function<void()> body);

/// Registers a test that is skipped with a reason.
void register_skip(const std::string& suite, const std::string& file_and_case,
                   const std::string& reason);

}  // namespace qingyin::test
