#include "models/t5/t5_encoder.h"

#include <ATen/ATen.h>

#include <cmath>
#include <string>
#include <utility>

#include "core/error.h"
#include "models/checkpoint/load_weights.h"

namespace qingyin {
namespace nn = torch::nn;

at::Tensor relative_position_buckets(const at::Tensor& relative, std::int64_t buckets,
                                     std::int64_t max_distance) {
  const std::int64_t half = buckets / 2, exact = half / 2;
  const at::Tensor distance = relative.abs();
  const double widening = std::log(static_cast<double>(max_distance) / static_cast<double>(exact));
  // In float32, as the reference: a double would put some distances into the next bucket.
  const at::Tensor far = (at::log(distance.to(at::kFloat) / static_cast<double>(exact)) / widening *
                          static_cast<double>(half - exact))
                             .clamp_min(0)
                             .to(at::kLong)
                             .add(exact)
                             .clamp_max(half - 1);
  return at::where(distance < exact, distance, far) + relative.gt(0).to(at::kLong) * half;
}

namespace {

/// "SelfAttention": heads over the whole text.
class T5Attention : public nn::Module {
 public:
  explicit T5Attention(const T5Config& c)
      : heads_(c.num_heads),
        q(register_module("q", PlainLinear(c.d_model, c.num_heads * c.d_kv, Bias::kWithout))),
        k(register_module("k", PlainLinear(c.d_model, c.num_heads * c.d_kv, Bias::kWithout))),
        v(register_module("v", PlainLinear(c.d_model, c.num_heads * c.d_kv, Bias::kWithout))),
        o(register_module("o", PlainLinear(c.num_heads * c.d_kv, c.d_model, Bias::kWithout))) {}

  at::Tensor forward(const at::Tensor& x, const at::Tensor& bias) const {
    const std::int64_t batch = x.size(0), tokens = x.size(1);
    const auto heads = [&](const at::Tensor& y) {
      return y.view({batch, tokens, heads_, -1}).transpose(1, 2);  // [B, H, T, K]
    };
    const at::Tensor mixed = at::scaled_dot_product_attention(
        heads(q->forward(x)), heads(k->forward(x)), heads(v->forward(x)), bias,
        /*dropout_p=*/0.0, /*is_causal=*/false, /*scale=*/1.0);
    return o->forward(mixed.transpose(1, 2).reshape({batch, tokens, -1}));
  }

 private:
  std::int64_t heads_;
  PlainLinear q, k, v, o;
};

/// "DenseReluDense" of v1.1: gelu(wi_0 x) * wi_1 x, then wo.
class T5FeedForward : public nn::Module {
 public:
  explicit T5FeedForward(const T5Config& c)
      : wi_0(register_module("wi_0", PlainLinear(c.d_model, c.d_ff, Bias::kWithout))),
        wi_1(register_module("wi_1", PlainLinear(c.d_model, c.d_ff, Bias::kWithout))),
        wo(register_module("wo", PlainLinear(c.d_ff, c.d_model, Bias::kWithout))) {}

  at::Tensor forward(const at::Tensor& x) const {
    return wo->forward(at::gelu(wi_0->forward(x), "tanh") * wi_1->forward(x));
  }

 private:
  PlainLinear wi_0, wi_1, wo;
};

/// A part of a block with its norm; the part's name is that of the checkpoint.
template <typename Part>
class T5Layer : public nn::Module {
 public:
  T5Layer(const T5Config& c, const char* name)
      : part(register_module(name, std::make_shared<Part>(c))),
        layer_norm(register_module("layer_norm", PlainRmsNorm(c.d_model, c.layer_norm_epsilon))) {}

  std::shared_ptr<Part> part;
  PlainRmsNorm layer_norm;
};

}  // namespace

class T5Block : public nn::Module {
 public:
  explicit T5Block(const T5Config& c)
      : attention_(std::make_shared<T5Layer<T5Attention>>(c, "SelfAttention")),
        feed_forward_(std::make_shared<T5Layer<T5FeedForward>>(c, "DenseReluDense")) {
    const auto layer = register_module("layer", std::make_shared<ModuleGroup>());
    layer->register_module("0", attention_);
    layer->register_module("1", feed_forward_);
  }

  at::Tensor forward(const at::Tensor& x, const at::Tensor& bias) const {
    const at::Tensor y = x + attention_->part->forward(attention_->layer_norm->forward(x), bias);
    return y + feed_forward_->part->forward(feed_forward_->layer_norm->forward(y));
  }

  nn::Module& attention() { return *attention_->part; }

 private:
  std::shared_ptr<T5Layer<T5Attention>> attention_;
  std::shared_ptr<T5Layer<T5FeedForward>> feed_forward_;
};

T5EncoderImpl::T5EncoderImpl(const T5Config& c)
    : config_(c),
      shared(register_module("shared", PlainEmbedding(c.vocab_size, c.d_model))),
      relative_attention_bias_(PlainEmbedding(c.relative_attention_num_buckets, c.num_heads)),
      final_layer_norm_(PlainRmsNorm(c.d_model, c.layer_norm_epsilon)) {
  const auto found = problems(c);
  require(found.empty(), ErrorCode::kInternal, "t5: " + (found.empty() ? "" : found.front()));
  const auto encoder = register_module("encoder", std::make_shared<ModuleGroup>());
  const auto block = encoder->register_module("block", std::make_shared<ModuleGroup>());
  for (std::int64_t i = 0; i < c.num_layers; ++i) {
    blocks_.push_back(std::make_shared<T5Block>(c));
    block->register_module(std::to_string(i), blocks_.back());
  }
  // The first layer's checkpoint entry serves all layers.
  blocks_.front()->attention().register_module("relative_attention_bias", relative_attention_bias_);
  encoder->register_module("final_layer_norm", final_layer_norm_);
}

at::Tensor T5EncoderImpl::position_bias(std::int64_t tokens) const {
  const at::Tensor position = at::arange(tokens, at::kLong);
  const at::Tensor buckets = relative_position_buckets(
      position.unsqueeze(0) - position.unsqueeze(1), config_.relative_attention_num_buckets,
      config_.relative_attention_max_distance);  // [T, T], query by key
  return relative_attention_bias_->forward(buckets.to(shared->weight.device()))
      .permute({2, 0, 1})
      .unsqueeze(0)
      .contiguous();  // [1, H, T, T]
}

at::Tensor T5EncoderImpl::forward(const at::Tensor& ids) const {
  const at::Tensor bias = position_bias(ids.size(1));
  at::Tensor x = shared->forward(ids);  // [B, T, D]
  for (const auto& block : blocks_) x = block->forward(x, bias);
  return final_layer_norm_->forward(x);
}

void load_t5(T5Encoder& encoder, TensorMap tensors, const at::TensorOptions& wanted,
             const std::string& source) {
  for (const std::string_view name : kIgnoredT5Keys) tensors.erase(std::string(name));
  adopt_weights(*encoder, std::move(tensors), wanted, source);
}

}  // namespace qingyin
