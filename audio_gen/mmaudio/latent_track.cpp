#include "audio_gen/mmaudio/latent_track.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "core/error.h"
#include "core/philox.h"
#include "core/text.h"
#include "models/checkpoint/read_checkpoint.h"

namespace qingyin::mmaudio {
namespace {

constexpr std::uint64_t kNoiseStream = 0x6d6d6175;  // apart from all other uses of a seed
constexpr const char* kNoiseTensor = "noise";

std::string text_of(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t size : shape) text += (text.empty() ? "" : ", ") + std::to_string(size);
  return "[" + text + "]";
}

}  // namespace

NoiseSource noise_of_seed(std::uint64_t seed, std::int64_t channels) {
  return [seed, channels](std::int64_t first, std::int64_t count) {
    std::vector<float> noise(static_cast<std::size_t>(count * channels));
    Philox(seed, kNoiseStream).normal(noise, static_cast<std::uint64_t>(first * channels));
    return noise;
  };
}

NoiseSource noise_of_file(const std::string& path, std::int64_t latents, std::int64_t channels) {
  const Checkpoint file = read_checkpoint(path);
  const auto found = file.tensors.find(kNoiseTensor);
  const std::string wanted = "a float32 tensor \"noise\" of shape [" + std::to_string(latents) +
                             " or more, " + std::to_string(channels) + "]";
  require(found != file.tensors.end(), ErrorCode::kUsage,
          printable(path) + ": has no tensor \"noise\"; expected " + wanted);
  const StoredTensor& tensor = found->second;
  std::vector<std::int64_t> shape = tensor.shape;
  if (shape.size() == 3 && shape.front() == 1) shape.erase(shape.begin());
  const bool fits = tensor.dtype == DType::kF32 && shape.size() == 2 && shape[0] >= latents &&
                    shape[1] == channels;
  require(fits, ErrorCode::kUsage,
          printable(path) + ": \"noise\" has the shape " + text_of(tensor.shape) + ", expected " +
              wanted);
  auto values = std::make_shared<std::vector<float>>(tensor.bytes.size() / sizeof(float));
  std::memcpy(values->data(), tensor.bytes.data(), values->size() * sizeof(float));
  return [values, channels](std::int64_t first, std::int64_t count) {
    const auto begin = values->begin() + first * channels;
    require((first + count) * channels <= std::ssize(*values), ErrorCode::kInternal,
            "MMAudio: the initial noise is too short");
    return std::vector<float>(begin, begin + count * channels);
  };
}

std::int64_t LatentTrack::end() const {
  return first_ + std::ssize(track_) / networks_.config().sound.latents;
}

std::span<const float> LatentTrack::latents(std::int64_t first, std::int64_t count) const {
  const std::int64_t channels = networks_.config().sound.latents;
  return std::span(track_).subspan(static_cast<std::size_t>((first - first_) * channels),
                                   static_cast<std::size_t>(count * channels));
}

void LatentTrack::drop_before(std::int64_t latent) {
  const std::int64_t count = std::clamp<std::int64_t>(latent - first_, 0, end() - first_);
  track_.erase(track_.begin(), track_.begin() + count * networks_.config().sound.latents);
  first_ += count;
}

void LatentTrack::add(const Window& window, const WindowConditions& conditions,
                      const Join& join_before, std::int64_t after, const Progress& progress) {
  const std::int64_t channels = networks_.config().sound.latents;
  const std::int64_t before = trace_first_ + trace_count_ - window.first_latent;  // of overlap
  std::vector<float> trace(static_cast<std::size_t>(settings_.steps * after * channels));
  const auto follow = [&](std::int64_t done, std::span<float> x) {
    const float* const old = trace_.data() + (done - 1) * trace_count_ * channels;
    for (std::int64_t i = 0; i < before; ++i) {
      const float weight = join_before.earlier(window.first_latent + i);
      const std::int64_t from = (window.first_latent - trace_first_ + i) * channels;
      for (std::int64_t c = 0; c < channels; ++c) {
        float& value = x[static_cast<std::size_t>(i * channels + c)];
        value += weight * (old[from + c] - value);
      }
    }
    const auto tail = x.last(static_cast<std::size_t>(after * channels));
    std::ranges::copy(tail, trace.begin() + (done - 1) * after * channels);
    const double fraction = static_cast<double>(done) / static_cast<double>(settings_.steps);
    return !progress || progress("sampling", fraction);
  };
  const auto made =
      networks_.sample(noise_(window.first_latent, window.latents), conditions, settings_, follow);
  if (track_.empty()) first_ = window.first_latent;
  track_.resize(static_cast<std::size_t>((window.first_latent - first_) * channels));
  track_.insert(track_.end(), made.begin(), made.end());
  trace_ = std::move(trace);
  trace_count_ = after;
  trace_first_ = window.end_latent() - after;
}

}  // namespace qingyin::mmaudio
