#include "tuning/tune.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/sha256.h"
#include "core/text.h"
#include "models/checkpoint/tensor_io.h"
#include "tuning/detector_tuner.h"
#include "tuning/foley_tuner.h"
#include "tuning/own_data.h"

namespace qingyin::tuning {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kLeastSteps = 20;
constexpr std::int64_t kDetectorSteps = 300;
/// Of a time limit, where both networks learn; the rest is for what comes before and after.
constexpr double kSoundShare = 0.7, kUsableTime = 0.92;
constexpr std::int64_t kMapsPerStretch = 96;

/// The settings that an unfinished run was begun with, in its folder.
class RunState {
 public:
  RunState(const TuneRequest& request, const OwnData& data)
      : folder_(request.output.string() + ".run"), file_(folder_ / "run.json") {
    identity_ = {{"data", data.digest},
                 {"steps", request.steps},
                 {"rank", request.rank},
                 {"rate", request.rate},
                 {"seed", request.seed},
                 {"minutes", request.longest.count() / 60},
                 {"base", sha256_of_file(request.weights / "foley.safetensors")}};
    std::error_code error;
    if (request.restarts) fs::remove_all(folder_, error);
    if (!fs::exists(file_, error)) {
      fs::create_directories(folder_, error);
      require(!error, ErrorCode::kIo,
              printable(folder_) + ": cannot be made (" + error.message() + ")");
      write();
      return;
    }
    std::ifstream in(file_);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const auto stored = nlohmann::json::parse(text, nullptr, false);
    const bool fits = stored.is_object() && stored.contains("of") && stored["of"] == identity_;
    require(fits, ErrorCode::kUsage,
            printable(folder_) +
                ": an unfinished run with other sounds or settings lies there; give the same ones "
                "to go on with it, or --restart to begin again");
    planned_ = stored.value("planned", std::int64_t{0});
  }

  fs::path folder(const char* part) const { return folder_ / part; }
  /// Steps that the time was found enough for; 0: not yet found.
  std::int64_t planned() const { return planned_; }
  void plan(std::int64_t steps) {
    planned_ = steps;
    write();
  }
  void remove() const {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

 private:
  void write() const {
    const nlohmann::json all = {{"of", identity_}, {"planned", planned_}};
    write_file_atomically(file_, all.dump(2) + "\n", Overwrite::kYes);
  }

  fs::path folder_, file_;
  nlohmann::json identity_;
  std::int64_t planned_ = 0;
};

/// One request on its way.
class Run {
 public:
  Run(const TuneRequest& request, OwnData data, const Progress& progress)
      : request_(request),
        data_(std::move(data)),
        progress_(progress),
        state_(request, data_),
        began_(Clock::now()) {
    learns_sounds_ = request.parts != Parts::kDetector && !data_.sounds.empty();
    learns_onsets_ = request.parts != Parts::kSounds && !data_.videos.empty();
  }

  TuneReport finish();

 private:
  training::RunOptions options(const char* part, std::int64_t steps, const std::string& word,
                               double until_s);
  void learn_sounds(AdapterFacts& facts, TensorMap& tensors);
  void learn_onsets(AdapterFacts& facts, TensorMap& tensors);
  double elapsed() const { return Seconds(Clock::now() - began_).count(); }
  bool has_limit() const { return request_.longest > Seconds(0); }

