#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/events.h"
#include "core/media/clip.h"
#include "core/progress.h"
#include "pipeline/feature_cache.h"
#include "understanding/labels/label_plan.h"
#include "understanding/labels/label_set.h"
#include "understanding/visual_encoder.h"

namespace qingyin {

/// What the bundled engine has sounds and materials for, in a label list's terms.
LabelVocabulary label_vocabulary();

/// Names what sounds in a clip by CLIP, from a list of labels: zero-shot. Rows of labels and of
/// pictures are kept in a cache; in memory is one of CLIP's towers at a time, and only while
/// something is new. Calls may overlap; one waits for the other.
class Labeller {
 public:
  /// What was computed, and what was known from before.
  struct Facts {
    std::int64_t pictures_encoded = 0, pictures_cached = 0, texts_encoded = 0, texts_cached = 0;

    std::map<std::string, std::int64_t> by_name() const;
  };

  struct Outcome {
    Facts facts;
    std::vector<std::string> warnings;
  };

  /// @param models        what names were made by, with digests: for MadeBy
  /// @param most_glances  pictures of a clip that are looked at
  Labeller(std::unique_ptr<VisualEncoder> encoder, FeatureCache cache, LabelSet set,
           std::map<std::string, std::string> models, std::size_t most_glances);

  /// Part of a result's identity: list, networks and limit.
  std::string identity() const;

  /// Writes labels, captions and, where wished, ambience layers into a detected timeline.
  /// @param clip_sha256  of the clip's bytes
  /// @throws Error       kCancelled; kBadCheckpoint; as open_frames
  Outcome label(EventTimeline& timeline, const ClipInfo& clip, const std::string& clip_sha256,
                bool wants_ambience, const Progress& progress);

 private:
  FeatureTensor rows_of_labels(Facts& facts, const Progress& progress);
  std::vector<std::vector<float>> look(const LabelPlan& plan, const ClipInfo& clip,
                                       const std::string& clip_sha256, Facts& facts,
                                       const Progress& progress);

  std::mutex mutex_;
  std::unique_ptr<VisualEncoder> encoder_;
  FeatureCache cache_;
  LabelSet set_;
  std::map<std::string, std::string> models_;
  std::size_t most_glances_;
};

}  // namespace qingyin
