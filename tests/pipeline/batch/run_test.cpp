#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>

#include "core/sha256.h"
#include "pipeline/batch/expand.h"
#include "pipeline/batch/runner.h"
#include "tests/pipeline/fakes.h"
#include "tests/support/temporary_folder.h"

namespace qingyin::batch {
namespace {

namespace fs = std::filesystem;

class Watcher : public BatchWatcher {
 public:
  bool is_stopped() const override { return is_stopped_ || begun_ > stop_after; }
  void begun(std::size_t) override { ++begun_; }
  void opened(std::size_t, const ClipInfo& clip) override {
    EXPECT_NEAR(clip.duration.count(), 0.8, 0.11);
    ++opened_;
  }
  void progress(std::size_t, std::string_view, double fraction) override {
    EXPECT_GE(fraction, 0);
    EXPECT_LE(fraction, 1);
  }
  void finished(std::size_t, const ItemResult&) override { ++finished_; }

  std::atomic<bool> is_stopped_{false};
  std::atomic<int> begun_{0}, opened_{0}, finished_{0};
  int stop_after = 1000;
};

// Three clips of 0.8 s and two files that are none.
class RunTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    source_ = std::make_unique<test::TemporaryFolder>();
    const std::string clip = (*source_ / "clip.mp4").string();
    const int result = std::system(("ffmpeg -v error -nostdin -y -f lavfi -i "
                                    "testsrc2=s=64x48:r=10:d=0.8 -c:v mpeg4 " +
                                    clip)
                                       .c_str());
    ASSERT_EQ(result, 0);
  }
  static void TearDownTestSuite() { source_.reset(); }

  RunTest() : pipeline(make_pipeline()) {
    fs::create_directory(folder / "in");
    fs::create_directory(folder / "out");
    for (const char* name : {"a.mp4", "b.mp4", "c.mp4"}) {
      fs::copy(*source_ / "clip.mp4", folder / "in" / name);
    }
    folder.write("in/empty.mp4", "");
    folder.write("in/text.mp4", "no video at all");
    options.output = {.folder = folder / "out", .wants_stems = true, .wants_timeline = true};
  }

  static Pipeline make_pipeline() {
    return {std::make_unique<test::FakeUnderstanding>(), std::make_unique<test::FakeGenerator>()};
  }

  BatchResult run() {
    ItemOptions defaults;
    defaults.sound.seed = seed;
    auto items = expand({(folder / "in").string(), false, folder / "out"}, defaults).items;
    planned = plan_names(std::move(items), names, folder / "out");
    Journal journal(folder / "out");
    watcher.begun_ = 0;
    return run_batch(pipeline, planned, options, journal, watcher);
  }

  // Counts by status.
  static std::map<ItemStatus, int> counts(const BatchResult& result) {
    std::map<ItemStatus, int> all;
    for (const auto& item : result.items) ++all[item.status];
    return all;
  }

  std::map<std::string, std::string> files() const {
    std::map<std::string, std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(folder / "out")) {
      const std::string name = entry.path().lexically_relative(folder / "out").string();
      if (!entry.is_regular_file() || name.starts_with(".qingyin")) continue;
      all[name] = name.ends_with(".report.json") ? "" : sha256_of_file(entry.path()).substr(0, 12);
    }
    return all;
  }

  test::TemporaryFolder folder;
  Pipeline pipeline;
  RunOptions options;
  Watcher watcher;
  std::vector<PlannedItem> planned;
  std::string names;
  std::uint64_t seed = 1;

 private:
  static inline std::unique_ptr<test::TemporaryFolder> source_;
};

using Counts = std::map<ItemStatus, int>;
constexpr auto kDone = ItemStatus::kDone, kSkipped = ItemStatus::kSkipped,
               kFailed = ItemStatus::kFailed, kNotRun = ItemStatus::kNotRun;

TEST_F(RunTest, BadFilesStopNobodyAndASecondRunDoesNothing) {
  const auto first = run();
  EXPECT_EQ(counts(first), (Counts{{kDone, 3}, {kFailed, 2}}));
  EXPECT_FALSE(first.stop);
  EXPECT_EQ(watcher.opened_, 3);
  EXPECT_EQ(first.items[3].fault->code, ErrorCode::kInvalidInput);
  EXPECT_NE(first.items[3].fault->message.find("empty.mp4"), std::string::npos);
  const auto made = files();
  for (const char* name :
       {"a.sound.mp4", "a.sound.report.json", "a.sound.events.json", "a.sound.stems/mix.wav"}) {
    EXPECT_TRUE(made.contains(name)) << name;
  }
  const auto again = run();
  EXPECT_EQ(counts(again), (Counts{{kSkipped, 3}, {kFailed, 2}}));
  EXPECT_EQ(watcher.begun_, 0) << "nothing was opened";
  EXPECT_EQ(again.items[4].note, "failed_before");
  options.retries_failed = true;
  EXPECT_EQ(counts(run()), (Counts{{kSkipped, 3}, {kFailed, 2}}));
  EXPECT_EQ(watcher.begun_, 2);
}

