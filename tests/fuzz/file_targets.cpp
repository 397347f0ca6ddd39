#include <vector>

#include "core/media/audio_reader.h"
#include "core/media/frame_reader.h"
#include "models/checkpoint/pth.h"
#include "models/checkpoint/read_checkpoint.h"
#include "models/checkpoint/safetensors.h"
#include "tests/fuzz/support.h"
#include "tests/fuzz/targets.h"

namespace qingyin::fuzz {
namespace {

constexpr std::int64_t kMostFrames = 50;

}  // namespace

void safetensors(std::string_view bytes) {
  const ScratchFile scratch(bytes, ".safetensors");
  tolerate([&] {
    const SafetensorsFile file(scratch.path());
    std::uint64_t end = 0;
    for (const auto& tensor : file.tensors()) {
      require_that(tensor.offset >= end, "tensors overlap");
      end = tensor.offset + tensor.bytes;
      require_that(end <= bytes.size(), "a tensor reaches past the end");
      file.read(tensor);
    }
  });
}

void pth(std::string_view bytes) {
  const ScratchFile scratch(bytes, ".pth");
  tolerate([&] {
    const CheckpointFile file(scratch.path());
    const auto take = [](const std::string&, const StoredTensor& tensor) {
      std::uint64_t size = element_bytes(tensor.dtype);
      for (const auto side : tensor.shape) size *= static_cast<std::uint64_t>(side);
      require_that(size == tensor.bytes.size(), "a tensor's bytes do not fit its shape");
    };
    stream_pth(
        file, every_tensor, [](const Checkpoint&) {}, take);
  });
  tolerate([&] { read_pth_as_json(CheckpointFile(scratch.path())); });
}

void media(std::string_view bytes) {
  const ScratchFile scratch(bytes, "");
  MediaLimits limits;
  limits.max_pixels = 1 << 18;
  limits.max_frames = 2000;
  limits.no_progress = Seconds(10);
  tolerate([&] {
    const ClipInfo clip = probe(scratch.path(), limits);
    require_that(clip.duration.count() >= 0, "a clip of negative length");
    tolerate([&] {
      const auto frames = open_frames(clip, {.longest_side = 64}, limits);
      std::int64_t count = 0;
      for (auto frame = frames->next(); frame && count < kMostFrames; frame = frames->next()) {
        const auto size = frame->width * frame->height * frame->channels;
        require_that(size == static_cast<std::int64_t>(frame->pixels.size()), "a torn frame");
        ++count;
      }
    });
    if (!clip.audio_stream) return;
    std::vector<float> block(2 * 4800);
    const auto sound = open_audio(clip, limits);
    for (int i = 0; i < 10; ++i) sound->read(block);
  });
}

}  // namespace qingyin::fuzz
