#include "video_gen/video_generator.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/error.h"

namespace qingyin {
namespace {

constexpr std::int64_t kLongestSide = 4096;  // pixels
constexpr std::int64_t kUsualSteps = 50, kMostSteps = 1000, kDistilledSteps = 4;

void refuse(const std::string& message) {
  throw Error(ErrorCode::kUsage, "video settings: " + message);
}

/// The nearest of first, first + grid, ... last.
std::int64_t nearest(std::int64_t value, std::int64_t first, std::int64_t grid, std::int64_t last) {
  const std::int64_t steps =
      std::llround(static_cast<double>(value - first) / static_cast<double>(grid));
  return std::clamp(first + steps * grid, first, last);
}

std::string size_text(std::int64_t width, std::int64_t height) {
  return std::to_string(width) + " x " + std::to_string(height);
}

void check_size(const VideoModelInfo& model, const VideoSettings& s) {
  const bool is_native = s.width == model.native.width && s.height == model.native.height;
  if (model.has_fixed_size && s.stored_table == StoredTable::kUsed && !is_native)
    refuse(model.name + " makes clips of " + size_text(model.native.width, model.native.height) +
           " only, not of " + size_text(s.width, s.height) +
           "; use that size, or ignore the stored position table");
  const std::int64_t grid = model.size_grid;
  const auto fit = [&](std::int64_t side) { return nearest(side, grid, grid, kLongestSide); };
  if (s.width != fit(s.width) || s.height != fit(s.height))
    refuse("a clip of " + size_text(s.width, s.height) +
           " is not possible, sides are multiples of " + std::to_string(grid) + " up to " +
           std::to_string(kLongestSide) + "; the nearest size is " +
           size_text(fit(s.width), fit(s.height)));
}

void check_length(const VideoModelInfo& model, std::int64_t frames) {
  const std::int64_t fit = nearest(frames, 1, model.frame_grid, model.longest_frames);
  if (frames != fit)
    refuse(std::to_string(frames) + " frames are not possible with " + model.name +
           ", lengths are a multiple of " + std::to_string(model.frame_grid) + " plus 1 up to " +
           std::to_string(model.longest_frames) + "; the nearest is " + std::to_string(fit));
}

void check_numbers(const VideoModelInfo& model, const VideoSettings& s) {
  if (s.steps < 1 || s.steps > kMostSteps)
    refuse(std::to_string(s.steps) + " steps are not possible, expected 1 to " +
           std::to_string(kMostSteps));
  if (!(s.guidance >= 0 && s.guidance <= 100))
    refuse("a guidance of " + std::to_string(s.guidance) + " is not possible, expected 0 to 100");
  if (!(s.strength > 0 && s.strength <= 1))
    refuse("a strength of " + std::to_string(s.strength) +
           " is not possible, expected above 0 and at most 1");
  if (!(s.skip_threshold >= 0 && s.skip_threshold <= 1))
    refuse("a skip threshold of " + std::to_string(s.skip_threshold) +
           " is not possible, expected 0 to 1");
  if (s.preview_every < 0) refuse("previews are wanted every so many steps, and that is below 0");
  if (s.threads < 0) refuse("the number of threads is below 0");
  if (s.memory_bytes < 0) refuse("the allowed memory is below 0");
  if (model.has_fixed_text && s.text_tokens != model.text_tokens)
    refuse(model.name + " needs exactly " + std::to_string(model.text_tokens) +
           " rows of text, not " + std::to_string(s.text_tokens));
  if (s.text_tokens < 1 || s.text_tokens > model.text_tokens)
    refuse(std::to_string(s.text_tokens) + " rows of text are not possible, expected 1 to " +
           std::to_string(model.text_tokens));
}

void check_prompt(const VideoModelInfo& model, const VideoPrompt& prompt) {
  const VideoTask task = task_of(prompt);
  if (prompt.picture && prompt.clip) refuse("a picture and a clip are given, expected one of them");
  if (model.is_from_picture && task != VideoTask::kFromPicture)
    refuse(model.name +
           " begins with a picture, and none is given; give one, or use a model that " +
           "makes clips from text");
  if (!model.is_from_picture && task == VideoTask::kFromPicture)
    refuse(model.name + " cannot begin with a picture; use an image-to-video model (I2V)");
  if (prompt.text.empty() && task != VideoTask::kFromPicture)
    refuse("there is no prompt; say what the clip is to show");
  if (prompt.picture) require_picture(*prompt.picture);
}

/// The distilled steps are four known times.
void check_distilled(const VideoPrompt& prompt, const VideoSettings& s) {
  if (s.steps != kDistilledSteps)
    refuse("the distilled sampler has 4 steps, not " + std::to_string(s.steps));
  if (task_of(prompt) == VideoTask::kFromClip)
    refuse(
        "the distilled sampler cannot change a given clip, for its steps are not to be left out; "
        "use another one");
}

void check_loras(const VideoSettings& s) {
  for (const LoraWish& lora : s.loras) {
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(lora.file, ignored))
      refuse("the LoRA " + lora.file.string() + " is not there");
    if (!std::isfinite(lora.factor))
      refuse("the factor of " + lora.file.string() + " is no number");
  }
}

}  // namespace

VideoTask task_of(const VideoPrompt& prompt) {
  if (prompt.picture) return VideoTask::kFromPicture;
  return prompt.clip ? VideoTask::kFromClip : VideoTask::kFromText;
}

VideoSettings VideoGenerator::completed(const VideoPrompt& prompt,
                                        const VideoSettings& settings) const {
  const VideoModelInfo& model = info();
  VideoSettings s = settings;
  const auto fill = [](std::int64_t& value, std::int64_t usual) {
    if (value == 0) value = usual;
  };
  if ((s.width == 0) != (s.height == 0)) refuse("width and height go together, one is missing");
  fill(s.width, model.native.width);
  fill(s.height, model.native.height);
  fill(s.frames, model.native.frames);
  fill(s.steps, s.sampler == VideoSampler::kDistilled ? kDistilledSteps : kUsualSteps);
  fill(s.text_tokens, model.text_tokens);
  check_prompt(model, prompt);
  check_size(model, s);
  check_length(model, s.frames);
  check_numbers(model, s);
  check_loras(s);
  if (s.sampler == VideoSampler::kDistilled) check_distilled(prompt, s);
  return s;
}

VideoEstimate VideoGenerator::estimate(const VideoPrompt& prompt,
                                       const VideoSettings& settings) const {
  return do_estimate(prompt, completed(prompt, settings));
}

VideoReport VideoGenerator::generate(const VideoPrompt& prompt, const VideoSettings& settings,
                                     FrameSink& sink, const Progress& progress) const {
  return do_generate(prompt, completed(prompt, settings), sink, progress);
}

}  // namespace qingyin
