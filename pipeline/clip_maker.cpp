#include "pipeline/clip_maker.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/error.h"
#include "core/media/picture_file.h"
#include "core/media/video_writer.h"
#include "core/text.h"

namespace qingyin {
namespace {

namespace fs = std::filesystem;
using json = nlohmann::ordered_json;

constexpr std::string_view kSchema = "qingyin.clip/1";
constexpr std::uintmax_t kLargestRecipe = 1 << 20;  // bytes

/// Writes frames as they come, and keeps the one that becomes the cover.
class FileSink : public FrameSink {
 public:
  explicit FileSink(const ClipFiles& files) : files_(files) {}
  ~FileSink() override {
    std::error_code ignored;
    if (has_preview_) fs::remove(files_.preview, ignored);
  }
  FileSink(const FileSink&) = delete;
  FileSink& operator=(const FileSink&) = delete;

  void begin(const VideoFormat& format) override {
    format_ = format;
    const FrameRate rate = files_.rate.num > 0 ? files_.rate : format.rate;
    writer_ = open_video_writer({.target = files_.video,
                                 .width = static_cast<int>(format.width),
                                 .height = static_cast<int>(format.height),
                                 .rate = rate,
                                 .overwrite = files_.overwrite});
  }

  void preview(const RgbPicture& strip) override {
    if (files_.preview.empty()) return;
    // A second one replaces the first; before that, somebody's file is in the way.
    write_png(files_.preview, strip.width, strip.height, strip.pixels,
              has_preview_ ? Overwrite::kYes : files_.overwrite);
    has_preview_ = true;
  }

  void write(std::span<const std::uint8_t> rgb) override {
    writer_->write(rgb);
    if (count_++ <= format_.frames / 2) cover_.assign(rgb.begin(), rgb.end());
  }

  void finish() {
    require(writer_ != nullptr && count_ > 0, ErrorCode::kInternal, "the model made no frame");
    writer_->finish();
    if (files_.cover.empty()) return;
    try {
      write_png(files_.cover, format_.width, format_.height, cover_, files_.overwrite);
    } catch (...) {
      std::error_code ignored;
      fs::remove(files_.video, ignored);
      throw;
    }
  }

