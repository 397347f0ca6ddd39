#include <sys/wait.h>

#include <sstream>

#include "tests/media/media_test.h"

// Playlists that pretend to be videos. strace watches: the program opens nothing that they name and
// makes no connection, in any of its ways to read a clip. The control is FFmpeg's own program with
// its lists off: it does follow them, so the watch can see.

namespace qingyin::test {
namespace {

class DisguiseTest : public MediaTest {
 protected:
  void SetUp() override {
    MediaTest::SetUp();
    if (IsSkipped()) return;
    int status = 0;
    output_of({"strace", "-V"}, &status);
    if (status != 0) GTEST_SKIP() << "strace is not installed";
    fs::create_directory(folder() / "canary");
    make("canary/secret.ts", {"-f", "lavfi", "-i", "testsrc2=s=64x48:d=0.4", "-c:v", "mpeg2video"});
    write_playlists();
  }

  const std::vector<fs::path>& playlists() const { return playlists_; }

  /// The lines of the trace that show a foreign open or a connection.
  Words hits_of(const Words& command) const {
    const auto log = folder() / "trace";
    Words traced{"strace",
                 "-f",
                 "-qq",
                 "-s",
                 "4096",
                 "-e",
                 "trace=open,openat,openat2,socket,connect,sendto",
                 "-o",
                 log.native()};
    traced.insert(traced.end(), command.begin(), command.end());
    output_of(traced);
    std::istringstream lines(read_bytes(log));
    Words hits;
    for (std::string line; std::getline(lines, line);) {
      const bool opens =
          line.find("canary/") != std::string::npos && line.find("open") != std::string::npos;
      if (opens || line.find("AF_INET") != std::string::npos) hits.push_back(line);
    }
    return hits;
  }

 private:
  void add(const std::string& name, const std::string& text) {
    playlists_.push_back(write(name, text));
  }

  void write_playlists() {
    const std::string secret = (folder() / "canary" / "secret.ts").native();
    const auto hls = [](const std::string& entry) {
      return "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:1.0,\n" + entry + "\n#EXT-X-ENDLIST\n";
    };
    add("absolute.mp4", hls("file://" + secret));
    add("relative.avi", hls("canary/secret.ts"));
    add("http.mkv", hls("http://127.0.0.1:9/secret.ts"));
    add("concat.mp4", "ffconcat version 1.0\nfile canary/secret.ts\n");
    add("dash.mp4",
        "<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" "
        "mediaPresentationDuration=\"PT1S\" "
        "profiles=\"urn:mpeg:dash:profile:isoff-on-demand:2011\">"
        "<Period><AdaptationSet mimeType=\"video/mp4\"><Representation id=\"1\" bandwidth=\"1000\">"
        "<BaseURL>" +
            secret + "</BaseURL></Representation></AdaptationSet></Period></MPD>\n");
  }

  std::vector<fs::path> playlists_;
};

TEST_F(DisguiseTest, TheProgramOpensNothingThatAPlaylistNames) {
  const std::string program = std::string(QINGYIN_BIN_DIR) + "/qingyin";
  for (const auto& playlist : playlists()) {
    for (const Words& way :
         {Words{"info"}, Words{"info", "--untrusted"}, Words{"add", "-o", folder() / "out/"}}) {
      Words command{program};
      command.insert(command.end(), way.begin(), way.end());
      command.push_back(playlist.native());
      const auto hits = hits_of(command);
      EXPECT_TRUE(hits.empty()) << playlist.filename() << ": " << (hits.empty() ? "" : hits[0]);
      int status = 0;
      output_of(command, &status);
      EXPECT_EQ(WEXITSTATUS(status), 3) << playlist.filename();
    }
  }
}

TEST_F(DisguiseTest, TheControlWithTheListsOffFollowsEachOfThem) {
  for (const auto& playlist : playlists()) {
    const auto hits =
        hits_of({"ffprobe", "-v", "quiet", "-safe", "0", "-protocol_whitelist",
                 "file,http,tcp,concat,crypto,data", "-allowed_extensions", "ALL", playlist});
    EXPECT_FALSE(hits.empty()) << playlist.filename();
  }
}

}  // namespace
}  // namespace qingyin::test
