#include "pipeline/batch/journal.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <map>
#include <thread>

#include "pipeline/batch/database.h"
#include "pipeline/batch/journal_file.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace qingyin::batch {
namespace {

namespace fs = std::filesystem;
using test::throws_error;

class JournalTest : public testing::Test {
 protected:
  static Wanted wanted(const std::string& slot, const std::string& settings = "s") {
    return {.slot = slot, .input = "/in/" + slot, .settings = settings, .mark = "m"};
  }

  State state_of(const std::string& slot) const {
    const auto view = read_journal(folder.path());
    for (const auto& record : view->records) {
      if (record.slot == slot) return record.state;
    }
    ADD_FAILURE() << slot << " is not in the journal";
    return State::kPending;
  }

  void make(Journal& journal, const std::string& slot) const {
    auto lease = journal.claim(slot);
    ASSERT_TRUE(lease) << slot;
    journal.own(*lease);
    folder.write(slot + ".mp4", "made");
    EXPECT_TRUE(journal.finish(*lease, {slot + ".mp4"}, "key", Seconds(1)));
  }

  test::TemporaryFolder folder;
};

TEST_F(JournalTest, ALeaseIsGivenOnceAndEndsOnce) {
  Journal journal(folder.path());
  journal.enter({wanted("a"), wanted("b")}, false);
  const auto lease = journal.claim("a");
  ASSERT_TRUE(lease);
  EXPECT_FALSE(journal.claim("a"));
  EXPECT_FALSE(journal.claim("unknown"));
  EXPECT_EQ(state_of("a"), State::kLeased);
  EXPECT_TRUE(journal.release(*lease));
  EXPECT_FALSE(journal.release(*lease)) << "it had ended";
  const auto second = journal.claim("a");
  ASSERT_TRUE(second);
  EXPECT_FALSE(journal.finish(*lease, {}, "", Seconds(1))) << "the first lease is void";
  EXPECT_EQ(state_of("a"), State::kLeased);
  EXPECT_TRUE(journal.fail(*second, {ErrorCode::kInvalidInput, "no_video", "no picture"}));
  const Record record = journal.record("a");
  EXPECT_EQ(record.state, State::kFailed);
  EXPECT_EQ(record.fault->code, ErrorCode::kInvalidInput);
  EXPECT_EQ(record.fault->reason, "no_video");
  EXPECT_EQ(state_of("b"), State::kPending);
}

TEST_F(JournalTest, DoneHoldsWhileNothingChanges) {
  Journal journal(folder.path());
  journal.enter({wanted("a")}, false);
  make(journal, "a");
  journal.enter({wanted("a")}, false);
  EXPECT_EQ(state_of("a"), State::kDone);

  Wanted changed = wanted("a");
  changed.mark = "m2";
  journal.enter({changed}, false);
  EXPECT_EQ(state_of("a"), State::kPending) << "the input changed";
  auto lease = journal.claim("a");
  EXPECT_TRUE(lease->owns) << "its own result may be replaced";
  EXPECT_EQ(lease->outputs.size(), 1U);
  EXPECT_TRUE(journal.finish(*lease, {"a.mp4"}, "key", Seconds(1)));

  journal.enter({wanted("a", "other")}, false);
  EXPECT_EQ(state_of("a"), State::kPending) << "the settings changed";
}

TEST_F(JournalTest, WhatAPersonChangedIsNotOwnedAnyMore) {
  Journal journal(folder.path());
  journal.enter({wanted("a"), wanted("b")}, false);
  make(journal, "a");
  make(journal, "b");
  folder.write("a.mp4", "edited by hand");
  fs::remove(folder / "b.mp4");
  journal.enter({wanted("a"), wanted("b")}, false);
  EXPECT_FALSE(journal.claim("a")->owns);
  EXPECT_TRUE(journal.claim("b")->owns) << "a removed result is made again";
}

TEST_F(JournalTest, LastingFailuresStayUntilAskedOrChanged) {
  Journal journal(folder.path());
  journal.enter({wanted("bad"), wanted("unlucky")}, false);
  journal.fail(*journal.claim("bad"), {ErrorCode::kInvalidInput, "no_video", "x"});
  journal.fail(*journal.claim("unlucky"), {ErrorCode::kDevice, "memory", "x"});
  journal.enter({wanted("bad"), wanted("unlucky")}, false);
  EXPECT_EQ(state_of("bad"), State::kFailed);
  EXPECT_EQ(state_of("unlucky"), State::kPending);
  journal.enter({wanted("bad")}, true);
  EXPECT_EQ(state_of("bad"), State::kPending);
  journal.fail(*journal.claim("bad"), {ErrorCode::kInvalidInput, "no_video", "x"});
  Wanted changed = wanted("bad");
  changed.mark = "repaired";
  journal.enter({changed}, false);
  EXPECT_EQ(state_of("bad"), State::kPending);
}

// A process of its own that leases "a" and lives until it is told to go on.
class OtherProcess {
 public:
  explicit OtherProcess(const fs::path& folder) {
    int ready[2];
    if (pipe(ready) != 0) return;
    pid_ = fork();
    if (pid_ == 0) {
      Journal journal(folder);
      journal.claim("a");
      const char byte = 'r';
      if (write(ready[1], &byte, 1) != 1) _exit(1);
      pause();
    }
    char byte = 0;
    EXPECT_EQ(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
  }
  ~OtherProcess() { end(); }
  OtherProcess(const OtherProcess&) = delete;
  OtherProcess& operator=(const OtherProcess&) = delete;

  void end() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = 0;
  }

