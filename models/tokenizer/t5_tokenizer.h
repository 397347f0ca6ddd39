#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace qingyin {

/// A text as T5 reads it.
struct T5Tokens {
  std::vector<std::int64_t> ids;  // the text, </s>, then padding up to the asked length
  std::int64_t used = 0;          // ids before the padding
  std::int64_t cut = 0;           // pieces of the text that did not fit
  std::string cut_text;           // what those pieces say
};

/// What "</s>", "<pad>", "<unk>" and "<extra_id_7>" within a text are.
enum class SpecialLiterals {
  kAsTokens,  // the token of that name, as in the reference pipelines
  kAsText,    // ordinary characters
};

/// T5's tokenizer: a sentencepiece unigram model, which also holds the normalisation of the text,
/// and after its pieces `extra_ids` sentinels, the last of which is "<extra_id_0>".
/// Source: transformers, models/t5/tokenization_t5.py (with `legacy`: the text on either side of a
/// special literal is a text of its own). Const calls may overlap.
class T5Tokenizer {
 public:
  static constexpr std::int64_t kPad = 0, kEnd = 1, kUnknown = 2;

  /// @param model   `spiece.model`
  /// @throws Error  kModelMissing if there is no such file; kBadCheckpoint if it is no
  /// sentencepiece
  ///                model, or one with other ids for padding, end and unknown
  explicit T5Tokenizer(const std::filesystem::path& model, std::int64_t extra_ids = 100);
  ~T5Tokenizer();

  /// Number of ids: pieces and sentinels.
  std::int64_t size() const;

  /// The pieces of a text, without end and padding.
  /// @throws Error kInvalidInput if the text is no UTF-8 or has over 100,000 bytes
  std::vector<std::int64_t> pieces(std::string_view text,
                                   SpecialLiterals literals = SpecialLiterals::kAsTokens) const;

  /// @param length  of the ids that are wanted, at least 1; a longer text is cut
  /// @throws Error  as `pieces`
  T5Tokens tokens(std::string_view text, std::int64_t length,
                  SpecialLiterals literals = SpecialLiterals::kAsTokens) const;

  /// The text of some pieces; sentinels, padding and ends are left out.
  std::string text_of(const std::vector<std::int64_t>& pieces) const;

 private:
  struct Model;
  std::unique_ptr<const Model> model_;
};

}  // namespace qingyin
