#include "models/tokenizer/t5_tokenizer.h"

#include <sentencepiece_processor.h>

#include <algorithm>
#include <charconv>
#include <exception>
#include <optional>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "models/checkpoint/checkpoint_file.h"

namespace qingyin {
namespace {

constexpr std::uint64_t kLongestModel = 100'000'000;
constexpr std::size_t kLongestText = 100'000;

/// Where a special literal stands in a text, and its id.
struct Literal {
  std::size_t begin, length;
  std::int64_t id;
};

/// The number k of "<extra_id_k>" at the start of `text`, in its one spelling, and the length.
std::optional<std::pair<std::int64_t, std::size_t>> sentinel_at(std::string_view text) {
  constexpr std::string_view kPrefix = "<extra_id_";
  if (!text.starts_with(kPrefix)) return std::nullopt;
  const char* const begin = text.data() + kPrefix.size();
  const char* const end = text.data() + text.size();
  std::int64_t number = 0;
  const auto [after, error] = std::from_chars(begin, end, number);
  if (error != std::errc() || after == end || *after != '>' || number < 0) return std::nullopt;
  if (*begin == '0' && after - begin > 1) return std::nullopt;
  return std::pair(number, static_cast<std::size_t>(after + 1 - text.data()));
}

std::optional<Literal> next_literal(std::string_view text, std::size_t from, std::int64_t size,
                                    std::int64_t extra_ids) {
  constexpr std::pair<std::string_view, std::int64_t> kNamed[] = {
      {"<pad>", T5Tokenizer::kPad}, {"</s>", T5Tokenizer::kEnd}, {"<unk>", T5Tokenizer::kUnknown}};
  for (std::size_t at = text.find('<', from); at != text.npos; at = text.find('<', at + 1)) {
    const std::string_view rest = text.substr(at);
    for (const auto& [name, id] : kNamed)
      if (rest.starts_with(name)) return Literal{at, name.size(), id};
    const auto sentinel = sentinel_at(rest);
    if (sentinel && sentinel->first < extra_ids)
      return Literal{at, sentinel->second, size - 1 - sentinel->first};
  }
  return std::nullopt;
}

}  // namespace

struct T5Tokenizer::Model {
  sentencepiece::SentencePieceProcessor processor;
  std::int64_t extra_ids = 0;

  std::int64_t size() const { return processor.GetPieceSize() + extra_ids; }

  /// What is wrong with a model's bytes; empty: nothing. Beside its own statuses sentencepiece lets
  /// out what its trie throws (an empty piece, pieces out of order).
  std::string load(std::string_view bytes) {
    try {
      const auto status = processor.LoadFromSerializedProto({bytes.data(), bytes.size()});
      return status.ok() ? "" : status.ToString();
    } catch (const std::exception& error) {
      return error.what();
    }
  }

  void append(std::string_view text, std::vector<std::int64_t>& pieces) const {
    std::vector<int> ids;
    const auto status = processor.Encode({text.data(), text.size()}, &ids);
    require(status.ok(), ErrorCode::kInternal, "t5 tokenizer: " + status.ToString());
    pieces.insert(pieces.end(), ids.begin(), ids.end());
  }
};

T5Tokenizer::T5Tokenizer(const std::filesystem::path& path, std::int64_t extra_ids) {
  const CheckpointFile file(path);
  if (file.size() > kLongestModel)
    refuse_checkpoint(path, "is over 100 MB, too large for a tokenizer");
  const std::string bytes = file.read_text(0, file.size());
  const std::string_view kind = known_file_kind(std::string_view(bytes).substr(0, 512));
  if (!kind.empty())
    refuse_checkpoint(path, "is " + std::string(kind) + ", not a sentencepiece model");
  auto model = std::make_unique<Model>();
  const std::string defect = model->load(bytes);
  if (!defect.empty())
    refuse_checkpoint(path, "is not a sentencepiece model that can be used: " + defect);
  const auto& p = model->processor;
  if (p.pad_id() != kPad || p.eos_id() != kEnd || p.unk_id() != kUnknown)
    refuse_checkpoint(path, "has the ids " + std::to_string(p.pad_id()) + ", " +
                                std::to_string(p.eos_id()) + ", " + std::to_string(p.unk_id()) +
                                " for padding, end and unknown; T5's are 0, 1, 2");
  model->extra_ids = extra_ids;
  model_ = std::move(model);
}

T5Tokenizer::~T5Tokenizer() = default;

std::int64_t T5Tokenizer::size() const { return model_->size(); }

std::vector<std::int64_t> T5Tokenizer::pieces(std::string_view text,
                                              SpecialLiterals literals) const {
  require(text.size() <= kLongestText, ErrorCode::kInvalidInput,
          "t5 tokenizer: the text has " + std::to_string(text.size()) +
              " bytes, more than the 100,000 that are read; shorten it");
  require(is_utf8(text), ErrorCode::kInvalidInput,
          "t5 tokenizer: the text " + excerpt(text) + " is not UTF-8; convert it");
  std::vector<std::int64_t> found;
  std::size_t from = 0;
  while (literals == SpecialLiterals::kAsTokens) {
    const auto literal = next_literal(text, from, size(), model_->extra_ids);
    if (!literal) break;
    model_->append(text.substr(from, literal->begin - from), found);
    found.push_back(literal->id);
    from = literal->begin + literal->length;
  }
  model_->append(text.substr(from), found);
  return found;
}

T5Tokens T5Tokenizer::tokens(std::string_view text, std::int64_t length,
                             SpecialLiterals literals) const {
  require(length >= 1, ErrorCode::kInternal, "t5 tokenizer: a length below 1 was asked for");
  T5Tokens result;
  result.ids = pieces(text, literals);
  const auto room = static_cast<std::size_t>(length - 1);
  if (result.ids.size() > room) {
    const auto tail = result.ids.begin() + static_cast<std::ptrdiff_t>(room);
    result.cut = result.ids.end() - tail;
    result.cut_text = text_of({tail, result.ids.end()});
    result.ids.erase(tail, result.ids.end());
  }
  result.ids.push_back(kEnd);
  result.used = static_cast<std::int64_t>(result.ids.size());
  result.ids.resize(static_cast<std::size_t>(length), kPad);
  return result;
}

std::string T5Tokenizer::text_of(const std::vector<std::int64_t>& pieces) const {
  std::vector<int> known;
  for (const std::int64_t id : pieces)
    if (id > kEnd && id < model_->processor.GetPieceSize()) known.push_back(static_cast<int>(id));
  std::string text;
  const auto status = model_->processor.Decode(known, &text);
  require(status.ok(), ErrorCode::kInternal, "t5 tokenizer: " + status.ToString());
  return text;
}

}  // namespace qingyin
