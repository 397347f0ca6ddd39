#include "video_gen/pipeline_denoiser.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "models/checkpoint/load_weights.h"
#include "video_gen/block_source.h"
#include "video_gen/lora.h"
#include "video_gen/pipeline_parts.h"
#include "video_gen/tea_cache.h"

namespace qingyin {
namespace {

StoredPositions stored_positions(StoredTable table) {
  return table == StoredTable::kUsed ? StoredPositions::kAsPublished : StoredPositions::kIgnored;
}

std::string note_of(const Lora& lora, const LoraReport& report) {
  std::string note = printable(lora.path) + ": " + std::to_string(report.matched.size()) +
                     " modules changed, scale " + std::to_string(report.smallest_scale);
  if (report.largest_scale != report.smallest_scale)
    note += " to " + std::to_string(report.largest_scale);
  note += ", " + std::to_string(report.unmatched.size()) + " not matched";
  for (const std::string& name : report.unmatched) note += "\n  " + name;
  return note;
}

/// Which steps are reused, and the residual that they reuse.
class Reuse {
 public:
  explicit Reuse(const DenoiserWish& wish) : skips_(wish.timesteps.size(), false) {
    for (const std::int64_t step : wish.skipped_steps)
      skips_.at(static_cast<std::size_t>(step)) = true;
    require(!skips_.at(0), ErrorCode::kInternal, "the first step has nothing to reuse");
  }

  bool skips(std::size_t step) const { return skips_.at(step); }
  /// Where the residual of a step that is done goes; none if the next one does not need it.
  at::Tensor* keep(std::size_t step) {
    residual.reset();  // memory for the next one
    return step + 1 < skips_.size() && skips_[step + 1] ? &residual : nullptr;
  }

  at::Tensor residual;

 private:
  std::vector<bool> skips_;
};

/// All weights in memory, in the run's type.
class ResidentDenoiser : public Denoiser {
 public:
  ResidentDenoiser(TensorMap tensors, const DenoiserWish& wish, const std::string& source,
                   DenoiserNotes& notes)
      : network_(wish.config), timesteps_(wish.timesteps), reuse_(wish) {
    adopt_weights(*network_, std::move(tensors), wish.dtype, source);
    for (const LoraWish& lora : wish.loras) {
      const Lora read = read_lora(lora.file);
      notes.loras.push_back(note_of(read, merge_lora(*network_, read, lora.factor)));
    }
    if (!network_->parameters().front().device().is_cpu()) network_->fuse();
    clip_ = network_->prepare(wish.text, wish.size, stored_positions(wish.stored_table));
  }

  at::Tensor predict(std::size_t i, const at::Tensor& latents) override {
    const CogStep step = network_->step(at::full({1}, timesteps_.at(i), at::kLong));
    if (reuse_.skips(i)) return network_->reuse(latents, clip_, step, reuse_.residual);
    return network_->forward(latents, clip_, step, reuse_.keep(i));
  }

 private:
  CogTransformer network_;
  std::vector<std::int64_t> timesteps_;
  CogClip clip_;
  Reuse reuse_;
};

/// Blocks that are read one by one: in every step into the memory of one block, or once, to stay in
/// 8 bits. What the times do to their norms is computed once.
class BlockwiseDenoiser : public Denoiser {
 public:
  BlockwiseDenoiser(TensorMap tensors, const DenoiserWish& wish, const std::string& source,
                    DenoiserNotes& notes)
      : network_(wish.config),
        one_(wish.config),
        is_streamed_(wish.streams_blocks),
        is_int8_(wish.weights == VideoWeights::kInt8),
        blocks_(std::move(tensors), wish, source),
        reuse_(wish) {
    for (const auto& [lora, report] : blocks_.load_rest(network_))
      notes.loras.push_back(note_of(*lora, report));
    clip_ = network_->prepare(wish.text, wish.size, stored_positions(wish.stored_table));
    compute_steps(wish);
  }

