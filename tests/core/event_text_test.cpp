#include <gtest/gtest.h>

#include "core/event_io.h"
#include "tests/core/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace qingyin::test {
namespace {

EventTimeline read(const std::string& text, EventFormat format,
                   std::optional<Seconds> duration = {}) {
  return parse_events(text, format, "t", duration).timeline;
}

std::string refusal(const std::string& text, EventFormat format,
                    std::optional<Seconds> duration = {}) {
  return expect_error(ErrorCode::kInvalidInput, [&] { read(text, format, duration); });
}

EventTimeline sample() {
  EventTimeline timeline;
  SoundEvent knock;
  knock.id = "knock-1";
  knock.label = "impact";
  knock.caption = "a \"hard\" knock, on <wood> & more";
  knock.onset = Seconds(0.64);
  knock.offset = Seconds(0.82);
  SoundEvent rain;
  rain.id = "r";
  rain.label = "雨";
  rain.onset = Seconds(1.25);
  rain.offset = Seconds(3661.007);
  timeline.events = {knock, rain};
  for (SoundEvent& event : timeline.events) event.seed = default_seed(event.id);
  return timeline;
}

TEST(EventCsv, ReadsColumnsInAnyOrder) {
  const auto t = read(
      "\xEF\xBB\xBFlabel,onset_s,caption,offset_s,locked,x,y,seed,id,intensity\r\n"
      "impact,1.5,\"two\r\nlines, \"\"quoted\"\"\",2,true,0.5,-0.25,18446744073709551615,k,0.9\r\n"
      "\r\n"
      "tap, 0.5 ,,,,,,,,\r\n",
      EventFormat::kCsv);
  ASSERT_EQ(t.events.size(), 2U);
  EXPECT_EQ(t.events[0].label, "tap");
  EXPECT_EQ(t.events[0].onset.count(), 0.5);
  EXPECT_EQ(t.events[0].offset.count(), 0.5);
  EXPECT_EQ(t.events[0].id, "e1");
  EXPECT_EQ(t.events[0].seed, default_seed("e1"));
  EXPECT_EQ(t.events[1].caption, "two\r\nlines, \"quoted\"");
  EXPECT_EQ(t.events[1].seed, 18446744073709551615ULL);
  EXPECT_EQ(t.events[1].position, (std::array<double, 2>{0.5, -0.25}));
  EXPECT_TRUE(t.events[1].locked);
}

TEST(EventCsv, NamesEventsPastTheIdsInUse) {
  const auto t = read("onset_s,label,id\n0,a,\n1,b,e1\n2,c,\n", EventFormat::kCsv);
  EXPECT_EQ(t.events[0].id, "e2");
  EXPECT_EQ(t.events[1].id, "e1");
  EXPECT_EQ(t.events[2].id, "e3");
}

TEST(EventCsv, ReadsBackWhatItWrote) {
  EventTimeline timeline = sample();
  SoundEvent& event = timeline.events[0];
  event.caption += "\nsecond line";
  event.material = "wood";
  event.size = 0.3;
  event.intensity = 1.0 / 3;
  event.gain_db = -7.125;
  event.pan = -0.1;
  event.position = {0.1, -1};
  event.lane = "my, lane";
  event.seed = ~std::uint64_t{0};
  event.locked = true;
  event.confidence = 0.25;
  event.source = "motion";
  EXPECT_EQ(read(to_text(timeline, EventFormat::kCsv), EventFormat::kCsv), timeline);
}

TEST(EventCsv, ListsEveryFaultWithItsLine) {
  const std::string message = refusal(
      "onset_s,offset_s,label,intensity,x,y,seed,locked,id\n"
      "1,2,\"multi\nline\",0.5,,,,,a\n"
      "abc,2,x,0.5,,,,,b\n"
      "3,2,x,7,0.5,,-1,maybe,a\n"
      "inf,nan,x,,,,,,c\n"
      "1,2\n"
      ",2,x,,,,,,d e\n",
      EventFormat::kCsv);
  for (const char* part :
       {"line 4: onset_s: expected a number, found \"abc\"", "line 5: offset_s: 2.0 lies before",
        "line 5: intensity: expected a number from 0.0 to 1.0, found 7.0", "line 5: y: is missing",
        "line 5: seed: expected a whole number", "line 5: locked: expected true or false",
        "line 5: id: \"a\" is already the id at line 2", "line 6: onset_s: expected a number",
        "line 6: offset_s: expected a number", "line 7: has 2 cells where the header has 9",
        "line 8: onset_s: is missing", "line 8: id: expected 1 to 64"}) {
    EXPECT_CONTAINS(message, part);
  }
}

TEST(EventCsv, RefusesABadHeaderOrQuoting) {
  EXPECT_CONTAINS(refusal("", EventFormat::kCsv), "line 1: expected a header");
  EXPECT_CONTAINS(refusal("label\nx\n", EventFormat::kCsv), "line 1: onset_s: is missing");
  EXPECT_CONTAINS(refusal("onset_s,label,gian_db\n", EventFormat::kCsv),
                  "line 1: \"gian_db\": is no column of ours; known: onset_s,");
  EXPECT_CONTAINS(refusal("onset_s,label,label\n", EventFormat::kCsv), "label: stands twice");
  EXPECT_CONTAINS(refusal("onset_s,label\n1,\"x\n", EventFormat::kCsv),
                  "line 2: a quoted cell has no end");
  EXPECT_CONTAINS(refusal("onset_s,label\n1,\"x\"y\n", EventFormat::kCsv),
                  "line 2: text behind a quoted");
  EXPECT_CONTAINS(refusal("onset_s,label\n1,x\"y\n", EventFormat::kCsv), "line 2: a quote inside");
  EXPECT_CONTAINS(refusal("onset_s,label\n1,\xff\n", EventFormat::kCsv), "line 2: is not UTF-8");
}

TEST(EventCsv, IsBoundedByTheClip) {
  const std::string text = "onset_s,label\n5,x\n";
  EXPECT_EQ(read(text, EventFormat::kCsv, Seconds(5)).clip.duration.count(), 5);
  EXPECT_CONTAINS(refusal(text, EventFormat::kCsv, Seconds(4)), "line 2: onset_s: 5.0 lies past");
}

TEST(AudacityLabels, AreReadAndWritten) {
  const auto t = read("2.000000\t2.500000\tdog: barks twice\r\n\\\t100.0\t2000.0\r\n0.5\t0.5\t\n",
                      EventFormat::kAudacityLabels);
  ASSERT_EQ(t.events.size(), 2U);
  EXPECT_EQ(t.events[0].onset.count(), 0.5);
  EXPECT_EQ(t.events[0].label, "");
  EXPECT_EQ(t.events[0].id, "e2");
  EXPECT_EQ(t.events[1].label, "dog");
  EXPECT_EQ(t.events[1].caption, "barks twice");
  EventTimeline timeline = sample();
  timeline.events[0].onset = Seconds(1.0 / 3);
  timeline.events[0].id = "e1";
  timeline.events[1].id = "e2";
  for (SoundEvent& event : timeline.events) event.seed = default_seed(event.id);
  EXPECT_EQ(read(to_text(timeline, EventFormat::kAudacityLabels), EventFormat::kAudacityLabels),
            timeline);
}

TEST(AudacityLabels, AreCheckedLikeAnyTimeline) {
  const std::string message =
      refusal("1\t0.5\tx\nfoo\nx\t1\ty\n1e400\t-1\tz\n", EventFormat::kAudacityLabels);
  for (const char* part :
       {"line 1: offset_s: 0.5 lies before", "line 2: expected START, END and LABEL",
        "line 3: onset_s: expected a number", "line 4: onset_s: expected a number",
        "line 4: offset_s: "}) {
    EXPECT_CONTAINS(message, part);
  }
}

TEST(Srt, IsReadWithTagsAndSettings) {
  const auto t = read(
      "\xEF\xBB\xBF"
      "1\r\n00:00:01,500 --> 00:00:02,000 X1:1 Y1:2\r\n<i>Door</i>: "
      "{\\an8}slams\r\nshut\r\n\r\n\r\n"
      "00:01:00,000 --> 01:00:00,001\r\na < b\r\n",
      EventFormat::kSrt);
  ASSERT_EQ(t.events.size(), 2U);
  EXPECT_EQ(t.events[0].onset.count(), 1.5);
  EXPECT_EQ(t.events[0].label, "Door");
  EXPECT_EQ(t.events[0].caption, "slams shut");
  EXPECT_EQ(t.events[0].id, "e1");
  EXPECT_EQ(t.events[1].offset.count(), 3600.001);
  EXPECT_EQ(t.events[1].label, "a < b");
}

TEST(Srt, ListsFaultsWithTheirLines) {
  const std::string message = refusal(
      "1\n00:00:05,000 --> 00:00:04,000\nx\n\n2\n00:00:61,000 --> 0:00\nx\n\nlost words\n\n"
      "00:00:01,-10 --> 00:00:02,0000\nx\n",
      EventFormat::kSrt);
  for (const char* part :
       {"line 2: offset_s: 4.0 lies before", "line 6: onset_s: expected a time such as",
        "line 6: offset_s: expected a time", "line 9: expected a cue", "line 11: onset_s: expected",
        "line 11: offset_s: expected"}) {
    EXPECT_CONTAINS(message, part);
  }
}

TEST(Vtt, IsReadWithBlocksAndEntities) {
  const auto t = read(
      "WEBVTT - title\n\nNOTE a comment\n00:01.000 --> 00:02.000\n\nSTYLE\n::cue{}\n\n"
      "slam-1\n00:01.500 --> 00:02.000 align:start position:10%\n<v Ann>Tom &amp; &lt;Jerry&gt;\n",
      EventFormat::kVtt);
  ASSERT_EQ(t.events.size(), 1U);
  EXPECT_EQ(t.events[0].id, "slam-1");
  EXPECT_EQ(t.events[0].onset.count(), 1.5);
  EXPECT_EQ(t.events[0].label, "Tom & <Jerry>");
  EXPECT_CONTAINS(refusal("00:01.000 --> 00:02.000\nx\n", EventFormat::kVtt),
                  "line 1: expected WEBVTT");
}

TEST(Subtitles, ReadBackWhatTheyHold) {
  EXPECT_EQ(read(to_text(sample(), EventFormat::kVtt), EventFormat::kVtt), sample());
  EventTimeline plain = sample();
  plain.events[0].caption = "a knock";
  plain.events[0].id = "e1";
  plain.events[1].id = "e2";
  for (SoundEvent& event : plain.events) event.seed = default_seed(event.id);
  EXPECT_EQ(read(to_text(plain, EventFormat::kSrt), EventFormat::kSrt), plain);
  // The last millisecond is not rounded past the clip's end.
  plain.clip.duration = Seconds(3661.0078);
  plain.events[1].offset = plain.clip.duration;
  EXPECT_NO_THROW(read(to_text(plain, EventFormat::kSrt), EventFormat::kSrt, plain.clip.duration));
}

TEST(EventFormats, AreToldByNameThenByContent) {
  EXPECT_EQ(event_format_of("a.JSON", ""), EventFormat::kJson);
  EXPECT_EQ(event_format_of("a.csv", "{"), EventFormat::kCsv);
  EXPECT_EQ(event_format_of("a.srt", ""), EventFormat::kSrt);
  EXPECT_EQ(event_format_of("a.vtt", ""), EventFormat::kVtt);
  EXPECT_EQ(event_format_of("a.txt", "\xEF\xBB\xBF\n0.5\t1\tx\n"), EventFormat::kAudacityLabels);
  EXPECT_EQ(event_format_of("a", " \n{\"schema\""), EventFormat::kJson);
  EXPECT_EQ(event_format_of("a", "WEBVTT\n"), EventFormat::kVtt);
  EXPECT_EQ(event_format_of("a", "label,onset_s\n"), EventFormat::kCsv);
  EXPECT_EQ(event_format_of("a", "1\n00:00:01,000 --> 00:00:02,000\n"), EventFormat::kSrt);
  for (const char* text : {"", "hello", "1,2,3"}) {
    expect_error(ErrorCode::kInvalidInput, [&] { event_format_of("a.txt", text); });
  }
}

TEST(EventFormats, AnyFormBecomesJson) {
  const TemporaryFolder folder;
  put(folder / "a.csv", to_text(sample(), EventFormat::kCsv));
  const EventDocument document = read_events(folder / "a.csv", Seconds(4000));
  EXPECT_EQ(EventDocument::parse_json(document.to_json(), "x").timeline, document.timeline);
  EXPECT_EQ(document.timeline.events, sample().events);
}

TEST(EventFormats, HoldAtMostTheEventsOfATimeline) {
  std::string text = "onset_s,label\n";
  for (int i = 0; i < 100001; ++i) text += "1,x\n";
  EXPECT_CONTAINS(refusal(text, EventFormat::kCsv), "at most 100000");
  EXPECT_CONTAINS(refusal(std::string((16 << 20) + 1, '\n'), EventFormat::kCsv),
                  "at most 16777216");
}

}  // namespace
}  // namespace qingyin::test
