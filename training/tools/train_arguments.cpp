#include "training/tools/train_arguments.h"

#include <charconv>
#include <functional>
#include <map>
#include <string_view>

#include "core/error.h"

namespace qingyin::training {
namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ErrorCode::kUsage, what + "; see qingyin_train --help");
}

template <typename Number>
Number number(std::string_view flag, std::string_view text, Number least) {
  Number value{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size() || !(value >= least)) {
    refuse(std::string(flag) + ": \"" + std::string(text) + "\" is no number of at least " +
           std::to_string(least));
  }
  return value;
}

using Setter = std::function<void(TrainArguments&, std::string_view flag, std::string_view text)>;

const std::map<std::string_view, Setter>& setters() {
  using A = TrainArguments;
  using S = std::string_view;
  static const std::map<std::string_view, Setter> all{
      {"--out", [](A& a, S, S text) { a.run.folder = text; }},
      {"--steps", [](A& a, S f, S t) { a.run.steps = number<std::int64_t>(f, t, 1); }},
      {"--seed", [](A& a, S f, S t) { a.run.seed = number<std::uint64_t>(f, t, 0); }},
      {"--sounds", [](A& a, S f, S t) { a.run.sounds = number<std::int64_t>(f, t, 1); }},
      {"--threads", [](A& a, S f, S t) { a.run.threads = number<int>(f, t, 1); }},
      {"--device", [](A& a, S, S text) { a.run.device = text; }},
      {"--save-every", [](A& a, S f, S t) { a.run.save_every = Seconds(number<double>(f, t, 0)); }},
      {"--batch", [](A& a, S f, S t) { a.batch = number<std::int64_t>(f, t, 1); }},
      {"--rate", [](A& a, S f, S t) { a.rate = number<double>(f, t, 0); }},
      {"--codec", [](A& a, S, S text) { a.codec = text; }},
      {"--from", [](A& a, S, S text) { a.from = text; }},
      {"--course", [](A& a, S f, S t) { a.course = number<std::int64_t>(f, t, 1); }},
      {"--images", [](A& a, S, S text) { a.images = text; }},
      {"--weights", [](A& a, S, S text) { a.weights = text; }},
      {"--adapter", [](A& a, S, S text) { a.adapter = text; }},
  };
  return all;
}

}  // namespace

TrainArguments parse_train_arguments(int count, const char* const* words) {
  TrainArguments result;
  result.run.steps = 0;
  result.run.sounds = 0;
  result.weights = "models/bundled";
  result.codec = "models/bundled/latent.safetensors";
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    if (word == "--help" || word == "-h") {
      result.what = "help";
      return result;
    }
    if (word == "--float32") {
      result.run.bf16 = false;
    } else if (!word.starts_with("--") && result.what.empty()) {
      result.what = word;
    } else if (const auto found = setters().find(word); found == setters().end()) {
      refuse("unknown argument " + std::string(word));
    } else if (++i == count) {
      refuse(std::string(word) + ": its value is missing");
    } else {
      found->second(result, word, words[i]);
    }
  }
  if (result.what.empty()) refuse("train what?");
  if (result.run.folder.empty())
    result.run.folder = result.what == "all" ? "training/runs" : "training/runs/" + result.what;
  return result;
}

std::string train_help() {
  return R"(qingyin_train WHAT [OPTIONS]: trains the bundled models on synthesised sound

WHAT
  all       everything below, one after another, as the schedule of the committed weights says
            -> OUT/weights
  latent    statistics and principal components of the mel latent -> OUT/latent.safetensors
  vocoder   mel spectrogram to sound                              -> OUT/weights.safetensors
  foley     flow transformer that makes one event                 -> OUT/weights.safetensors
  detector  motion of a picture to events                         -> OUT/weights.safetensors
  eval      figures of the weights in --weights on held-out sounds, as Markdown
  detector-eval  the same of the detector on held-out films
  squeaks   --sounds (60) squeaks with labels.csv in --out: a library to try qingyin train on
  adapter-eval  what --adapter, learnt from those squeaks, makes of squeaks and of all else

OPTIONS
  --out DIR        state, log.csv and weights; an unfinished run there goes on
                   (training/runs/WHAT)
  --steps N        of the optimiser; the learning rate falls over the last part of them
                   (those of the schedule)
  --sounds N       sounds to synthesise, or films to shoot, for training (those of the
                   schedule)
  --seed N         decides sounds, noise and first weights
  --batch N        items per step (eval: events per class, 25; detector-eval: films, 300)
  --rate X         peak of the learning rate
  --threads N      of this process (1)
  --device NAME    cpu or cuda
  --float32        no bfloat16 matrix products
  --save-every S   seconds between saved states (120)
  --from FILE      weights of vocoder or foley to begin with
  --course N       of vocoder's two or foley's four (1; 2 with --from)
  --codec FILE     the latent (models/bundled/latent.safetensors)
  --weights DIR    the bundled weights (models/bundled)
  --adapter FILE   of qingyin train, for adapter-eval (--batch: events per class, 10)
  --images DIR     where eval writes spectrograms and waveforms of each class, as PNG files

EXAMPLES
  qingyin_train all --out training/runs
  qingyin_train foley --out training/runs/foley --steps 8000 --sounds 18000
  qingyin_train eval --weights training/runs/weights --images docs/images
)";
}

}  // namespace qingyin::training