TEST_F(RunTest, JobsAndThreadsNeverChangeAResult) {
  options.jobs = 1;
  run();
  const auto one = files();
  fs::remove_all(folder / "out");
  fs::create_directory(folder / "out");
  options.jobs = 3;
  options.threads = 2;
  run();
  EXPECT_EQ(files(), one);
}

TEST_F(RunTest, OnlyWhatChangedIsMadeAgain) {
  run();
  const auto before = files();
  fs::copy_file(folder / "in/c.mp4", folder / "in/new.mp4");
  fs::rename(folder / "in/new.mp4", folder / "in/b.mp4");  // the same bytes in another file
  fs::remove(folder / "out/a.sound.mp4");
  const auto second = run();
  EXPECT_EQ(watcher.begun_, 2);
  EXPECT_EQ(second.items[0].status, kDone) << "its file was gone";
  EXPECT_EQ(second.items[1].status, kSkipped) << "the same bytes";
  EXPECT_EQ(files(), before);

  seed = 2;
  EXPECT_EQ(counts(run()), (Counts{{kDone, 3}, {kFailed, 2}})) << "other settings";
  EXPECT_NE(files().at("a.sound.mp4"), before.at("a.sound.mp4"));
}

TEST_F(RunTest, FilesOfOthersAreNotReplaced) {
  folder.write("out/a.sound.mp4", "mine");
  const auto first = run();
  EXPECT_EQ(first.items[0].fault->reason, "exists");
  EXPECT_EQ(test::content_of(folder / "out/a.sound.mp4"), "mine");
  folder.write("out/b.sound.mp4", "edited");
  const auto second = run();
  EXPECT_EQ(second.items[1].fault->reason, "exists");
  EXPECT_EQ(test::content_of(folder / "out/b.sound.mp4"), "edited");
  options.overwrites = true;
  const auto third = run();
  EXPECT_EQ(counts(third), (Counts{{kDone, 2}, {kSkipped, 1}, {kFailed, 2}}));
}

TEST_F(RunTest, AnOldJournalsWorkIsFoundByItsReports) {
  run();
  const auto before = files();
  for (const auto& entry : fs::directory_iterator(folder / "out")) {
    if (entry.path().filename().string().starts_with(".qingyin")) fs::remove(entry.path());
  }
  EXPECT_EQ(counts(run()), (Counts{{kSkipped, 3}, {kFailed, 2}}));
  EXPECT_EQ(files(), before);
}

TEST_F(RunTest, FailuresStopWhereAsked) {
  options.jobs = 1;
  options.max_failures = 1;
  const auto first = run();
  EXPECT_EQ(first.stop->reason, "max_failures");
  EXPECT_EQ(counts(first), (Counts{{kDone, 3}, {kFailed, 1}, {kNotRun, 1}}));
  options.max_failures.reset();
  options.stops_at_first = true;
  EXPECT_EQ(run().stop->reason, "fail_fast");
}

TEST_F(RunTest, AStopGivesBackWhatIsUnderWay) {
  options.jobs = 1;
  watcher.stop_after = 1;
  const auto stopped = run();
  EXPECT_EQ(stopped.stop->reason, "stopped");
  EXPECT_EQ(counts(stopped), (Counts{{kDone, 1}, {kNotRun, 4}}));
  const auto view = read_journal(folder / "out");
  for (const auto& record : view->records) {
    EXPECT_NE(record.state, State::kLeased);
  }
  watcher.stop_after = 1000;
  EXPECT_EQ(counts(run()), (Counts{{kDone, 2}, {kSkipped, 1}, {kFailed, 2}}));
}

TEST_F(RunTest, StaleFilesOfAnOlderResultGo) {
  run();
  options.output.wants_timeline = false;
  names = "{name}.sound.wav";
  run();
  const auto left = files();
  EXPECT_TRUE(left.contains("a.sound.wav"));
  EXPECT_FALSE(left.contains("a.sound.mp4"));
  EXPECT_FALSE(left.contains("a.sound.events.json"));
  EXPECT_TRUE(left.contains("a.sound.stems/mix.wav"));
}

}  // namespace
}  // namespace qingyin::batch