 private:
  const ClipFiles& files_;
  VideoFormat format_;
  std::unique_ptr<VideoWriter> writer_;
  std::int64_t count_ = 0;
  std::vector<std::uint8_t> cover_;
  bool has_preview_ = false;
};

/// The last enumerator of each choice, for numbers that come from a file.
constexpr int last_of(VideoSampler) { return static_cast<int>(VideoSampler::kDistilled); }
constexpr int last_of(VideoGuidance) { return static_cast<int>(VideoGuidance::kSmooth); }
constexpr int last_of(StepEnds) { return static_cast<int>(StepEnds::kReference); }
constexpr int last_of(PictureLatents) { return static_cast<int>(PictureLatents::kMultiplied); }
constexpr int last_of(StoredTable) { return static_cast<int>(StoredTable::kIgnored); }
constexpr int last_of(PictureFit) { return static_cast<int>(PictureFit::kPad); }
constexpr int last_of(VideoPrecision) { return static_cast<int>(VideoPrecision::kBfloat16); }
constexpr int last_of(VideoWeights) { return static_cast<int>(VideoWeights::kInt8); }

/// The settings by name: the one list that writing and reading share.
template <class Json, class Settings, class Visit>
void visit_settings(Json& node, Settings& s, const Visit& visit) {
  visit(node, "width", s.width);
  visit(node, "height", s.height);
  visit(node, "frames", s.frames);
  visit(node, "steps", s.steps);
  visit(node, "guidance", s.guidance);
  visit(node, "strength", s.strength);
  visit(node, "seed", s.seed);
  visit(node, "sampler", s.sampler);
  visit(node, "guidance_curve", s.guidance_curve);
  visit(node, "step_ends", s.step_ends);
  visit(node, "picture_latents", s.picture_latents);
  visit(node, "stored_table", s.stored_table);
  visit(node, "picture_fit", s.picture_fit);
  visit(node, "precision", s.precision);
  visit(node, "weights", s.weights);
  visit(node, "text_tokens", s.text_tokens);
  visit(node, "skip_threshold", s.skip_threshold);
  visit(node, "memory_bytes", s.memory_bytes);  // tiles change the picture
}

json settings_json(const VideoSettings& settings) {
  json node = json::object();
  visit_settings(node, settings, [](json& to, const char* name, const auto& value) {
    using Value = std::decay_t<decltype(value)>;
    if constexpr (std::is_enum_v<Value>)
      to[name] = static_cast<int>(value);
    else
      to[name] = value;
  });
  for (const LoraWish& lora : settings.loras)
    node["loras"].push_back({{"file", lora.file.string()}, {"factor", lora.factor}});
  return node;
}

VideoSettings settings_of(const json& node) {
  VideoSettings settings;
  visit_settings(node, settings, [](const json& from, const char* name, auto& value) {
    using Value = std::decay_t<decltype(value)>;
    if constexpr (std::is_enum_v<Value>) {
      const int number = from.at(name).get<int>();
      require(number >= 0 && number <= last_of(Value{}), ErrorCode::kInvalidInput,
              "the recipe's " + std::string(name) + " is " + std::to_string(number) +
                  ", expected 0 to " + std::to_string(last_of(Value{})));
      value = static_cast<Value>(number);
    } else
      value = from.at(name).get<Value>();
  });
  for (const json& lora : node.value("loras", json::array()))
    settings.loras.push_back({lora.at("file").get<std::string>(), lora.at("factor").get<double>()});
  return settings;
}

}  // namespace

VideoReport make_clip(const VideoGenerator& generator, const VideoPrompt& prompt,
                      const VideoSettings& settings, const ClipFiles& files,
                      const Progress& progress) {
  FileSink sink(files);
  VideoReport made = generator.generate(prompt, settings, sink, progress);
  sink.finish();
  return made;
}

std::string recipe_json(const ClipRecipe& recipe, const VideoReport& report) {
  const json root{{"schema", kSchema},
                  {"model", recipe.model},
                  {"text", recipe.text},
                  {"negative", recipe.negative},
                  {"sound", recipe.sound},
                  {"picture", recipe.picture.string()},
                  {"clip", recipe.clip.string()},
                  {"rate", {recipe.rate.num, recipe.rate.den}},
                  {"settings", settings_json(report.settings)},
                  {"run",
                   {{"checkpoint", report.model.name},
                    {"licence", report.model.licence},
                    {"frames", report.format.frames},
                    {"memory", report.memory.text()},
                    {"timesteps", report.timesteps},
                    {"skipped_steps", report.skipped_steps},
                    {"guidance", report.guidance},
                    {"quirks", report.quirks},
                    {"loras", report.loras},
                    {"warnings", report.warnings}}}};
  return root.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

ClipRecipe read_recipe(const fs::path& file) {
  std::error_code error;
  require(fs::is_regular_file(file, error) && fs::file_size(file, error) <= kLargestRecipe,
          ErrorCode::kInvalidInput,
          printable(file) + ": is no recipe of a clip; expected a file that generate wrote");
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  try {
    const json root = json::parse(text);
    require(root.at("schema") == kSchema, ErrorCode::kInvalidInput,
            printable(file) + ": schema is not " + std::string(kSchema));
    return {.model = root.at("model").get<std::string>(),
            .text = root.at("text").get<std::string>(),
            .negative = root.at("negative").get<std::string>(),
            .sound = root.at("sound").get<std::string>(),
            .picture = root.at("picture").get<std::string>(),
            .clip = root.at("clip").get<std::string>(),
            .settings = settings_of(root.at("settings")),
            .rate = {root.at("rate").at(0).get<int>(), root.at("rate").at(1).get<int>()}};
  } catch (const json::exception& e) {
    throw Error(ErrorCode::kInvalidInput,
                printable(file) + ": is no recipe of a clip: " + excerpt(e.what(), 120));
  }
}

}  // namespace qingyin
