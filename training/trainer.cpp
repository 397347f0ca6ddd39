#include "training/trainer.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <sstream>

#include "core/error.h"
#include "core/philox.h"
#include "models/checkpoint/load_weights.h"

namespace qingyin::training {
namespace {

constexpr double kBeta1 = 0.9, kBeta2 = 0.95, kEpsilon = 1e-8, kWeightDecay = 0.01;
constexpr double kLargestGradient = 1.0;
constexpr std::int64_t kLogEvery = 20;
constexpr const char* kStateFile = "state.safetensors";

std::vector<at::Tensor> zeros_like_all(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> result;
  for (const auto& t : tensors) result.push_back(at::zeros_like(t));
  return result;
}

void restore(const TensorMap& state, const std::string& prefix,
             const std::vector<std::string>& names, std::vector<at::Tensor>& into) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto found = state.find(prefix + names[i]);
    require(found != state.end() && found->second.sizes() == into[i].sizes(),
            ErrorCode::kBadCheckpoint,
            "training state: " + prefix + names[i] +
                " is missing or has another shape; remove the run's folder to start afresh");
    into[i].copy_(found->second);
  }
}

void check_device(const std::string& name) {
  require(name == "cpu" || name == "cuda", ErrorCode::kUsage,
          "training: device \"" + name + "\" is not known; expected cpu or cuda");
  require(name == "cpu" || at::hasCUDA(), ErrorCode::kDevice,
          "training: this machine or this libtorch has no CUDA device; use --device cpu");
}

/// Rows of a log up to a step: later ones belong to work that was lost.
void cut_log(const std::filesystem::path& path, std::int64_t step) {
  std::ifstream in(path);
  if (!in) return;
  std::ostringstream kept;
  for (std::string line; std::getline(in, line);) {
    const bool is_header = line.starts_with("step");
    if (is_header || std::strtoll(line.c_str(), nullptr, 10) <= step) kept << line << '\n';
  }
  write_file_atomically(path, kept.str(), Overwrite::kYes);
}

}  // namespace

double learning_rate(const Rates& rates, std::int64_t step, std::int64_t steps) {
  const auto at = static_cast<double>(step), all = static_cast<double>(steps);
  const double rise = (at + 1) / static_cast<double>(std::max<std::int64_t>(1, rates.warm_up));
  const double from = rates.decay_from * all;
  const double fall = at < from ? 1 : (all - at) / std::max(1.0, all - from);
  return rates.peak * std::clamp(std::min(rise, fall), 0.0, 1.0);
}

LowPrecision::LowPrecision(bool enabled, const std::string& device)
    : enabled_(enabled), is_cuda_(device.starts_with("cuda")) {
  if (!enabled_) return;
  const auto kind = is_cuda_ ? at::kCUDA : at::kCPU;
  at::autocast::set_autocast_dtype(kind, at::kBFloat16);
  at::autocast::set_autocast_enabled(kind, true);
}

LowPrecision::~LowPrecision() {
  if (!enabled_) return;
  at::autocast::set_autocast_enabled(is_cuda_ ? at::kCUDA : at::kCPU, false);
  at::autocast::clear_cache();
}

at::Tensor normal_noise(at::IntArrayRef shape, std::uint64_t seed, std::int64_t step,
                        const char* name) {
  const std::uint64_t mixed = derive_seed(seed + static_cast<std::uint64_t>(step), name);
  return at::randn(shape, at::make_generator<at::CPUGeneratorImpl>(mixed), at::kFloat);
}

void begin_with(torch::nn::Module& module, const std::filesystem::path& weights) {
  if (weights.empty()) return;
  load_weights(module, read_safetensors(weights).tensors, weights.string());
}

Trainer::Trainer(torch::nn::Module& module, const RunOptions& options, const Rates& rates,
                 Product product)
    : options_(options), rates_(rates), product_(std::move(product)) {
  check_device(options.device);
  at::set_num_threads(options.threads);
  module.to(at::Device(options.device));
  for (const auto& item : module.named_parameters()) {
    names_.push_back(item.key());
    weights_.push_back(item.value());
  }
  const at::NoGradGuard no_grad;
  for (const auto& w : weights_) average_.push_back(w.detach().clone());
  first_ = zeros_like_all(average_);
  second_ = zeros_like_all(average_);
  std::filesystem::create_directories(options_.folder);
  const auto state = options_.folder / kStateFile;
  if (!std::filesystem::exists(state)) return;
  const auto stored = read_safetensors(state);
  const auto seed = stored.metadata.find("seed"), step = stored.metadata.find("step");
  require(seed != stored.metadata.end() && step != stored.metadata.end(), ErrorCode::kBadCheckpoint,
          state.string() + ": no training state");
  require(
      seed->second == std::to_string(options_.seed), ErrorCode::kUsage,
      state.string() + ": a run of seed " + seed->second + "; give that --seed, or another --out");
  step_ = std::stoll(step->second);
  resume(stored.tensors);
}

