#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "audio_gen/whole_sound.h"
#include "core/media/clip.h"
#include "core/progress.h"
#include "pipeline/feature_cache.h"
#include "understanding/visual_encoder.h"

namespace qingyin {

/// How much of what an engine sees and reads was computed, and how much was known from before.
struct SightFacts {
  std::int64_t pictures_encoded = 0, pictures_cached = 0;
  std::int64_t segments_encoded = 0, segments_cached = 0;
  std::int64_t words_encoded = 0, words_cached = 0;
  bool is_cache_broken = false;  // it could not be written

  /// The counts by name, less those of an earlier time.
  std::map<std::string, std::int64_t> since(const SightFacts& earlier) const;
};

/// An engine's eyes: encoders behind a cache. Looking at a clip takes one pass over its frames for
/// each encoder that has something new to see; in memory is one encoder and 8 s of prepared frames.
/// Calls must not overlap.
class Sight : public WordReader {
 public:
  Sight(std::unique_ptr<VisualEncoder> encoder, FeatureCache cache);
  ~Sight() override;

  FeatureTensor read(const std::string& words) override;
  void rest() override;

  /// Looks at whatever is needed and not in the cache.
  /// @param clip_sha256  of the clip's bytes
  /// @throws Error       kCancelled; as open_frames
  std::unique_ptr<ClipSenses> look_at(const ClipInfo& clip, const std::string& clip_sha256,
                                      const SightNeed& need, const Progress& progress);

  const SightFacts& facts() const { return facts_; }

 private:
  friend class Look;
  std::optional<FeatureTensor> find(const std::string& key) const;
  void keep(const std::string& key, FeatureTensor features);

  std::unique_ptr<VisualEncoder> encoder_;
  FeatureCache cache_;
  std::map<std::string, FeatureTensor> unsaved_;  // what the cache could not take
  SightFacts facts_;
};

}  // namespace qingyin
