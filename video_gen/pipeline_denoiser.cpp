#include "video_gen/pipeline_denoiser.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "models/checkpoint/load_weights.h"
#include "video_gen/lora.h"
#include "video_gen/pipeline_parts.h"
#include "video_gen/tea_cache.h"

namespace qingyin {
namespace {

constexpr char kBlocks[] = "transformer_blocks";

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

std::vector<bool> skips_of(const CogTransformer& network, const CogTransformerConfig& config,
                           const std::vector<std::int64_t>& timesteps, double threshold) {
  if (threshold <= 0) return {};
  return steps_to_skip(embedding_changes(network, timesteps), tea_coefficients(config), threshold);
}

std::vector<std::int64_t> places_of(const std::vector<bool>& marks) {
  std::vector<std::int64_t> places;
  for (std::size_t i = 0; i < marks.size(); ++i)
    if (marks[i]) places.push_back(static_cast<std::int64_t>(i));
  return places;
}

/// Which steps are reused, and the residual that they reuse.
class Reuse {
 public:
  Reuse() = default;
  Reuse(const CogTransformer& network, const DenoiserWish& wish, DenoiserNotes& notes)
      : skips_(skips_of(network, wish.config, wish.timesteps, wish.skip_threshold)) {
    notes.skipped_steps = places_of(skips_);
  }

  bool skips(std::size_t step) const { return !skips_.empty() && skips_[step]; }
  /// Where the residual goes; none if no step needs it.
  at::Tensor* keep() {
    residual.reset();  // memory for the next one
    return skips_.empty() ? nullptr : &residual;
  }

  at::Tensor residual;

 private:
  std::vector<bool> skips_;
};

/// All weights in memory.
class ResidentDenoiser : public Denoiser {
 public:
  ResidentDenoiser(TensorMap tensors, const DenoiserWish& wish, const std::string& source,
                   DenoiserNotes& notes)
      : network_(wish.config), timesteps_(wish.timesteps) {
    adopt_weights(*network_, std::move(tensors), wish.dtype, source);
    for (const LoraWish& lora : wish.loras) {
      const Lora read = read_lora(lora.file);
      notes.loras.push_back(note_of(read, merge_lora(*network_, read, lora.factor)));
    }
    if (!network_->parameters().front().device().is_cpu()) network_->fuse();
    clip_ = network_->prepare(wish.text, wish.size, stored_positions(wish.stored_table));
    reuse_ = Reuse(network_, wish, notes);
  }

  at::Tensor predict(std::size_t i, const at::Tensor& latents) override {
    const CogStep step = network_->step(at::full({1}, timesteps_.at(i), at::kLong));
    if (reuse_.skips(i)) return network_->reuse(latents, clip_, step, reuse_.residual);
    return network_->forward(latents, clip_, step, reuse_.keep());
  }

 private:
  CogTransformer network_;
  std::vector<std::int64_t> timesteps_;
  CogClip clip_;
  Reuse reuse_;
};

/// A LoRA's part for each block, by the block's own names.
class StreamedLora {
 public:
  StreamedLora(const LoraWish& wish, std::int64_t blocks) : lora_(read_lora(wish.file)) {
    factor_ = wish.factor;
    for (std::int64_t i = 0; i < blocks; ++i) parts_.push_back(part(i));
  }

  void apply(CogBlock block, std::size_t i) const {
    if (parts_[i].pairs.empty()) return;
    // The block's weights may lie in the mapped file, where a change would stay for the next step.
    for (auto& parameter : block->named_parameters()) {
      const std::string& name = parameter.key();
      const std::string module = name.substr(0, name.rfind('.'));
      if (parts_[i].pairs.contains(module)) parameter.value().set_data(parameter.value().clone());
    }
    merge_lora(*block, parts_[i], factor_);
  }

  /// What fits the network, whose blocks have no weights. @throws Error as `merge_lora`
  LoraReport report(CogTransformer network) const {
    const TensorMap weights = weights_of(*network);
    LoraReport report;
    for (const auto& [name, pair] : lora_.pairs) {
      const double scale = factor_ * pair.scale;
      const bool is_first = report.matched.empty();
      if (!weights.contains(name + ".weight")) {
        report.unmatched.push_back(name);
        continue;
      }
      report.smallest_scale = is_first ? scale : std::min(report.smallest_scale, scale);
      report.largest_scale = is_first ? scale : std::max(report.largest_scale, scale);
      report.matched.push_back(name);
    }
    report.unmatched.insert(report.unmatched.end(), lora_.unknown.begin(), lora_.unknown.end());
    return report.matched.empty() ? merge_lora(*network, lora_, factor_) : report;
  }

  const Lora& lora() const { return lora_; }

 private:
  Lora part(std::int64_t block) const {
    const std::string prefix = std::string(kBlocks) + "." + std::to_string(block) + ".";
    Lora part{.path = lora_.path, .pairs = {}, .unknown = {}};
    for (const auto& [name, pair] : lora_.pairs)
      if (name.starts_with(prefix)) part.pairs.emplace(name.substr(prefix.size()), pair);
    return part;
  }

