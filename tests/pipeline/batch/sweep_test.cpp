#include "pipeline/batch/sweep.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "core/atomic_file.h"
#include "pipeline/batch/worker.h"
#include "tests/support/temporary_folder.h"

namespace qingyin::batch {
namespace {

namespace fs = std::filesystem;

// The number of a process that has ended.
pid_t gone_process() {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  int status = 0;
  waitpid(child, &status, 0);
  return child;
}

TEST(Sweep, RemovesOnlyWhatTheDeadLeft) {
  const test::TemporaryFolder folder;
  fs::create_directory(folder / "day");
  const std::string gone = std::to_string(gone_process()), here = std::to_string(getpid());
  const std::string random = "0123456789abcdef";
  const auto dead = folder.write(".a.mp4." + gone + "." + random + ".part", "half");
  const auto deep = folder.write("day/.b.mp4." + gone + "." + random + ".part", "half");
  const auto reused = folder.write(".c.mp4." + here + "." + random + ".part", "half");
  fs::last_write_time(reused, fs::file_time_type::clock::now() - std::chrono::hours(24 * 365));
  AtomicFile live(folder / "d.mp4", Overwrite::kNo);
  for (const std::string& name :
       {"e.mp4." + gone + "." + random + ".part", ".f." + gone + "." + random + ".parts",
        ".g." + gone + ".0123.part", std::string(".part"), "." + gone + "." + random + ".part",
        ".h.x" + gone + "." + random + ".part"}) {
    folder.write(name, "someone else's");
  }
  fs::create_symlink("d.mp4", folder / (".i.mp4." + gone + "." + random + ".part"));

  EXPECT_EQ(sweep_leftovers(folder.path()).size(), 3U);
  for (const auto& path : {dead, deep, reused}) EXPECT_FALSE(fs::exists(path)) << path;
  EXPECT_TRUE(fs::exists(live.temporary()));
  EXPECT_EQ(folder.count(), 9);  // six of others, a link, the live one, and the folder "day"
}

TEST(Worker, KnowsTheLivingFromTheDead) {
  const WorkerIdentity self = this_process();
  EXPECT_EQ(life_of(self), Life::kAlive);
  WorkerIdentity other = self;
  other.start_ticks += 1;
  EXPECT_EQ(life_of(other), Life::kGone) << "a reused number is another process";
  other = self;
  other.pid = gone_process();
  EXPECT_EQ(life_of(other), Life::kGone);
  other = self;
  other.boot_id = "another";
  EXPECT_EQ(life_of(other), Life::kGone);
  other = self;
  other.pid_space = "pid:[1]";
  EXPECT_EQ(life_of(other), Life::kUnseen);
}

}  // namespace
}  // namespace qingyin::batch
