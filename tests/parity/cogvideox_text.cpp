// The tokenizer and the text encoder of CogVideoX.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "models/t5/t5_encoder.h"
#include "models/tokenizer/t5_tokenizer.h"
#include "tests/parity/case_registry.h"
#include "tests/parity/cogvideox.h"
#include "tests/parity/key_manifest.h"
#include "tests/support/fixture.h"
#include "tests/support/near.h"

namespace qingyin::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

Json read_json(const fs::path& path) {
  std::ifstream in(path);
  return Json::parse(in);
}

struct TokenizerFixture {
  fs::path folder;
  Json content;

  T5Tokenizer tokenizer() const {
    return T5Tokenizer(folder / content.at("model").get<std::string>(),
                       content.at("extra_ids").get<std::int64_t>());
  }
};

/// The text as ids, without padding; checks the padding.
std::vector<std::int64_t> ids_of(const TokenizerFixture& f, const std::string& text,
                                 SpecialLiterals literals) {
  const auto length = f.content.at("max_length").get<std::int64_t>();
  T5Tokens tokens = f.tokenizer().tokens(text, length, literals);
  EXPECT_EQ(static_cast<std::int64_t>(tokens.ids.size()), length);
  for (std::int64_t i = tokens.used; i < length; ++i)
    EXPECT_EQ(tokens.ids.at(static_cast<std::size_t>(i)), f.content.at("pad")) << "at " << i;
  tokens.ids.resize(static_cast<std::size_t>(tokens.used));
  return tokens.ids;
}

void check_text(const TokenizerFixture& f, const Json& c) {
  const auto text = c.at("text").get<std::string>();
  const auto expected = c.at("ids").get<std::vector<std::int64_t>>();
  EXPECT_EQ(ids_of(f, text, SpecialLiterals::kAsTokens), expected);
  const auto pieces = f.tokenizer().pieces(text);
  EXPECT_EQ(pieces.size(), c.at("pieces").get<std::size_t>());
  const T5Tokens tokens =
      f.tokenizer().tokens(text, f.content.at("max_length").get<std::int64_t>());
  EXPECT_EQ(tokens.cut > 0, c.at("truncated").get<bool>());
  EXPECT_EQ(tokens.cut, static_cast<std::int64_t>(pieces.size() + 1 - expected.size()));
  EXPECT_EQ(tokens.cut_text,
            f.tokenizer().text_of(
                {pieces.end() - static_cast<std::ptrdiff_t>(tokens.cut), pieces.end()}));
}

void check_literals(const TokenizerFixture& f, const Json& c) {
  const auto text = c.at("text").get<std::string>();
  EXPECT_EQ(ids_of(f, text, SpecialLiterals::kAsTokens),
            c.at("transformers_ids").get<std::vector<std::int64_t>>());
  EXPECT_EQ(ids_of(f, text, SpecialLiterals::kAsText),
            c.at("sentencepiece_ids").get<std::vector<std::int64_t>>());
}

void register_tokenizer(const fs::path& folder, const fs::path& file) {
  const auto fixture = std::make_shared<const TokenizerFixture>(
      TokenizerFixture{.folder = folder, .content = read_json(folder / file)});
  const auto add = [&](const char* kind, const Json& cases, auto check) {
    for (std::size_t i = 0; i < cases.size(); ++i)
      register_case("cogvideox", file.stem().string() + "_" + kind + std::to_string(i),
                    [fixture, c = cases[i], check] { check(*fixture, c); });
  };
  add("text", fixture->content.at("cases"), check_text);
  add("literals", fixture->content.at("special_literals").at("cases"), check_literals);
}

void check_encoder(const fs::path& file, const std::string& name) {
  const Fixture fixture(file);
  T5Encoder encoder(read_t5_config(ConfigFile::parse(fixture.config().dump(), file)));
  load_t5(encoder, fixture.weights(), at::kFloat, file.string());
  const c10::InferenceMode inference;
  const at::Tensor ids = fixture.in(name + ".input_ids");
  const TensorMap mid = fixture.group("mid." + name);
  if (mid.contains("position_bias")) {
    EXPECT_TRUE(near(encoder->position_bias(ids.size(1)), mid.at("position_bias"), kExact));
  }
  EXPECT_TRUE(
      near(encoder->forward(ids), fixture.out(name + ".last_hidden_state"), kCogvideoxFloat32Cpu));
}

/// out.buckets_<buckets>_<max distance>
void check_buckets(const fs::path& file, const std::string& name) {
  const Fixture fixture(file);
  const std::size_t first = name.find('_'), second = name.rfind('_');
  const at::Tensor got = relative_position_buckets(
      fixture.in("relative_position"), std::stoll(name.substr(first + 1, second - first - 1)),
      std::stoll(name.substr(second + 1)));
  EXPECT_TRUE(near(got, fixture.out(name), kExact));
}

void register_t5(const fs::path& folder, const fs::path& file) {
  const Fixture fixture(folder / file);
  const std::string stem = file.stem().string();
  if (!fixture.weights().empty()) {
    const Json cases = fixture.metadata("cases");
    for (const auto& [name, unused] : cases.items())
      register_case("cogvideox", stem + "_" + name,
                    [path = folder / file, name = name] { check_encoder(path, name); });
    return;
  }
  for (const auto& [name, unused] : fixture.group("out"))
    register_case("cogvideox", stem + "_" + name,
                  [path = folder / file, name = name] { check_buckets(path, name); });
}

bool claims(const fs::path& relative) {
  const std::string name = relative.filename().string(), folder = relative.parent_path().string();
  if (folder == "tokenizer") return true;
  if (folder == "keys" || folder == "configs") return name.starts_with("t5");
  return folder.empty() && (name.starts_with("t5") || name.starts_with("tokenizer"));
}

void register_tests(const fs::path& folder, const std::vector<fs::path>& claimed) {
  for (const fs::path& file : claimed) {
    const std::string stem = file.stem().string();
    if (file.parent_path() == "keys") {
      register_case("cogvideox", "keys_" + stem, [folder, file, stem] {
        const auto config = read_t5_config(ConfigFile::read(folder / "configs" / (stem + ".json")));
        expect_manifest(*T5Encoder(config), folder / file);
      });
    } else if (file.parent_path().empty() && file.extension() == ".json") {
      register_tokenizer(folder, file);
    } else if (file.parent_path().empty()) {
      register_t5(folder, file);
    }
  }
}

}  // namespace

FamilyPart cogvideox_text() { return {.claims = claims, .register_tests = register_tests}; }

}  // namespace qingyin::test
