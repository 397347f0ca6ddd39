#include "understanding/event_roll.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/error.h"
#include "core/sha256.h"
#include "models/adapter/low_rank.h"
#include "models/checkpoint/load_weights.h"
#include "understanding/detector_network.h"

namespace qingyin {
namespace {

constexpr std::size_t kBlock = 32;  // maps that a stream reads at once

RollStep step_of(const DetectorOutput& said, const MotionMap& map, std::int64_t t) {
  RollStep step{.start_s = map.start_s, .end_s = map.end_s};
  const auto number = [&](const at::Tensor& values) { return values[0][t].item<double>(); };
  step.onset = number(said.onset);
  step.onset_s = map.start_s + number(said.share) * (map.end_s - map.start_s);
  step.intensity = number(said.intensity);
  const auto kinds = said.kind.accessor<float, 3>(), lasting = said.lasting.accessor<float, 3>();
  const auto place = said.place.accessor<float, 3>();
  step.x = place[0][t][0];
  step.y = place[0][t][1];
  for (std::size_t k = 0; k < kOnsetKinds; ++k)
    step.kinds[k] = kinds[0][t][static_cast<std::int64_t>(k)];
  for (std::size_t k = 0; k < kLastingKinds; ++k)
    step.lasting[k] = lasting[0][t][static_cast<std::int64_t>(k)];
  return step;
}

}  // namespace

struct RollNetwork::Module {
  DetectorNetwork network;
};

RollNetwork::RollNetwork(const std::filesystem::path& weights,
                         const std::vector<AdapterChoice>& adapters) {
  require(std::filesystem::exists(weights), ErrorCode::kModelMissing,
          "detector weights: " + weights.string() +
              " is not there; they come with the source under models/bundled, or train them: "
              "./dev train detector");
  const c10::InferenceMode mode;
  module_ = std::make_unique<Module>();
  sha256_ = sha256_of_file(weights);
  TensorMap tensors = with_float_type(read_safetensors(weights).tensors, at::kFloat);
  for (const AdapterChoice& choice : adapters) {
    if (read_adapter_facts(choice.file).detector_base.empty()) continue;
    const LoadedAdapter adapter = load_adapter(choice);
    require_base(choice.file, "detector", adapter.facts.detector_base, sha256_);
    add_low_rank(tensors, adapter, "detector");
    adapters_[name_of(choice)] = adapter.facts.sha256;
  }
  load_weights(*module_->network, std::move(tensors), weights.string());
}

RollNetwork::~RollNetwork() = default;

std::size_t RollNetwork::past_maps() const {
  return static_cast<std::size_t>(module_->network->past_maps());
}

std::size_t RollNetwork::future_maps() const {
  return static_cast<std::size_t>(module_->network->future_maps());
}

std::vector<RollStep> RollNetwork::read(std::span<const MotionMap> maps) const {
  std::vector<RollStep> steps;
  if (maps.empty()) return steps;
  if (at::get_num_threads() != 1) at::set_num_threads(1);
  const c10::InferenceMode mode;
  const auto count = static_cast<std::int64_t>(maps.size());
  at::Tensor input = at::empty({1, count, kMapChannels, kMapRows, kMapColumns}, at::kFloat);
  auto* data = input.mutable_data_ptr<float>();
  for (const MotionMap& map : maps) data = std::ranges::copy(map.values, data).out;
  DetectorOutput said = module_->network(input);
  said.onset = said.onset.sigmoid();
  said.share = said.share.sigmoid();
  said.kind = said.kind.softmax(2);
  said.lasting = said.lasting.sigmoid();
  for (std::int64_t t = 0; t < count; ++t)
    steps.push_back(step_of(said, maps[static_cast<std::size_t>(t)], t));
  return steps;
}

void RollStream::add(const MotionMap& map) {
  maps_.push_back(map);
  const std::size_t future = network_.future_maps();
  if (maps_.size() - settled_ >= kBlock + future) read_block(kBlock, future);
}

void RollStream::end_shot() {
  if (maps_.size() > settled_) read_block(maps_.size() - settled_, 0);
  maps_.clear();
  settled_ = 0;
}

std::vector<RollStep> RollStream::take() { return std::exchange(steps_, {}); }

void RollStream::read_block(std::size_t block, std::size_t future) {
  const std::span<const MotionMap> seen(maps_.data(), settled_ + block + future);
  const std::vector<RollStep> steps = network_.read(seen);
  const auto first = steps.begin() + static_cast<std::ptrdiff_t>(settled_);
  steps_.insert(steps_.end(), first, first + static_cast<std::ptrdiff_t>(block));
  settled_ += block;
  const std::size_t past = network_.past_maps();
  if (settled_ <= past) return;
  maps_.erase(maps_.begin(), maps_.begin() + static_cast<std::ptrdiff_t>(settled_ - past));
  settled_ = past;
}

}  // namespace qingyin