  const TuneRequest& request_;
  OwnData data_;
  const Progress& progress_;
  RunState state_;
  Clock::time_point began_;
  bool learns_sounds_ = false, learns_onsets_ = false;
  bool is_cancelled_ = false;
  TuneReport report_;
};

training::RunOptions Run::options(const char* part, std::int64_t steps, const std::string& word,
                                  double until_s) {
  return {.folder = state_.folder(part),
          .seed = request_.seed,
          .steps = steps,
          .threads = request_.threads,
          .bf16 = false,
          .save_every = Seconds(60),
          .progress = [this, word, until_s](std::string_view, double done) {
            if (progress_ && !progress_(word, done)) is_cancelled_ = true;
            return !is_cancelled_ && (!has_limit() || elapsed() < until_s);
          }};
}

void Run::learn_sounds(AdapterFacts& facts, TensorMap& tensors) {
  const double share = learns_onsets_ ? kSoundShare : 1.0;
  const double until = share * kUsableTime * request_.longest.count();
  FoleyTuning settings{
      .weights = request_.weights, .classes = data_.classes, .rank = request_.rank};
  settings.rates.peak = request_.rate;
  FoleyTuner tuner(settings, data_.sounds,
                   options("sounds", request_.steps, "learn sounds", until));
  if (state_.planned() == 0) {
    std::int64_t steps = request_.steps;
    if (has_limit()) {
      const double fit = (until - elapsed()) / std::max(tuner.seconds_per_step(), 1e-4);
      steps = std::clamp(static_cast<std::int64_t>(fit), kLeastSteps, request_.steps);
    }
    state_.plan(steps);
  }
  auto learnt = tuner.run(state_.planned(), /*keeps_partial=*/true);
  if (is_cancelled_) return;
  report_.is_whole = state_.planned() == request_.steps;
  report_.steps = facts.steps = state_.planned();
  facts.foley_base = tuner.base();
  facts.classes = tuner.classes();
  tensors.merge(learnt.value());
}

void Run::learn_onsets(AdapterFacts& facts, TensorMap& tensors) {
  std::vector<training::DetectorExamples> examples;
  for (std::size_t i = 0; i < data_.videos.size(); ++i) {
    const auto count = static_cast<double>(data_.videos.size());
    const Progress part =
        part_of(progress_, static_cast<double>(i) / count, static_cast<double>(i + 1) / count);
    try {
      auto seen = watch(request_.folder, data_.videos[i], kMapsPerStretch, request_.threads, part);
      std::move(seen.begin(), seen.end(), std::back_inserter(examples));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kInvalidInput) throw;
      data_.report.refused.push_back(
          {data_.videos[i].file.generic_string(), error.reason(), error.what()});
    }
  }
  if (examples.empty()) {
    data_.report.warnings.push_back(
        "no video has a second of motion in one shot; nothing was learnt about pictures");
    return;
  }
  bool is_over = false;
  const auto steps = std::min(request_.steps, kDetectorSteps);
  auto learnt = tune_detector(
      {.weights = request_.weights}, examples,
      options("detector", steps, "learn pictures", kUsableTime * request_.longest.count()),
      is_over);
  if (is_cancelled_) return;
  if (is_over) report_.is_whole = false;
  facts.detector_base = sha256_of_file(request_.weights / "detector.safetensors");
  facts.onsets = data_.report.onsets;
  tensors.merge(learnt);
}

TuneReport Run::finish() {
  AdapterFacts facts;
  facts.rank = request_.rank;
  facts.seed = request_.seed;
  facts.data_seconds = data_.report.seconds;
  facts.author = request_.author;
  facts.licence = request_.licence;
  facts.note = request_.note;
  facts.made_with = request_.made_with;
  TensorMap tensors;
  if (learns_sounds_) learn_sounds(facts, tensors);
  if (learns_onsets_ && !is_cancelled_) learn_onsets(facts, tensors);
  if (is_cancelled_) {
    throw Error(ErrorCode::kCancelled,
                "fine-tuning was stopped; the same command goes on from here (" +
                    printable(state_.folder("")) + ")");
  }
  require(!tensors.empty(), ErrorCode::kInvalidInput, "fine-tuning: nothing could be learnt");
  write_safetensors(request_.output, with_float_type(std::move(tensors), at::kHalf),
                    to_metadata(facts), request_.overwrite);
  state_.remove();
  for (std::size_t k = 0; k < facts.classes.size(); ++k) {
    data_.report.classes[k].like = facts.classes[k].like;
  }
  report_.facts = read_adapter_facts(request_.output);
  report_.data = std::move(data_.report);
  report_.output = request_.output;
  return std::move(report_);
}

}  // namespace

TuneReport tune(const TuneRequest& request, const Progress& progress,
                const std::function<void(const DataReport&)>& found) {
  // Fails on a taken or unwritable name before any work.
  if (!request.checks_only) const AtomicFile probe(request.output, request.overwrite);
  OwnData data = read_own_data(request, progress);
  if (found) found(data.report);
  const bool has_sounds = !data.sounds.empty() && request.parts != Parts::kDetector;
  const bool has_onsets = !data.videos.empty() && request.parts != Parts::kSounds;
  if (!has_sounds && !has_onsets) {
    const auto count = data.report.refused.size();
    throw Error(ErrorCode::kInvalidInput,
                printable(request.folder) + ": there is nothing to learn from" +
                    (count == 0 ? "; expected sounds or videos with sound"
                                : "; " + std::to_string(count) + " files or rows were refused"),
                "no_data");
  }
  require(request.parts != Parts::kBoth || (has_sounds && has_onsets), ErrorCode::kInvalidInput,
          printable(request.folder) + ": --only both needs labelled sounds and videos with sound");
  if (request.checks_only) {
    TuneReport report;
    report.data = std::move(data.report);
    return report;
  }
  return Run(request, std::move(data), progress).finish();
}

}  // namespace qingyin::tuning