  Lora lora_;
  double factor_ = 1;
  std::vector<Lora> parts_;
};

/// One block at a time in memory.
class StreamedDenoiser : public Denoiser {
 public:
  StreamedDenoiser(TensorMap tensors, const DenoiserWish& wish, const std::string& source,
                   DenoiserNotes& notes)
      : network_(wish.config), block_(wish.config), dtype_(wish.dtype), source_(source) {
    require_fit(*network_, tensors, source);
    for (std::int64_t i = 0; i < wish.config.num_layers; ++i)
      blocks_.push_back(
          tensors_below(tensors, std::string(kBlocks) + "." + std::to_string(i) + "."));
    for (const auto& child : network_->named_children())
      if (child.key() != kBlocks)
        adopt_weights(*child.value(), tensors_below(tensors, child.key() + "."), dtype_, source_);
    for (const LoraWish& lora : wish.loras) add_lora(lora, wish.config, notes);
    clip_ = network_->prepare(wish.text, wish.size, stored_positions(wish.stored_table));
    reuse_ = Reuse(network_, wish, notes);
    compute_steps(wish);
  }

  at::Tensor predict(std::size_t i, const at::Tensor& latents) override {
    if (reuse_.skips(i)) return network_->reuse(latents, clip_, steps_[i], reuse_.residual);
    const auto stream = [&](CogTokens& tokens) {
      for (std::size_t b = 0; b < blocks_.size(); ++b) {
        load_block(b);
        block_->forward(tokens, steps_[i].blocks[b], clip_.turns);
      }
    };
    return network_->forward_by(stream, latents, clip_, steps_[i], reuse_.keep());
  }

 private:
  void add_lora(const LoraWish& wish, const CogTransformerConfig& config, DenoiserNotes& notes) {
    loras_.emplace_back(wish, config.num_layers);
    notes.loras.push_back(note_of(loras_.back().lora(), loras_.back().report(network_)));
    // What it changes beside the blocks; only those are paged in.
    Lora rest{.path = loras_.back().lora().path, .pairs = {}, .unknown = {}};
    for (const auto& [name, pair] : loras_.back().lora().pairs)
      if (!name.starts_with(std::string(kBlocks) + ".")) rest.pairs.emplace(name, pair);
    if (!rest.pairs.empty()) merge_lora(*network_, rest, wish.factor);
  }

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
      load_block(b);
      const CogBlockImpl::Modulations all = block_->modulations(activated);
      for (std::int64_t i = 0; i < count; ++i)
        steps_[static_cast<std::size_t>(i)].blocks.push_back(rows_of(all, i));
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

  /// After the tables are made, the norms' linear maps are left out.
  void load_block(std::size_t b) {
    const bool has_tables = !steps_.empty() && steps_[0].blocks.size() == blocks_.size();
    if (!has_tables) {
      adopt_weights(*block_, blocks_[b], dtype_, source_);
    } else {
      for (const auto& module : block_->named_modules())
        if (module.key() == "attn1" || module.key() == "ff" || module.key() == "norm1.norm" ||
            module.key() == "norm2.norm")
          adopt_weights(*module.value(), tensors_below(blocks_[b], module.key() + "."), dtype_,
                        source_);
    }
    for (const StreamedLora& lora : loras_) lora.apply(block_, b);
  }

  CogTransformer network_;
  CogBlock block_;
  at::ScalarType dtype_;
  std::string source_;
  std::vector<TensorMap> blocks_;  // in the mapped file
  std::vector<StreamedLora> loras_;
  CogClip clip_;
  std::vector<CogStep> steps_;
  Reuse reuse_;
};

}  // namespace

std::unique_ptr<Denoiser> load_denoiser(const CheckpointFolder& folder, const DenoiserWish& wish,
                                        DenoiserNotes& notes) {
  const std::string source = printable(folder.path() / "transformer");
  TensorMap tensors = folder.tensors("transformer");
  if (wish.streams_blocks)
    return std::make_unique<StreamedDenoiser>(std::move(tensors), wish, source, notes);
  return std::make_unique<ResidentDenoiser>(std::move(tensors), wish, source, notes);
}

std::vector<std::int64_t> planned_skips(const CheckpointFolder& folder,
                                        const CogTransformerConfig& config,
                                        const std::vector<std::int64_t>& timesteps,
                                        double threshold) {
  if (threshold <= 0) return {};
  const std::string source = printable(folder.path() / "transformer");
  const TensorMap tensors = folder.tensors("transformer");
  CogTransformer network(config);
  require_fit(*network, tensors, source);
  for (const auto& child : network->named_children())
    if (child.key() == "time_embedding" || child.key() == "ofs_embedding")
      adopt_weights(*child.value(), tensors_below(tensors, child.key() + "."), at::kFloat, source);
  return places_of(skips_of(network, config, timesteps, threshold));
}

}  // namespace qingyin
