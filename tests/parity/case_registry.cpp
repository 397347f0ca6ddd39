#include "tests/parity/case_registry.h"

#include <gtest/gtest.h>

#include <cctype>
#include <cstdlib>
#include <set>
#include <sstream>
#include <utility>

namespace qingyin::test {
namespace {

class Case : public testing::Test {
 public:
  explicit Case(std::function<void()> body) : body_(std::move(body)) {}
  void TestBody() override { body_(); }

 private:
  std::function<void()> body_;
};

std::string sanitised(const std::string& text) {
  std::string name;
  for (const char c : text) name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}

std::string unique_name(const std::string& suite, const std::string& text) {
  static std::set<std::string> taken;
  const std::string wanted = sanitised(text);
  std::string name = wanted;
  for (int number = 2; !taken.insert(suite + "." + name).second; ++number)
    name = wanted + "_" + std::to_string(number);
  return name;
}

}  // namespace

std::vector<FixtureRoot> fixture_roots() {
  std::vector<FixtureRoot> roots{
      {std::filesystem::path(QINGYIN_SOURCE_DIR) / "tests" / "fixtures", "tests/fixtures"}};
  const char* const variable = std::getenv("QINGYIN_FIXTURES");
  std::istringstream folders(variable == nullptr ? "" : variable);
  for (std::string folder; std::getline(folders, folder, ':');)
    if (!folder.empty()) roots.push_back({folder, "QINGYIN_FIXTURES"});
  return roots;
}

void register_case(const std::string& suite, const std::string& file_and_case,
                   std::function<void()> body) {
  const std::string name = unique_name(suite, file_and_case);
  testing::RegisterTest(suite.c_str(), name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                        [body = std::move(body)]() -> testing::Test* { return new Case(body); });
}

void register_skip(const std::string& suite, const std::string& file_and_case,
                   const std::string& reason) {
  register_case(suite, file_and_case, [reason] { GTEST_SKIP() << reason; });
}

}  // namespace qingyin::test