  at::Tensor predict(std::size_t i, const at::Tensor& latents) override {
    if (reuse_.skips(i)) return network_->reuse(latents, clip_, steps_[i], reuse_.residual);
    const auto all = [&](CogTokens& tokens) {
      for (std::size_t b = 0; b < blocks_.size(); ++b) {
        if (is_streamed_) blocks_.load(one_, b, BlockParts::kWithoutModulations);
        if (is_streamed_ && is_int8_) one_->to_int8();
        place_of(b)->forward(tokens, steps_[i].blocks[b], clip_.turns);
      }
    };
    return network_->forward_by(all, latents, clip_, steps_[i], reuse_.keep(i));
  }

 private:
  /// Where block b has its weights while it runs.
  CogBlock place_of(std::size_t b) const { return is_streamed_ ? one_ : network_->block(b); }

  /// What the times do to each norm: one product for all steps, then its weights are not needed.
  void compute_steps(const DenoiserWish& wish) {
    const at::Tensor times = at::tensor(wish.timesteps, at::kLong);
    const auto count = static_cast<std::int64_t>(wish.timesteps.size());
    const at::Tensor embedding = network_->time_embedding(times);  // [steps, E]
    const at::Tensor activated = at::silu(embedding);
    const at::Tensor output = linear("norm_out.linear", activated);
    for (std::int64_t i = 0; i < count; ++i)
      steps_.push_back(
          {.embedding = embedding.narrow(0, i, 1), .blocks = {}, .output = output.narrow(0, i, 1)});
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      CogBlock block = place_of(b);
      blocks_.load(block, b, BlockParts::kAll);
      const CogBlockImpl::Modulations all = block->modulations(activated);
      for (std::int64_t i = 0; i < count; ++i)
        steps_[static_cast<std::size_t>(i)].blocks.push_back(rows_of(all, i));
      block->let_go_modulations();
      if (is_streamed_) continue;
      block->to_int8();
      blocks_.let_go(b);
    }
  }

  static CogBlockImpl::Modulations rows_of(const CogBlockImpl::Modulations& all, std::int64_t row) {
    CogBlockImpl::Modulations rows;
    for (std::size_t n = 0; n < all.size(); ++n)
      for (std::size_t m = 0; m < all[n].size(); ++m) rows[n][m] = all[n][m].narrow(0, row, 1);
    return rows;
  }

  at::Tensor linear(const std::string& name, const at::Tensor& x) const {
    for (const auto& module : network_->named_modules())
      if (module.key() == name) return module.value()->as<PlainLinearImpl>()->forward(x);
    throw Error(ErrorCode::kInternal, "video transformer: has no module " + name);
  }

  CogTransformer network_;
  CogBlock one_;  // that all streamed blocks share
  bool is_streamed_, is_int8_;
  BlockSource blocks_;
  CogClip clip_;
  std::vector<CogStep> steps_;
  Reuse reuse_;
};

}  // namespace

std::unique_ptr<Denoiser> load_denoiser(const CheckpointFolder& folder, const DenoiserWish& wish,
                                        DenoiserNotes& notes) {
  const std::string source = printable(folder.path() / "transformer");
  TensorMap tensors = folder.tensors("transformer");
  if (wish.streams_blocks || wish.weights == VideoWeights::kInt8)
    return std::make_unique<BlockwiseDenoiser>(std::move(tensors), wish, source, notes);
  return std::make_unique<ResidentDenoiser>(std::move(tensors), wish, source, notes);
}

std::vector<std::int64_t> planned_skips(const CheckpointFolder& folder,
                                        const CogTransformerConfig& config,
                                        const std::vector<std::int64_t>& timesteps,
                                        double threshold) {
  if (threshold <= 0) return {};
  const TeaCoefficients coefficients = tea_coefficients(config);
  const std::string source = printable(folder.path() / "transformer");
  const TensorMap tensors = folder.tensors("transformer");
  const at::NoGradGuard no_gradient;
  CogTransformer network(config);
  require_fit(*network, tensors, source);
  for (const auto& child : network->named_children())
    if (child.key() == "time_embedding" || child.key() == "ofs_embedding")
      adopt_weights(*child.value(), tensors_below(tensors, child.key() + "."), at::kFloat, source);
  const std::vector<bool> marks =
      steps_to_skip(embedding_changes(network, timesteps), coefficients, threshold);
  std::vector<std::int64_t> places;
  for (std::size_t i = 0; i < marks.size(); ++i)
    if (marks[i]) places.push_back(static_cast<std::int64_t>(i));
  return places;
}

}  // namespace qingyin
