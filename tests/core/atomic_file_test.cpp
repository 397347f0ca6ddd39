#include "core/atomic_file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <thread>
#include <vector>

#include "core/error.h"
#include "tests/core/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace qingyin::test {
namespace {

namespace fs = std::filesystem;

TEST(AtomicFile, ShowsNothingUntilItIsCommitted) {
  const TemporaryFolder folder;
  AtomicFile file(folder / "out.mp4", Overwrite::kNo);
  EXPECT_EQ(file.target(), folder / "out.mp4");
  EXPECT_EQ(file.temporary().parent_path(), folder.path());
  const std::string name = file.temporary().filename().native();
  EXPECT_EQ(name.find(".out.mp4." + std::to_string(::getpid()) + "."), 0U) << name;
  EXPECT_TRUE(name.ends_with(".part")) << name;
  put(file.temporary(), "sound");
  EXPECT_FALSE(fs::exists(folder / "out.mp4"));
  file.commit();
  EXPECT_EQ(content_of(folder / "out.mp4"), "sound");
  EXPECT_EQ(folder.count(), 1);
}

TEST(AtomicFile, LeavesNothingWithoutCommit) {
  const TemporaryFolder folder;
  { AtomicFile file(folder / "out.wav", Overwrite::kNo); }
  EXPECT_EQ(folder.count(), 0);
  put(folder / "out.wav", "old");
  {
    AtomicFile file(folder / "out.wav", Overwrite::kYes);
    put(file.temporary(), "half");
  }
  EXPECT_EQ(content_of(folder / "out.wav"), "old");
  EXPECT_EQ(folder.count(), 1);
}

TEST(AtomicFile, NeverReplacesUnlessAsked) {
  const TemporaryFolder folder;
  put(folder / "out", "old");
  EXPECT_CONTAINS(expect_error(ErrorCode::kIo, [&] { AtomicFile(folder / "out", Overwrite::kNo); }),
                  "exists already");
  write_file_atomically(folder / "out", "new", Overwrite::kYes);
  EXPECT_EQ(content_of(folder / "out"), "new");
  EXPECT_EQ(folder.count(), 1);
}

TEST(AtomicFile, NoticesATargetThatAppearsWhileItIsWritten) {
  const TemporaryFolder folder;
  {
    AtomicFile file(folder / "out", Overwrite::kNo);
    put(folder / "out", "of somebody else");
    EXPECT_CONTAINS(expect_error(ErrorCode::kIo, [&] { file.commit(); }), "exists already");
  }
  EXPECT_EQ(content_of(folder / "out"), "of somebody else");
  EXPECT_EQ(folder.count(), 1);
}

TEST(AtomicFile, DoesNotFollowADanglingLink) {
  const TemporaryFolder folder;
  fs::create_symlink(folder / "elsewhere", folder / "out");
  expect_error(ErrorCode::kIo, [&] { AtomicFile(folder / "out", Overwrite::kNo); });
  write_file_atomically(folder / "out", "new", Overwrite::kYes);
  EXPECT_FALSE(fs::is_symlink(folder / "out"));
  EXPECT_FALSE(fs::exists(folder / "elsewhere"));
}

TEST(AtomicFile, RefusesFoldersAndDevices) {
  const TemporaryFolder folder;
  for (const fs::path& target :
       {fs::path("/dev/null"), folder.path(), folder / "", folder / ".."}) {
    expect_error(ErrorCode::kIo, [&] { AtomicFile(target, Overwrite::kYes); });
  }
  EXPECT_CONTAINS(
      expect_error(ErrorCode::kIo, [&] { AtomicFile(folder / "no/such/out", Overwrite::kYes); }),
      "No such file or directory; create the folder first");
  put(folder / "file", "");
  expect_error(ErrorCode::kIo, [&] { AtomicFile(folder / "file/out", Overwrite::kYes); });
}

TEST(AtomicFile, ShortensTheTemporaryNameToWhatAFolderHolds) {
  const TemporaryFolder folder;
  std::string name;
  while (name.size() < 252) name += "清";
  name += "abc";
  ASSERT_EQ(name.size(), 255U);
  AtomicFile file(folder / name, Overwrite::kNo);
  EXPECT_LE(file.temporary().filename().native().size(), 255U);
  EXPECT_EQ(file.temporary().filename().native().find(".清清"), 0U);
  file.commit();
  EXPECT_TRUE(fs::exists(folder / name));
  EXPECT_CONTAINS(
      expect_error(ErrorCode::kIo, [&] { AtomicFile(folder / (name + "d"), Overwrite::kNo); }),
      "choose a shorter name");
}

TEST(AtomicFile, KeepsThePermissionsOfWhatItReplaces) {
  const TemporaryFolder folder;
  put(folder / "out", "secret");
  ASSERT_EQ(::chmod((folder / "out").c_str(), 0400), 0);
  AtomicFile file(folder / "out", Overwrite::kYes);
  struct stat facts {};
  ASSERT_EQ(::stat(file.temporary().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0077U, 0U) << "others could read the half-written file";
  put(file.temporary(), "new");
  file.commit();
  ASSERT_EQ(::stat((folder / "out").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0400U);
}

// A file size limit stands in for a full disk: both end a write early.
TEST(AtomicFile, TellsAFullDiskFromOtherFaults) {
  const TemporaryFolder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1000, 1000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    try {
      write_file_atomically(folder / "out", std::string(5000, 'x'), Overwrite::kNo);
    } catch (const Error& error) {
      ::_exit(error.code() == ErrorCode::kIo && error.reason() == "disk_full" ? 0 : 2);
    }
    ::_exit(1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(folder.count(), 0) << "the half-written file is still there";
}

TEST(AtomicFile, LeavesNothingAfterASignalThatCleansUp) {
  const TemporaryFolder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGTERM, [](int) {
      remove_live_temporaries();
      ::_exit(143);
    });
    const AtomicFile first(folder / "one", Overwrite::kNo), second(folder / "two", Overwrite::kNo);
    ::raise(SIGTERM);
    ::_exit(1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 143);
  EXPECT_EQ(folder.count(), 0);
}

TEST(AtomicFile, CommittedFilesAreNoLongerTemporary) {
  const TemporaryFolder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    AtomicFile done(folder / "done", Overwrite::kNo);
    done.commit();
    std::vector<std::unique_ptr<AtomicFile>> many;  // more than the table holds
    for (int i = 0; i < 300; ++i) {
      many.push_back(
          std::make_unique<AtomicFile>(folder / ("f" + std::to_string(i)), Overwrite::kNo));
    }
    many.clear();
    for (int i = 0; i < 300; ++i) AtomicFile(folder / "again", Overwrite::kNo);
    const AtomicFile last(folder / "last", Overwrite::kNo);
    remove_live_temporaries();
    bool refused = false;
    try {
      AtomicFile late(folder / "late", Overwrite::kNo);
      fs::remove(late.temporary());
      late.commit();
    } catch (const Error& error) {
      refused = error.code() == ErrorCode::kIo;
    }
    ::_exit(refused ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(folder.count(), 1);
  EXPECT_TRUE(fs::exists(folder / "done"));
}

TEST(AtomicFile, TheTableOfTemporariesStandsConcurrentUse) {
  const TemporaryFolder folder;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&folder, t] {
      for (int i = 0; i < 20; ++i) {
        const std::string name = std::to_string(t) + "_" + std::to_string(i);
        write_file_atomically(folder / name, name, Overwrite::kNo);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(folder.count(), 80);
  EXPECT_EQ(content_of(folder / "3_19"), "3_19");
}

}  // namespace
}  // namespace qingyin::test
