#include "understanding/visual_encoder.h"

#include <ATen/Parallel.h>

#include <optional>
#include <utility>

#include "understanding/visual_networks.h"

namespace qingyin {
namespace {

class MmaudioEncoder : public VisualEncoder {
 public:
  MmaudioEncoder(MmaudioVisualFiles files, MmaudioVisualOptions options, int threads)
      : files_(std::move(files)), options_(std::move(options)), threads_(threads) {}

  std::string identity(Part part) const override {
    std::string text = "mmaudio-visual/1 ";
    text += options_.precision == FeaturePrecision::kBFloat16 ? "bfloat16 " : "float32 ";
    if (part == Part::kMotion) return text + file_identity(files_.synchformer);
    text += file_identity(files_.clip);
    return part == Part::kPictures ? text : text + " " + file_identity(files_.vocabulary);
  }

  FeatureTensor pictures(std::span<const PreparedPicture> pictures,
                         const Progress& progress) override {
    return loaded(Part::kPictures).of_pictures(pictures, progress);
  }

  FeatureTensor motion(std::span<const PreparedPicture> frames, const Progress& progress) override {
    return loaded(Part::kMotion).of_frames(frames, progress);
  }

  FeatureTensor words(std::string_view text) override {
    return loaded(Part::kWords).of_prompt(text);
  }

  FeatureTensor texts(std::span<const std::string> texts, const Progress& progress) override {
    return loaded(Part::kWords).in_picture_space(texts, progress);
  }

  double logit_scale() override { return loaded(Part::kWords).logit_scale(); }

  void release() override { encoder_.reset(); }

 private:
  MmaudioVisualEncoder& loaded(Part part) {
    use_threads(threads_);
    if (!encoder_ || part_ != part) {
      encoder_.reset();
      encoder_.emplace(files_,
                       MmaudioVisualParts{.pictures = part == Part::kPictures,
                                          .motion = part == Part::kMotion,
                                          .text = part == Part::kWords},
                       options_);
      part_ = part;
    }
    return *encoder_;
  }

  MmaudioVisualFiles files_;
  MmaudioVisualOptions options_;
  int threads_;
  std::optional<MmaudioVisualEncoder> encoder_;
  Part part_ = Part::kPictures;
};

}  // namespace

std::unique_ptr<VisualEncoder> make_mmaudio_encoder(const MmaudioVisualFiles& files,
                                                    const MmaudioVisualOptions& options,
                                                    int threads) {
  return std::make_unique<MmaudioEncoder>(files, options, threads);
}

void use_threads(int count) {
  if (at::get_num_threads() != count) at::set_num_threads(count);
}

}  // namespace qingyin
