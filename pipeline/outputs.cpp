#include "pipeline/outputs.h"

#include <system_error>
#include <utility>

#include "core/dsp/audio_file.h"
#include "core/error.h"
#include "core/media/muxer.h"
#include "core/sha256.h"
#include "core/text.h"
#include "sync/stem_writer.h"

namespace qingyin {
namespace fs = std::filesystem;

namespace {

class ClipSink : public SoundSink {
 public:
  explicit ClipSink(const MixTarget& wanted)
      : target_(wanted.target),
        muxer_(open_muxer(*wanted.clip, {.target = wanted.target,
                                         .overwrite = wanted.overwrite,
                                         .keep_original_audio_tracks = wanted.keeps_own_tracks,
                                         .metadata = {}})) {}

  void write(std::span<const float> mix, const StemBlock&) override { muxer_->write(mix); }
  void finish() override { muxer_->finish(); }
  std::vector<ReportFile> files() const override {
    return {{"mix", target_, sha256_of_file(target_)}};
  }

 private:
  fs::path target_;
  std::unique_ptr<Muxer> muxer_;
};

class FileSink : public SoundSink {
 public:
  explicit FileSink(const MixTarget& wanted)
      : target_(wanted.target),
        channels_(wanted.channels),
        writer_(wanted.target, kOutputRateHz, wanted.channels, SampleFormat::kPcm24,
                wanted.overwrite) {}

  void write(std::span<const float> mix, const StemBlock&) override {
    if (channels_ == 2) return writer_.write(mix);
    std::vector<float> left(mix.size() / 2);
    for (std::size_t n = 0; n < left.size(); ++n) left[n] = mix[2 * n];
    writer_.write(left);
  }
  void finish() override { writer_.finish(); }
  std::vector<ReportFile> files() const override {
    return {{"mix", target_, sha256_of_file(target_)}};
  }

 private:
  fs::path target_;
  int channels_;
  AudioFileWriter writer_;
};

class StemSink : public SoundSink {
 public:
  StemSink(const fs::path& folder, const std::vector<std::string>& lanes, Overwrite overwrite)
      : writer_(folder, lanes, overwrite) {}

  void write(std::span<const float> mix, const StemBlock& stems) override {
    writer_.write(mix, stems);
  }
  void finish() override { writer_.finish(); }
  std::vector<ReportFile> files() const override {
    std::vector<ReportFile> files;
    for (const auto& path : writer_.files()) files.push_back({"stem", path, sha256_of_file(path)});
    return files;
  }

 private:
  StemWriter writer_;
};

void require_free(const fs::path& path) {
  std::error_code error;
  if (path.empty() || !fs::exists(fs::symlink_status(path, error))) return;
  throw Error(ErrorCode::kIo,
              printable(path) +
                  " exists already, and was not made from this input with these "
                  "settings; give --overwrite, --keep-both or another name with -o",
              "exists");
}

}  // namespace

std::unique_ptr<SoundSink> open_mix(const MixTarget& wanted) {
  if (is_sound_file(wanted.target)) return std::make_unique<FileSink>(wanted);
  if (wanted.clip) return std::make_unique<ClipSink>(wanted);
  throw Error(ErrorCode::kUsage,
              "cannot write " + printable(wanted.target) +
                  ": without a clip there is only sound; give a name that ends in .wav or .flac",
              "no_clip");
}

std::unique_ptr<SoundSink> open_stems(const fs::path& folder, const std::vector<std::string>& lanes,
                                      Overwrite overwrite) {
  return std::make_unique<StemSink>(folder, lanes, overwrite);
}

bool is_sound_file(const fs::path& path) {
  return path.extension() == ".wav" || path.extension() == ".flac";
}

const fs::path& main_output(const OutputRequest& request) {
  return request.mix.empty() ? request.stems : request.mix;
}

void check_outputs(const OutputRequest& request) {
  require(!main_output(request).empty(), ErrorCode::kUsage,
          "no output is named; give a file with -o or a folder with --stems");
  if (request.overwrite == Overwrite::kYes) return;
  require_free(request.mix);
  require_free(request.timeline);
  require_free(report_path(main_output(request)));
  if (!request.stems.empty()) require_free(request.stems / "mix.wav");
}

}  // namespace qingyin
