#include "video_gen/block_source.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "models/checkpoint/load_weights.h"
#include "video_gen/pipeline_parts.h"

namespace qingyin {
namespace {

constexpr std::string_view kBlocks = "transformer_blocks.";
// Children of a block, without the linear maps of its norms.
constexpr std::array<std::string_view, 4> kUnmodulated{"attn1", "ff", "norm1.norm", "norm2.norm"};
// How the others' names end.
constexpr std::string_view kModulation = ".linear";

std::string prefix_of(std::size_t block) {
  return std::string(kBlocks) + std::to_string(block) + ".";
}

/// What of a LoRA has a place and `is_wanted` by its name, under names without their first `cut`
/// characters.
template <class Wanted>
Lora part_of(const Lora& lora, const LoraReport& report, std::size_t cut, const Wanted& is_wanted) {
  Lora part{.path = lora.path, .pairs = {}, .unknown = {}};
  for (const std::string& name : report.matched)
    if (is_wanted(name)) part.pairs.emplace(name.substr(cut), lora.pairs.at(name));
  return part;
}

void apply(const Lora& part, double factor, CogBlock& block) {
  if (part.pairs.empty()) return;
  // The block's weights may lie in the mapped file, where a change would stay for the next step.
  for (auto& parameter : block->named_parameters()) {
    const std::string& name = parameter.key();
    if (part.pairs.contains(name.substr(0, name.rfind('.'))))
      parameter.value().set_data(parameter.value().clone());
  }
  merge_lora(*block, part, factor);
}

}  // namespace

BlockSource::BlockSource(TensorMap tensors, const DenoiserWish& wish, std::string source)
    : rest_(std::move(tensors)), dtype_(wish.dtype), source_(std::move(source)) {
  for (const LoraWish& lora : wish.loras)
    loras_.push_back({.all = read_lora(lora.file), .factor = lora.factor});
  for (std::size_t i = 0; i < static_cast<std::size_t>(wish.config.num_layers); ++i)
    blocks_.push_back(tensors_below(rest_, prefix_of(i)));
}

std::vector<std::pair<const Lora*, LoraReport>> BlockSource::load_rest(CogTransformer network) {
  require_fit(*network, rest_, source_);
  const std::string group(kBlocks.substr(0, kBlocks.size() - 1));
  for (const auto& child : network->named_children())
    if (child.key() != group)
      adopt_weights(*child.value(), tensors_below(rest_, child.key() + "."), dtype_, source_);
  rest_.clear();
  std::vector<std::pair<const Lora*, LoraReport>> reports;
  for (ScaledLora& lora : loras_) {
    const LoraReport report = check_lora(*network, lora.all, lora.factor);
    const Lora beside = part_of(lora.all, report, 0,
                                [](const std::string& name) { return !name.starts_with(kBlocks); });
    if (!beside.pairs.empty()) merge_lora(*network, beside, lora.factor);
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      const std::string prefix = prefix_of(i);
      const auto in_block = [&](const std::string& name) { return name.starts_with(prefix); };
      const auto stays = [&](const std::string& name) {
        return in_block(name) && !name.ends_with(kModulation);
      };
      lora.of_blocks.push_back({part_of(lora.all, report, prefix.size(), in_block),
                                part_of(lora.all, report, prefix.size(), stays)});
    }
    reports.emplace_back(&lora.all, report);
  }
  return reports;
}

void BlockSource::load(CogBlock block, std::size_t i, BlockParts parts) const {
  if (parts == BlockParts::kAll) adopt_weights(*block, blocks_[i], dtype_, source_);
  if (parts == BlockParts::kWithoutModulations)
    for (const auto& module : block->named_modules())
      if (std::ranges::find(kUnmodulated, module.key()) != kUnmodulated.end())
        adopt_weights(*module.value(), tensors_below(blocks_[i], module.key() + "."), dtype_,
                      source_);
  for (const ScaledLora& lora : loras_)
    apply(lora.of_blocks[i][parts == BlockParts::kAll ? 0 : 1], lora.factor, block);
}

}  // namespace qingyin
