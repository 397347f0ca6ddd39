#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/input_flags.h"
#include "core/media/clip.h"
#include "core/text.h"

namespace qingyin::cli {
namespace {

using json = nlohmann::ordered_json;

struct InfoOptions {
  std::filesystem::path clip;
  InputFlags input;

  void declare(CLI::App& app) {
    app.add_option("clip", clip, "video to look at")->required()->type_name("FILE");
    input.declare(app);
  }
};

std::string_view name_of(StreamKind kind) {
  switch (kind) {
    case StreamKind::kVideo:
      return "video";
    case StreamKind::kAudio:
      return "audio";
    case StreamKind::kSubtitle:
      return "subtitle";
    case StreamKind::kAttachment:
      return "attachment";
    case StreamKind::kData:
      break;
  }
  return "data";
}

json facts_of(const ClipInfo& clip) {
  json facts = {{"container", clip.container},
                {"duration_s", clip.duration.count()},
                {"frame_rate", to_string(clip.rate)},
                {"width", clip.width},
                {"height", clip.height},
                {"rotation_deg", clip.rotation_deg},
                {"bytes", clip.bytes},
                {"video_stream", clip.video_stream}};
  facts["audio_stream"] = clip.audio_stream ? json(*clip.audio_stream) : json(nullptr);
  facts["streams"] = json::array();
  for (const auto& stream : clip.streams) {
    json row = {{"index", stream.index}, {"kind", name_of(stream.kind)}, {"codec", stream.codec}};
    if (stream.kind == StreamKind::kAudio) {
      row["sample_rate_hz"] = stream.sample_rate_hz;
      row["channels"] = stream.channels;
    }
    if (!stream.language.empty()) row["language"] = stream.language;
    if (!stream.title.empty()) row["title"] = stream.title;
    row["is_default"] = stream.is_default;
    if (stream.is_attached_picture) row["is_attached_picture"] = true;
    facts["streams"].push_back(std::move(row));
  }
  return facts;
}

std::string stream_line(const ClipInfo& clip, const StreamInfo& stream) {
  std::string line = "stream " + std::to_string(stream.index) + "       " +
                     std::string(name_of(stream.kind)) + " " + stream.codec;
  if (stream.kind == StreamKind::kAudio) {
    line += ", " + std::to_string(stream.sample_rate_hz) + " Hz, " +
            std::to_string(stream.channels) + " channels";
  }
  if (!stream.language.empty()) line += ", language " + excerpt(stream.language);
  if (!stream.title.empty()) line += ", title " + excerpt(stream.title);
  const bool is_used = stream.index == clip.video_stream || stream.index == clip.audio_stream;
  return line + (is_used ? ", used" : "") + "\n";
}

std::string text_of(const ClipInfo& clip) {
  char duration[32];
  std::snprintf(duration, sizeof duration, "%.4f s", clip.duration.count());
  std::string text = "file           " + printable(clip.path) + "\n";
  text += "container      " + clip.container + ", " + std::to_string(clip.bytes) + " bytes\n";
  text += std::string("duration       ") + duration + "\n";
  text += "frame rate     " + (clip.rate.is_variable() ? "variable" : to_string(clip.rate)) + "\n";
  text += "picture        " + std::to_string(clip.width) + " x " + std::to_string(clip.height) +
          ", stored rotated by " + std::to_string(clip.rotation_deg) + " degrees\n";
  for (const auto& stream : clip.streams) text += stream_line(clip, stream);
  return text;
}

void info(const InfoOptions& options, Context& context) {
  auto& item = context.summary.item();
  item.input = options.clip.string();
  const ClipInfo clip = probe(options.clip, options.input.limits());
  item.warnings = clip.warnings;
  item.facts_json = facts_of(clip).dump(-1, ' ', false, json::error_handler_t::replace);
  for (const auto& warning : clip.warnings) context.console.warning(warning);
  if (!context.wants_json) context.console.result(text_of(clip));
}

}  // namespace

Command info_command() {
  return make_command("info", "State the facts of a clip.",
                      "  qingyin info clip.mp4\n  qingyin info clip.mp4 --json", info);
}

}  // namespace qingyin::cli
