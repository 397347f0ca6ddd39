#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/events.h"
#include "models/visual_features.h"
#include "understanding/labels/label_plan.h"
#include "understanding/labels/label_set.h"

namespace qingyin {

/// A label of a set, and how likely it is among those of its kind.
struct LabelGuess {
  std::size_t label;
  double score;
};

/// The texts that stand for a set's labels, `kTextsPerLabel` in a row for each.
std::vector<std::string> texts_of(const LabelSet& set);
inline constexpr std::size_t kTextsPerLabel = 2;

/// One row for each label from the rows of its texts: their mean, of length `logit_scale`, so that
/// a scalar product with a picture's row is CLIP's logit.
/// @param texts  [kTextsPerLabel n, E], each of length 1
/// @return       [n, E]
FeatureTensor label_rows(const FeatureTensor& texts, double logit_scale);

/// The likeliest labels of a kind, most likely first: softmax over the kind of the scalar products
/// of a label's row with the mean of the pictures' rows, which is brought to length 1.
/// @param rows      [n, E] of `label_rows`
/// @param pictures  [m, E], m at least 1, each of length 1
std::vector<LabelGuess> likeliest(const LabelSet& set, const FeatureTensor& rows,
                                  std::span<const std::vector<float>> pictures, LabelKind kind,
                                  std::size_t count);

/// Writes what was guessed into a timeline. All guesses go to `labels`. Where the first is sure
/// enough, its caption goes to the events, and its sound and material to those that the motion has
/// no name of its own for; an ambience becomes a layer, neighbouring shots of one ambience one
/// layer.
/// @param guesses  for each target of the plan
void write_labels(const LabelSet& set, const LabelPlan& plan,
                  std::span<const std::vector<LabelGuess>> guesses, EventTimeline& timeline);

}  // namespace qingyin
