#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/media/media_test.h"
#include "tests/media/odd_files.h"

// The program on folders of odd and hostile files (make_odd_media.sh writes one): every file ends
// as its manifest says, in bounded time and memory. QINGYIN_ODD_MEDIA names the folders, split by
// colons, and runs all of each; without it a few files of the shared folder are taken.

namespace qingyin::test {
namespace {

using json = nlohmann::json;
using Clock = std::chrono::steady_clock;

// Of the processor's time; a machine that is busy with other things may take ten times as long.
constexpr Seconds kLongest{60};
constexpr long kMostKilobytes = 2L << 20, kMostForABomb = 300L << 10;

struct RunOutcome {
  int status = 0;      // as waitpid gives it
  double seconds = 0;  // of the processor, with all that it waited for
  long kilobytes = 0;  // peak of the program and of each process that it waited for
  json item;
};

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

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

RunOutcome run_program(const Words& command, const fs::path& folder, const fs::path& out) {
  const auto begin = Clock::now();
  const pid_t child = fork();
  if (child == 0) become(command, folder, out);
  RunOutcome outcome;
  struct rusage used = {};
  while (wait4(child, &outcome.status, WNOHANG, &used) == 0) {
    if (Seconds(Clock::now() - begin) > 10 * kLongest) kill(child, SIGKILL);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  outcome.seconds = seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
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

class OddMediaRunTest : public MediaTest {
 protected:
  void check_file(const OddFile& file) {
    const auto out = folder() / "out";
    fs::create_directory(out);
    const Words command{std::string(QINGYIN_BIN_DIR) + "/qingyin",
                        "add",
                        "--untrusted",
                        "--threads",
                        "1",
                        "--json",
                        "-o",
                        out.native() + "/",
                        "--",
                        fs::absolute(file.path).native()};
    const auto outcome = run_program(command, folder(), folder() / "summary.json");
    const std::string kind = kind_of(outcome), shown = file.name();
    const std::string detail = outcome.item.is_null() ? "" : outcome.item.dump(-1, ' ', true);
    EXPECT_TRUE(file.may_end(kind))
        << shown << ": " << kind << " instead of " << file.entry.at("expected") << "; " << detail;
    EXPECT_LE(outcome.seconds, kLongest.count()) << shown;
    EXPECT_LE(outcome.kilobytes, file.has_tag("bomb") ? kMostForABomb : kMostKilobytes) << shown;
    // A file can only be refused by a reader that is still alive.
    const json reason = outcome.item.value("reason", json());
    EXPECT_NE(reason, "decoder_crashed") << shown << detail;
    if (kind == "refuse") {
      EXPECT_TRUE(fs::is_empty(out)) << shown;
      EXPECT_TRUE(reason.is_string()) << shown;
    }
    slowest_ = std::max(slowest_, outcome.seconds);
    largest_ = std::max(largest_, outcome.kilobytes);
    fs::remove_all(out);
  }

  // All files of a folder, or every so many.
  void check_folder(const fs::path& collection, std::size_t step) {
    const auto files = odd_files(collection);
    for (std::size_t i = 0; i < files.size(); i += step) check_file(files[i]);
    EXPECT_GT(files.size(), 0U);
    std::printf("%s: %zu files, at most %.1f s of work and %ld MB\n", collection.c_str(),
                (files.size() + step - 1) / step, slowest_, largest_ >> 10);
  }

 private:
  double slowest_ = 0;
  long largest_ = 0;
};

TEST_F(OddMediaRunTest, EveryFileEndsAsItsManifestSays) {
  const auto folders = odd_folders();
  if (folders.empty()) GTEST_SKIP() << "there is no collection of odd media beside the sources";
  const std::size_t step = std::getenv("QINGYIN_ODD_MEDIA") ? 1 : 12;
  for (const auto& collection : folders) check_folder(collection, step);
}

}  // namespace
}  // namespace qingyin::test
