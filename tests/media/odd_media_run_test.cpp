#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "tests/media/media_test.h"

// The program on folders of odd and hostile files (make_odd_media.sh writes one): every file ends
// as its manifest says, in bounded time and memory. QINGYIN_ODD_MEDIA names the folders, split by
// colons, and runs all of each; without it a few files of the shared folder are taken.

namespace qingyin::test {
namespace {

using json = nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr Seconds kLongest{60};
constexpr long kMostKilobytes = 2L << 20, kMostForABomb = 300L << 10;

struct RunOutcome {
  int status = 0;  // as waitpid gives it
  double seconds = 0;
  long kilobytes = 0;  // peak of the program and of each process that it waited for
  json item;
};

std::string bytes_of(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

// In the child: the program with stdout in a file, and nothing of the caller's open.
[[noreturn]] void become(const Words& command, const fs::path& folder, const fs::path& out) {
  const int nothing = open("/dev/null", O_RDWR);
  const int file = open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  dup2(nothing, 0);
  dup2(file, 1);
  dup2(nothing, 2);
  if (chdir(folder.c_str()) != 0) _exit(126);
  const struct rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  std::vector<char*> arguments;
  for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  execv(arguments[0], arguments.data());
  _exit(127);
}

RunOutcome run_program(const Words& command, const fs::path& folder, const fs::path& out) {
  const auto begin = Clock::now();
  const pid_t child = fork();
  if (child == 0) become(command, folder, out);
  RunOutcome outcome;
  struct rusage used = {};
  while (wait4(child, &outcome.status, WNOHANG, &used) == 0) {
    if (Seconds(Clock::now() - begin) > kLongest) kill(child, SIGKILL);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  outcome.seconds = Seconds(Clock::now() - begin).count();
  outcome.kilobytes = used.ru_maxrss;
  std::ifstream file(out);
  const json summary = json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (summary.is_object() && !summary["items"].empty()) outcome.item = summary["items"][0];
  return outcome;
}

// The manifest's words for an end; anything else is named.
std::string kind_of(const RunOutcome& outcome) {
  if (!WIFEXITED(outcome.status)) return "signal " + std::to_string(WTERMSIG(outcome.status));
  const int code = WEXITSTATUS(outcome.status);
  if (code == 3) return "refuse";
  if (code != 0) return "exit " + std::to_string(code);
  return outcome.item.value("warnings", json::array()).empty() ? "ok" : "ok_with_warnings";
}

bool is_acceptable(const json& entry, const std::string& kind) {
  const std::string expected = entry.at("expected");
  if (kind == expected || (expected == "ok" && kind == "ok_with_warnings")) return true;
  const auto also = entry.value("also_acceptable", json::array());
  if (also.is_string()) return also.get<std::string>().find(kind) != std::string::npos;
  return std::find(also.begin(), also.end(), kind) != also.end();
}

bool has_tag(const json& entry, const std::string& tag) {
  const auto tags = entry.value("tags", json::array());
  return std::find(tags.begin(), tags.end(), tag) != tags.end();
}

// QINGYIN_ODD_PROGRAM: another build of it, such as one whose qingyin-media has the sanitizers.
std::string program() {
  const char* other = std::getenv("QINGYIN_ODD_PROGRAM");
  return other ? fs::absolute(other).native() : std::string(QINGYIN_BIN_DIR) + "/qingyin";
}

class OddMediaRunTest : public MediaTest {
 protected:
  void check_file(const fs::path& collection, const json& entry) {
    const std::string name = entry.contains("file_hex") ? bytes_of(entry.at("file_hex"))
                                                        : entry.at("file").get<std::string>();
    const auto out = folder() / "out";
    fs::create_directory(out);
    const Words command{program(),     "add",
                        "--untrusted", "--threads",
                        "1",           "--json",
                        "-o",          out.native() + "/",
                        "--",          fs::absolute(collection / name).native()};
    const auto outcome = run_program(command, folder(), folder() / "summary.json");
    const std::string kind = kind_of(outcome), shown = entry.at("file");
    const std::string detail = outcome.item.is_null() ? "" : outcome.item.dump(-1, ' ', true);
    EXPECT_TRUE(is_acceptable(entry, kind))
        << shown << ": " << kind << " instead of " << entry.at("expected") << "; " << detail;
    EXPECT_LE(outcome.seconds, kLongest.count()) << shown;
    EXPECT_LE(outcome.kilobytes, has_tag(entry, "bomb") ? kMostForABomb : kMostKilobytes) << shown;
    // A file can only be refused by a reader that is still alive.
    EXPECT_NE(outcome.item.value("reason", ""), "decoder_crashed") << shown << detail;
    if (kind == "refuse") {
      EXPECT_TRUE(fs::is_empty(out)) << shown;
      EXPECT_FALSE(outcome.item.value("reason", "").empty()) << shown;
    }
    slowest_ = std::max(slowest_, outcome.seconds);
    largest_ = std::max(largest_, outcome.kilobytes);
    fs::remove_all(out);
  }

  // All files of a manifest, or every so many.
  void check_folder(const fs::path& collection, std::size_t step) {
    std::ifstream file(collection / "manifest.json");
    ASSERT_TRUE(file) << collection;
    const auto manifest = json::parse(file);
    const auto& files = manifest.at("files");
    for (std::size_t i = 0; i < files.size(); i += step) check_file(collection, files[i]);
    EXPECT_GT(files.size(), 0U);
    std::printf("%s: %zu files, at most %.1f s and %ld MB\n", collection.c_str(),
                (files.size() + step - 1) / step, slowest_, largest_ >> 10);
  }

 private:
  double slowest_ = 0;
  long largest_ = 0;
};

TEST_F(OddMediaRunTest, EveryFileEndsAsItsManifestSays) {
  if (const char* folders = std::getenv("QINGYIN_ODD_MEDIA")) {
    std::istringstream list(folders);
    for (std::string name; std::getline(list, name, ':');) check_folder(name, 1);
    return;
  }
  const char* shared = std::getenv("QINGYIN_SHARED");
  const auto collection =
      (shared ? fs::path(shared) : fs::path(QINGYIN_SOURCE_DIR) / ".." / "shared") / "media_odd";
  if (!fs::exists(collection / "manifest.json")) GTEST_SKIP() << collection << " is not there";
  check_folder(collection, 12);
}

}  // namespace
}  // namespace qingyin::test
