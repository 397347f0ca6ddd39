// Checkpoints and JSON texts that must be refused: with a typed error, soon, in little memory.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "models/checkpoint/json_events.h"
#include "models/checkpoint/read_checkpoint.h"
#include "tests/parity/case_registry.h"
#include "tests/parity/checkpoints.h"
#include "tests/parity/guarded_run.h"
#include "tests/parity/table.h"

namespace qingyin::test {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kExtraBytes = std::uint64_t{300} << 20;
constexpr double kSeconds = 2;

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

Outcome read_guarded(const fs::path& file) {
  return run_guarded([&] { read_checkpoint(file); }, fs::file_size(file) + kExtraBytes);
}

void expect_refused(const Outcome& outcome) {
  ASSERT_TRUE(outcome.is_orderly) << outcome.message;
  ASSERT_TRUE(outcome.error.has_value()) << "it was accepted";
  EXPECT_EQ(name_of(*outcome.error), name_of(ErrorCode::kBadCheckpoint)) << outcome.message;
  EXPECT_LT(outcome.cpu_seconds, kSeconds);
}

/// The message must name the defect; the file's own path does not count.
void expect_mention(std::string message, const fs::path& file, const std::string& alternatives) {
  for (const std::string& path : {file.string(), file.parent_path().string()})
    for (std::size_t at; (at = message.find(path)) != std::string::npos;)
      message.erase(at, path.size());
  std::istringstream words(alternatives);
  for (std::string word; std::getline(words, word, '|');)
    if (lower(message).find(lower(word)) != std::string::npos) return;
  ADD_FAILURE() << "the message mentions none of " << alternatives << ": " << message;
}

void check_bad(const fs::path& folder, const Row& row) {
  const fs::path file = folder / row.at("file");
  const Outcome outcome = read_guarded(file);
  expect_refused(outcome);
  EXPECT_NE(outcome.message.find(file.parent_path().string()), std::string::npos)
      << "the message does not name the file: " << outcome.message;
  expect_mention(outcome.message, file, row.at("message_should_mention"));
}

void check_verdict(const Outcome& outcome, const std::string& verdict) {
  if (verdict == "refuse") return expect_refused(outcome);
  ASSERT_TRUE(outcome.is_orderly) << outcome.message;
  EXPECT_LT(outcome.cpu_seconds, kSeconds);
  if (verdict == "either") return;
  ASSERT_EQ(verdict, "load") << "the manifest has a verdict that no test understands";
  EXPECT_FALSE(outcome.error.has_value()) << outcome.message;
}

/// Hears everything and keeps nothing.
class IgnoredEvents : public JsonEvents {
 public:
  void begin_object() override {}
  void key(const std::string&) override {}
  void end_object() override {}
  void begin_array() override {}
  void end_array() override {}
  void string(const std::string&) override {}
  void integer(std::uint64_t) override {}
  void other(const std::string&) override {}
};

void check_json(const fs::path& file, const std::string& verdict) {
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const Outcome outcome = run_guarded(
      [&] {
        IgnoredEvents events;
        scan_json(text, events, file);
      },
      fs::file_size(file) + kExtraBytes);
  if (verdict == "refuse_duplicate") {
    expect_refused(outcome);
    expect_mention(outcome.message, file, "duplicate");
    return;
  }
  check_verdict(outcome, verdict == "accept" ? "load" : verdict);
}

void register_json_tests(const fs::path& folder) {
  for (const Row& row : read_table(folder / "manifest.tsv")) {
    fs::path file = folder / row.at("file");
    if (!fs::exists(file)) file = folder / "test_parsing" / row.at("file");
    register_case("checkpoints_json", row.at("file"),
                  [file, verdict = row.at("expected")] { check_json(file, verdict); });
  }
}

}  // namespace

void register_refusal_tests(const fs::path& folder) {
  for (const Row& row : read_table(folder / "manifest.tsv"))
    register_case("checkpoints_bad", row.at("file"), [folder, row] { check_bad(folder, row); });
}

void register_third_party_tests(const fs::path& folder) {
  for (const Row& row : read_table(folder / "manifest.tsv"))
    register_case("checkpoints_third_party", row.at("file"), [folder, row] {
      check_verdict(read_guarded(folder / row.at("file")), row.at("expected"));
    });
  if (fs::exists(folder / "jsontestsuite" / "manifest.tsv"))
    register_json_tests(folder / "jsontestsuite");
}

}  // namespace qingyin::test
