#include <gtest/gtest.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "tests/e2e/folder_fixture.h"

namespace qingyin::test {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

// `in` with two clips and a file that is none.
class BatchTest : public FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    fs::create_directory(folder / "in");
    shell("ffmpeg -v error -nostdin -y -f lavfi -i testsrc2=s=64x48:r=10:d=0.6 -c:v mpeg4 " +
          (folder / "in/a.mp4").string());
    fs::copy(folder / "in/a.mp4", folder / "in/b.mp4");
    folder.write("in/bad.mp4", "no video at all");
  }

  // The summary of a batch that ends with this code.
  json batch(std::vector<std::string> arguments, int code) const {
    arguments.insert(arguments.begin(), "batch");
    arguments.emplace_back("--json");
    const auto outcome = here(arguments);
    EXPECT_EQ(outcome.exit_code, code) << outcome.err;
    return json::parse(outcome.out, nullptr, false);
  }
};

TEST_F(BatchTest, OneBadFileStopsNobody) {
  const auto first = batch({"in", "-o", "out"}, 1);
  EXPECT_EQ(first["schema"], "qingyin.result/1");
  EXPECT_EQ(first["status"], "failed");
  EXPECT_EQ(first["totals"],
            (json{{"items", 3}, {"ok", 2}, {"skipped", 0}, {"failed", 1}, {"not_run", 0}}));
  EXPECT_EQ(first["items"][0]["outputs"][0], "out/a.sound.mp4");
  EXPECT_EQ(first["items"][2]["exit_code"], 3);
  EXPECT_EQ(first["items"][2]["reason"], "unreadable");
  EXPECT_TRUE(names().contains("out/b.sound.report.json"));

  const auto second = batch({"in", "-o", "out"}, 1);
  EXPECT_EQ(second["totals"]["skipped"], 2);
  fs::remove(folder / "in/bad.mp4");
  EXPECT_EQ(batch({"in", "-o", "out"}, 0)["status"], "ok");

  const auto text = here({"batch", "in", "-o", "out"});
  EXPECT_EQ(text.out, "0 made, 2 done before, 0 failed, 0 not run\n");

  const auto told = json::parse(here({"status", "out", "--json"}).out);
  EXPECT_EQ(told["totals"]["done"], 2);
  EXPECT_EQ(told["totals"]["failed"], 1) << "what is not asked for any more stays on record";
  EXPECT_EQ(told["workers"].size(), 0U);
  EXPECT_NE(here({"status", "out"}).out.find("bad.mp4 (unreadable)"), std::string::npos);
  EXPECT_EQ(here({"status", "in"}).exit_code, 3);
}

TEST_F(BatchTest, ManifestsAndTheirBadRows) {
  folder.write("list.jsonl",
               "{\"input\": \"in/a.mp4\", \"prompt\": \"a bell\", \"output\": \"day/bell.mp4\"}\n"
               "{\"input\": \"in/b.mp4\", \"sead\": 3}\n");
  const auto made = batch({"list.jsonl", "-o", "out", "--timeline"}, 1);
  EXPECT_EQ(made["items"][0]["outputs"][0], "out/day/bell.mp4");
  EXPECT_EQ(made["items"][1]["reason"], "bad_row");
  EXPECT_EQ(made["items"][1]["exit_code"], 2);
  EXPECT_NE(bytes("out/day/bell.events.json").find("\"schema\""), std::string::npos);

  const auto piped =
      run({.arguments = {"bash", "-c",
                         "printf 'in/a.mp4\\0in/b.mp4\\0' | '" + program() +
                             "' batch - -o piped --name-template '{parent}-{name}.wav'"},
           .folder = folder.path()});
  EXPECT_EQ(piped.exit_code, 0) << piped.err;
  EXPECT_TRUE(names().contains("piped/in-a.wav"));
  EXPECT_TRUE(names().contains("piped/in-b.wav"));
}

TEST_F(BatchTest, PlansWithoutDoing) {
  const auto before = names();
  const auto plan = batch({"in", "-o", "out", "--dry-run"}, 1);
  EXPECT_EQ(plan["status"], "planned");
  EXPECT_EQ(plan["totals"]["to_do"], 2);
  EXPECT_EQ(plan["totals"]["failed"], 1);
  EXPECT_NEAR(plan["totals"]["duration_s"].get<double>(), 1.2, 0.01);
  EXPECT_GT(plan["totals"]["estimated_disk_bytes"], 0);
  EXPECT_EQ(plan["items"][0]["planned_outputs"][0], "out/a.sound.mp4");
  EXPECT_EQ(names(), before);
}

TEST_F(BatchTest, RefusesBeforeItBegins) {
  const auto before = names();
  const auto refused = [&](std::vector<std::string> arguments, int code, const char* words) {
    arguments.insert(arguments.begin(), "batch");
    const auto outcome = here(arguments);
    EXPECT_EQ(outcome.exit_code, code) << outcome.err;
    EXPECT_NE(outcome.err.find(words), std::string::npos) << outcome.err;
  };
  refused({"in"}, 2, "--output");
  refused({"in", "-o", "in"}, 2, "among the clips");
  refused({"nowhere", "-o", "out"}, 3, "nowhere");
  refused({"in", "-o", "out", "--name-template", "{nme}.{ext}"}, 2, "{name}");
  refused({"in", "-o", "out", "--name-template", "x.{ext}"}, 2, "one name");
  refused({"in/none*.mp4", "-o", "out"}, 3, "no file matches");
  EXPECT_EQ(names(), before);
}

TEST_F(BatchTest, FailuresStopWhereAsked) {
  fs::rename(folder / "in/bad.mp4", folder / "in/Bad.mp4");  // the first
  const auto fast = batch({"in", "-o", "out", "--fail-fast", "--jobs", "1"}, 1);
  EXPECT_EQ(fast["items"][2]["status"], "not_run");
  batch({"in", "-o", "more", "--max-failures", "1", "--jobs", "1"}, 7);
  const auto again = batch({"in", "-o", "out"}, 1);
  EXPECT_EQ(again["totals"]["ok"], 2);
}

TEST_F(BatchTest, ASignalGivesBackWhatIsUnderWay) {
  for (int i = 0; i < 30; ++i) {
    fs::copy(folder / "clip.mp4", folder / "in" / ("more" + std::to_string(i) + ".mp4"));
  }
  ProgramRun wanted{
      .arguments = {program(), "batch", "in", "-o", "out", "--progress", "json", "--json"},
      .folder = folder.path()};
  wanted.interrupt = ProgramRun::Interrupt{SIGTERM, "\"batch\""};
  const auto stopped = run(wanted);
  EXPECT_EQ(stopped.exit_code, 143) << stopped.err;
  const auto summary = json::parse(stopped.out);
  EXPECT_EQ(summary["status"], "cancelled");
  EXPECT_GT(summary["totals"]["not_run"], 10);
  const auto told = json::parse(here({"status", "out", "--json"}).out);
  EXPECT_EQ(told["totals"]["leased"], 0);
  for (const auto& name : names()) EXPECT_EQ(name.find(".part"), std::string::npos) << name;
}

}  // namespace
}  // namespace qingyin::test
