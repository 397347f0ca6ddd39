#include "core/media/isolation/isolated.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "core/media/isolation/media_child.h"

namespace qingyin::media {
namespace {

WireWriter begin(const std::filesystem::path& path, const MediaLimits& limits) {
  WireWriter request;
  request.text(path.native());
  put(request, limits);
  return request;
}

class IsolatedFrames final : public FrameReader {
 public:
  IsolatedFrames(const ClipInfo& clip, const FrameRequest& request, const MediaLimits& limits)
      : clip_(clip), request_(request), child_(clip.path, {}, limits) {
    WireWriter message = begin(clip.path, limits);
    put(message, clip);
    put(message, request);
    child_.send(Word::kFrames, message.bytes());
  }

  const ClipInfo& clip() const override { return clip_; }
  std::vector<std::string> warnings() const override { return warnings_; }

  std::optional<Frame> next() override {
    if (ended_) return std::nullopt;
    const Word word = child_.receive(body_);
    WireReader reader(body_);
    if (word == Word::kFrame) {
      if (++count_ > child_.limits().max_frames) refuse_message();
      return get_frame(reader, request_, child_.limits());
    }
    if (word != Word::kEnd) refuse_message();
    warnings_ = clean_texts(reader);
    ended_ = true;
    return std::nullopt;
  }

 private:
  ClipInfo clip_;
  FrameRequest request_;
  MediaChild child_;
  std::string body_;
  std::vector<std::string> warnings_;
  std::int64_t count_ = 0;
  bool ended_ = false;
};

class IsolatedAudio final : public AudioReader {
 public:
  IsolatedAudio(const ClipInfo& clip, const MediaLimits& limits) : child_(clip.path, {}, limits) {
    WireWriter message = begin(clip.path, limits);
    put(message, clip);
    child_.send(Word::kSound, message.bytes());
    // A track that cannot be decoded is refused here, not in the middle.
    fetch();
  }

  void read(std::span<float> interleaved) override {
    while (!interleaved.empty()) {
      if (taken_ == block_.size()) fetch();
      const std::size_t count = std::min(interleaved.size(), block_.size() - taken_);
      std::copy_n(block_.data() + taken_, count, interleaved.data());
      taken_ += count;
      interleaved = interleaved.subspan(count);
    }
  }

 private:
  void fetch() {
    child_.expect(Word::kSoundBlock, body_, child_.patience_for_file());
    if (body_.empty() || body_.size() % sizeof(float) != 0) refuse_message();
    block_.resize(body_.size() / sizeof(float));
    std::memcpy(block_.data(), body_.data(), body_.size());
    // A sound that is no number would spoil everything that it is mixed with.
    for (float& value : block_) {
      if (!std::isfinite(value)) value = 0;
    }
    taken_ = 0;
  }

  MediaChild child_;
  std::string body_;
  std::vector<float> block_;
  std::size_t taken_ = 0;
};

class IsolatedCopy final : public CopyWriter {
 public:
  IsolatedCopy(const ClipInfo& clip, const MuxRequest& request,
               const std::filesystem::path& temporary)
      : child_(clip.path, temporary, MediaLimits{}) {
    WireWriter message = begin(clip.path, child_.limits());
    put(message, clip);
    put(message, request);
    message.text(temporary.native());
    child_.send(Word::kMux, message.bytes());
    std::string body;
    child_.expect(Word::kOpened, body, child_.patience_for_file());
    WireReader reader(body);
    length_ = reader.number<std::int64_t>();
    notes_ = clean_texts(reader);
    if (length_ != samples_for(clip.duration, 48000)) refuse_message();
  }

  std::int64_t length() const override { return length_; }
  std::vector<std::string> notes() const override { return notes_; }

  void write(std::span<const float> interleaved) override {
    std::string body(interleaved.size_bytes(), '\0');
    std::memcpy(body.data(), interleaved.data(), body.size());
    child_.send(Word::kSamples, body);
  }

  void finish() override {
    child_.send(Word::kFinish, "");
    std::string body;
    // The check decodes all of the sound.
    child_.expect(Word::kDone, body,
                  child_.patience_for_file() + Seconds(static_cast<double>(length_) / 48000));
  }

 private:
  MediaChild child_;
  std::int64_t length_ = 0;
  std::vector<std::string> notes_;
};

}  // namespace

ClipInfo probe_isolated(const std::filesystem::path& path, const MediaLimits& limits) {
  MediaChild child(path, {}, limits);
  child.send(Word::kProbe, begin(path, limits).bytes());
  std::string body;
  child.expect(Word::kClip, body, child.patience_for_file());
  WireReader reader(body);
  ClipInfo clip = get_clip(reader, limits);
  clip.path = path;
  clip.isolated = true;
  return clip;
}

std::unique_ptr<FrameReader> open_isolated_frames(const ClipInfo& clip, const FrameRequest& request,
                                                  const MediaLimits& limits) {
  return std::make_unique<IsolatedFrames>(clip, request, limits);
}

std::unique_ptr<AudioReader> open_isolated_audio(const ClipInfo& clip, const MediaLimits& limits) {
  return std::make_unique<IsolatedAudio>(clip, limits);
}

std::unique_ptr<CopyWriter> open_isolated_copy(const ClipInfo& clip, const MuxRequest& request,
                                               const std::filesystem::path& temporary) {
  return std::make_unique<IsolatedCopy>(clip, request, temporary);
}

}  // namespace qingyin::media
