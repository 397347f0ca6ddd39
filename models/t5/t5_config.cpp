#include "models/t5/t5_config.h"

#include "core/text.h"

namespace qingyin {

T5Config t5_v1_1_xxl() {
  return {.vocab_size = 32128,
          .d_model = 4096,
          .d_kv = 64,
          .d_ff = 10240,
          .num_layers = 24,
          .num_heads = 64};
}

std::vector<std::string> problems(const T5Config& c) {
  std::vector<std::string> found;
  const auto at_least = [&](const char* name, std::int64_t value, std::int64_t least,
                            std::int64_t most) {
    if (value < least || value > most)
      found.emplace_back(std::string(name) + " is " + std::to_string(value) + ", expected " +
                         std::to_string(least) + " to " + std::to_string(most));
  };
  constexpr std::int64_t kWidest = 1 << 20;
  at_least("vocab_size", c.vocab_size, 3, 1 << 24);
  at_least("d_model", c.d_model, 1, kWidest);
  at_least("d_kv", c.d_kv, 1, kWidest);
  at_least("d_ff", c.d_ff, 1, kWidest);
  at_least("num_layers", c.num_layers, 1, 1000);
  at_least("num_heads", c.num_heads, 1, kWidest);
  at_least("relative_attention_num_buckets", c.relative_attention_num_buckets, 4, kWidest);
  at_least("relative_attention_max_distance", c.relative_attention_max_distance,
           c.relative_attention_num_buckets / 4 + 1, kWidest);
  if (c.relative_attention_num_buckets % 4 != 0)
    found.emplace_back("relative_attention_num_buckets is not a multiple of 4");
  if (!(c.layer_norm_epsilon > 0)) found.emplace_back("layer_norm_epsilon is not above 0");
  return found;
}

T5Config read_t5_config(const ConfigFile& file) {
  const T5Config config{
      .vocab_size = file.integer("vocab_size"),
      .d_model = file.integer("d_model"),
      .d_kv = file.integer("d_kv"),
      .d_ff = file.integer("d_ff"),
      .num_layers = file.integer("num_layers"),
      .num_heads = file.integer("num_heads"),
      .relative_attention_num_buckets = file.integer("relative_attention_num_buckets", 32),
      .relative_attention_max_distance = file.integer("relative_attention_max_distance", 128),
      .layer_norm_epsilon = file.number("layer_norm_epsilon", 1e-6)};
  std::vector<std::string> found = problems(config);
  const std::string kind = file.text("feed_forward_proj", "relu");
  if (kind != "gated-gelu")
    found.emplace_back("feed_forward_proj is " + excerpt(kind) +
                       ", expected \"gated-gelu\" (T5 v1.1)");
  std::string text;
  for (const std::string& problem : found) text += (text.empty() ? "" : "; ") + problem;
  if (!text.empty()) file.refuse(text);
  return config;
}

}  // namespace qingyin
