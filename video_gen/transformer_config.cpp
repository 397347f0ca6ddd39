#include "video_gen/transformer_config.h"

#include "core/text.h"

namespace qingyin {

CogTransformerConfig cogvideox_2b() {
  return {.num_layers = 30,
          .num_attention_heads = 30,
          .in_channels = 16,
          .use_rotary_positional_embeddings = false};
}

CogTransformerConfig cogvideox_5b() {
  return {.num_layers = 42, .num_attention_heads = 48, .in_channels = 16};
}

CogTransformerConfig cogvideox_5b_i2v() {
  return {.num_layers = 42,
          .num_attention_heads = 48,
          .in_channels = 32,
          .use_learned_positional_embeddings = true};
}

CogTransformerConfig cogvideox_15_5b() {
  return {.num_layers = 42,
          .num_attention_heads = 48,
          .in_channels = 16,
          .patch_size_t = 2,
          .patch_bias = false,
          .sample_height = 96,
          .sample_width = 170,
          .sample_frames = 81};
}

CogTransformerConfig cogvideox_15_5b_i2v() {
  CogTransformerConfig config = cogvideox_15_5b();
  config.in_channels = 32;
  config.ofs_embed_dim = 512;
  return config;
}

namespace {

void find_bad_sizes(const CogTransformerConfig& c, std::vector<std::string>& found) {
  const auto within = [&](const char* name, std::int64_t value, std::int64_t most) {
    if (value < 1 || value > most)
      found.emplace_back(std::string(name) + " is " + std::to_string(value) + ", expected 1 to " +
                         std::to_string(most));
  };
  within("num_layers", c.num_layers, 1000);
  within("num_attention_heads", c.num_attention_heads, 1024);
  within("attention_head_dim", c.attention_head_dim, 1024);
  within("in_channels", c.in_channels, 1024);
  within("out_channels", c.out_channels, 1024);
  within("patch_size", c.patch_size, 16);
  if (c.patch_size_t != 0) within("patch_size_t", c.patch_size_t, 16);
  within("sample_height", c.sample_height, 4096);
  within("sample_width", c.sample_width, 4096);
  within("sample_frames", c.sample_frames, 1 << 16);
  within("temporal_compression_ratio", c.temporal_compression_ratio, 64);
  within("text_embed_dim", c.text_embed_dim, 1 << 16);
  within("max_text_seq_length", c.max_text_seq_length, 1 << 16);
  within("time_embed_dim", c.time_embed_dim, 1 << 16);
}

}  // namespace

std::vector<std::string> problems(const CogTransformerConfig& c) {
  std::vector<std::string> found;
  find_bad_sizes(c, found);
  if (!found.empty()) return found;  // the other rules compute with these
  if (c.ofs_embed_dim != 0 && c.ofs_embed_dim != c.time_embed_dim)
    found.emplace_back("ofs_embed_dim is neither absent nor equal to time_embed_dim");
  if (c.use_rotary_positional_embeddings && c.attention_head_dim % 16 != 0)
    found.emplace_back("attention_head_dim is not a multiple of 16, as rotary positions need");
  if (!c.use_rotary_positional_embeddings && c.width() % 16 != 0)
    found.emplace_back(
        "heads times head width is not a multiple of 16, as the position table needs");
  if (c.use_learned_positional_embeddings && c.patch_size_t != 0)
    found.emplace_back("use_learned_positional_embeddings does not go with patch_size_t");
  if (c.use_learned_positional_embeddings && !c.use_rotary_positional_embeddings)
    found.emplace_back(
        "use_learned_positional_embeddings does not go without "
        "use_rotary_positional_embeddings");
  if (c.width() % 2 != 0) found.emplace_back("heads times head width is odd");
  if (!(c.spatial_interpolation_scale > 0) || !(c.temporal_interpolation_scale > 0))
    found.emplace_back("an interpolation scale is not above 0");
  if (!(c.norm_eps > 0)) found.emplace_back("norm_eps is not above 0");
  return found;
}

namespace {

/// Fields that change the network and have one value in all published models.
void find_unsupported(const ConfigFile& f, std::vector<std::string>& found) {
  const auto only = [&](const char* key, const char* wanted) {
    const std::string value = f.text(key, wanted);
    if (value != wanted)
      found.emplace_back(std::string(key) + " is " + excerpt(value) + ", expected " + wanted);
  };
  only("activation_fn", "gelu-approximate");
  only("timestep_activation_fn", "silu");
  if (!f.boolean("norm_elementwise_affine", true))
    found.emplace_back("norm_elementwise_affine is false, expected true");
}

}  // namespace

CogTransformerConfig read_transformer_config(const ConfigFile& f) {
  const CogTransformerConfig config{
      .num_layers = f.integer("num_layers"),
      .num_attention_heads = f.integer("num_attention_heads"),
      .attention_head_dim = f.integer("attention_head_dim", 64),
      .in_channels = f.integer("in_channels", 16),
      .out_channels = f.integer("out_channels", 16),
      .patch_size = f.integer("patch_size", 2),
      .patch_size_t = f.integer("patch_size_t", 0),
      .patch_bias = f.boolean("patch_bias", true),
      .sample_height = f.integer("sample_height", 60),
      .sample_width = f.integer("sample_width", 90),
      .sample_frames = f.integer("sample_frames", 49),
      .temporal_compression_ratio = f.integer("temporal_compression_ratio", 4),
      .text_embed_dim = f.integer("text_embed_dim", 4096),
      .max_text_seq_length = f.integer("max_text_seq_length", 226),
      .time_embed_dim = f.integer("time_embed_dim", 512),
      .ofs_embed_dim = f.integer("ofs_embed_dim", 0),
      .use_rotary_positional_embeddings = f.boolean("use_rotary_positional_embeddings", false),
      .use_learned_positional_embeddings = f.boolean("use_learned_positional_embeddings", false),
      .spatial_interpolation_scale = f.number("spatial_interpolation_scale", 1.875),
      .temporal_interpolation_scale = f.number("temporal_interpolation_scale", 1.0),
      .attention_bias = f.boolean("attention_bias", true),
      .flip_sin_to_cos = f.boolean("flip_sin_to_cos", true),
      .freq_shift = f.number("freq_shift", 0),
      .norm_eps = f.number("norm_eps", 1e-5)};
  std::vector<std::string> found = problems(config);
  find_unsupported(f, found);
  std::string text;
  for (const std::string& problem : found) text += (text.empty() ? "" : "; ") + problem;
  if (!text.empty()) f.refuse(text);
  return config;
}

}  // namespace qingyin