void Trainer::resume(const TensorMap& state) {
  restore(state, "model.", names_, weights_);
  restore(state, "average.", names_, average_);
  restore(state, "first.", names_, first_);
  restore(state, "second.", names_, second_);
  cut_log(options_.folder / "log.csv", step_);
}

TensorMap Trainer::average() const {
  TensorMap result;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (!names_[i].starts_with(product_.prefix)) continue;
    result[names_[i].substr(product_.prefix.size())] = average_[i].cpu();
  }
  return result;
}

void Trainer::save() const {
  TensorMap state;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    state["model." + names_[i]] = weights_[i].detach().cpu();
    state["average." + names_[i]] = average_[i].cpu();
    state["first." + names_[i]] = first_[i].cpu();
    state["second." + names_[i]] = second_[i].cpu();
  }
  std::map<std::string, std::string> facts{{"step", std::to_string(step_)},
                                           {"steps", std::to_string(options_.steps)},
                                           {"seed", std::to_string(options_.seed)}};
  write_safetensors(options_.folder / kStateFile, state, facts, Overwrite::kYes);
  facts.insert(product_.facts.begin(), product_.facts.end());
  write_safetensors(options_.folder / "weights.safetensors", with_float_type(average(), at::kHalf),
                    facts, Overwrite::kYes);
}

void Trainer::update(double rate) {
  const at::NoGradGuard no_grad;
  struct Group {
    std::vector<at::Tensor> weights, gradients, first, second, steps;
  };
  Group matrices, vectors;
  std::vector<at::Tensor> gradients;
  const at::Tensor count =
      at::full({}, static_cast<double>(step_ + 1), weights_.front().options().dtype(at::kFloat));
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    if (!weights_[i].grad().defined()) continue;
    Group& group = weights_[i].dim() > 1 ? matrices : vectors;
    group.weights.push_back(weights_[i]);
    group.gradients.push_back(weights_[i].grad());
    group.first.push_back(first_[i]);
    group.second.push_back(second_[i]);
    group.steps.push_back(count);
    gradients.push_back(weights_[i].grad());
  }
  const at::Tensor norm = at::stack(at::_foreach_norm(gradients)).norm();
  gradient_norm_ = norm.item<double>();
  require(std::isfinite(gradient_norm_), ErrorCode::kInternal,
          "training: the gradient at step " + std::to_string(step_) +
              " is not a number; the last saved state is intact, lower the learning rate");
  if (gradient_norm_ > kLargestGradient) {
    at::_foreach_mul_(gradients, kLargestGradient / gradient_norm_);
  }
  for (Group* g : {&matrices, &vectors}) {
    if (g->weights.empty()) continue;
    at::_fused_adamw_(g->weights, g->gradients, g->first, g->second, {}, g->steps, rate, kBeta1,
                      kBeta2, g == &matrices ? kWeightDecay : 0.0, kEpsilon, false, false);
  }
  const double warm = static_cast<double>(step_ + 1) / static_cast<double>(step_ + 10);
  at::_foreach_lerp_(average_, weights_, 1 - std::min(rates_.average, warm));
  for (const auto& w : weights_) w.mutable_grad().reset();
}

void Trainer::note(const Losses& losses) {
  std::vector<std::pair<std::string, at::Tensor>> figures{{"loss", losses.total}};
  figures.insert(figures.end(), losses.parts.begin(), losses.parts.end());
  sums_.resize(figures.size());
  for (std::size_t i = 0; i < figures.size(); ++i) {
    const double before = noted_ == 0 ? 0 : sums_[i].second;
    sums_[i] = {figures[i].first, before + figures[i].second.item<double>()};
  }
  ++noted_;
}

/// One row: means over the steps since the last row.
void Trainer::log(double rate, double seconds) {
  const auto path = options_.folder / "log.csv";
  const bool is_new = !std::filesystem::exists(path);
  std::ofstream out(path, std::ios::app);
  if (is_new) {
    out << "step,seconds,rate,gradient";
    for (const auto& sum : sums_) out << ',' << sum.first;
    out << '\n';
  }
  out << step_ << ',' << seconds << ',' << rate << ',' << gradient_norm_;
  for (const auto& sum : sums_) out << ',' << sum.second / static_cast<double>(noted_);
  out << '\n';
  noted_ = 0;
}

bool Trainer::run(const std::function<Losses(std::int64_t step)>& losses_of) {
  using Clock = std::chrono::steady_clock;
  const auto began = Clock::now();
  auto saved = began;
  bool wanted = true;
  while (step_ < options_.steps && wanted) {
    const Losses losses = losses_of(step_);
    losses.total.backward();
    note(losses);
    const double rate = learning_rate(rates_, step_, options_.steps);
    update(rate);
    ++step_;
    const auto now = Clock::now();
    if (step_ % kLogEvery == 0) log(rate, Seconds(now - began).count());
    if (now - saved > options_.save_every) {
      save();
      saved = Clock::now();
    }
    const double done = static_cast<double>(step_) / static_cast<double>(options_.steps);
    wanted = !options_.progress || options_.progress("train", done);
  }
  save();
  return wanted;
}

}  // namespace qingyin::training