 private:
  pid_t pid_ = 0;
};

TEST_F(JournalTest, TheLeasesOfTheDeadAreTakenOver) {
  Journal(folder.path()).enter({wanted("a")}, false);
  OtherProcess other(folder.path());
  Journal journal(folder.path());
  journal.take_over();
  EXPECT_FALSE(journal.claim("a")) << "its owner lives";
  EXPECT_EQ(journal.workers().size(), 2U);
  other.end();
  journal.take_over();
  EXPECT_EQ(journal.record("a").attempts, 1) << "begun and never ended";
  EXPECT_TRUE(journal.claim("a"));
  EXPECT_EQ(journal.workers().size(), 1U);
}

TEST_F(JournalTest, TheSilentLoseTheirLeases) {
  Journal first(folder.path());
  first.enter({wanted("a")}, false);
  const auto lease = first.claim("a");
  Journal second(folder.path(), {.silent_limit = Seconds(-1)});
  EXPECT_TRUE(second.claim("a"));
  EXPECT_FALSE(first.finish(*lease, {}, "", Seconds(1)));
  EXPECT_FALSE(first.beat()) << "it learns that it was taken for dead";
}

TEST_F(JournalTest, ALiveProcessWithOtherSettingsIsNotDisturbed) {
  Journal(folder.path()).enter({wanted("a"), wanted("b")}, false);
  OtherProcess other(folder.path());
  Journal journal(folder.path());
  journal.enter({wanted("a"), wanted("b")}, false);
  for (const char* slot : {"a", "b"}) {
    EXPECT_TRUE(throws_error([&] { journal.enter({wanted(slot, "other")}, false); },
                             ErrorCode::kUsage, "other settings"))
        << slot;
  }
  EXPECT_EQ(journal.record("b").settings, "s");
}

TEST_F(JournalTest, EightThreadsAndProcessesShareEachItemOnce) {
  constexpr int kItems = 60, kThreads = 8;
  std::vector<Wanted> all;
  for (int i = 0; i < kItems; ++i) all.push_back(wanted("i" + std::to_string(i)));
  std::atomic<int> claimed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      Journal journal(folder.path());
      journal.enter(all, false);
      for (const auto& one : all) {
        const auto lease = journal.claim(one.slot);
        if (!lease) continue;
        ++claimed;
        journal.finish(*lease, {}, "", Seconds(0));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  // Results without files are not done for a later `enter`: each claim is one of a pending item.
  EXPECT_GE(claimed, kItems);
  const auto view = read_journal(folder.path());
  for (const auto& record : view->records) {
    EXPECT_NE(record.state, State::kLeased);
  }
}

TEST_F(JournalTest, ADamagedJournalIsMovedAside) {
  { Journal(folder.path()).enter({wanted("a")}, false); }
  folder.write(kJournalName, std::string(5000, 'x'));
  Journal journal(folder.path());
  ASSERT_TRUE(journal.damaged());
  EXPECT_TRUE(fs::exists(*journal.damaged()));
  EXPECT_EQ(journal.record("a").slot, "") << "it begins anew";
  journal.enter({wanted("a")}, false);
  EXPECT_TRUE(journal.claim("a"));
}

TEST_F(JournalTest, ALaterProgramsJournalIsRefused) {
  { const Journal made(folder.path()); }
  Database(folder / kJournalName, Database::Mode::kWrite).run("PRAGMA user_version = 99");
  EXPECT_TRUE(throws_error([&] { Journal journal(folder.path()); }, ErrorCode::kIo, "later"));
  EXPECT_TRUE(
      throws_error([&] { Journal journal(folder / "missing"); }, ErrorCode::kIo, "missing"));
  EXPECT_FALSE(read_journal(folder / "missing"));
}

TEST_F(JournalTest, StrangeNamesSurvive) {
  const std::string name = "a\n\xFF'\"%;--";
  Journal journal(folder.path());
  journal.enter({wanted(name)}, false);
  EXPECT_TRUE(journal.claim(name));
  EXPECT_EQ(journal.record(name).slot, name);
  EXPECT_EQ(journal.record(name).input, "/in/" + name);
}

}  // namespace
}  // namespace qingyin::batch
