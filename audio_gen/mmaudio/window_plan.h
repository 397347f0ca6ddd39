#pragma once

#include <cstdint>
#include <vector>

#include "audio_gen/mmaudio/sequence.h"
#include "core/time.h"

namespace qingyin::mmaudio {

/// Segments of the window that the networks have learnt: 8 s.
inline constexpr std::int64_t kWindowSegments = 24;

/// One evaluation of the flow network: a stretch of the clip, on the grid of Synchformer's
/// segments.
struct Window {
  std::int64_t first_segment, segments;
  std::int64_t first_picture, pictures;  // ticks of 1/8 s; the nearest to the segment's begin
  std::int64_t first_latent, latents;

  std::int64_t end_latent() const { return first_latent + latents; }
  bool operator==(const Window&) const = default;
};

/// Where the latents of two neighbouring windows change from one to the other: the earlier window
/// counts fully before `from`, the later one from `to` on.
struct Join {
  std::int64_t from, to;

  /// Weight of the earlier window at a latent.
  float earlier(std::int64_t latent) const;
  bool operator==(const Join&) const = default;
};

struct WindowPlan {
  std::vector<Window> windows;
  std::vector<Join> joins;  // one fewer than windows

  std::int64_t latents() const { return windows.back().end_latent(); }
};

/// Windows that cover a clip. A clip of up to 8 s is one window of the smallest number of segments
/// that covers it; a longer one has windows of 8 s that overlap by 0.96 s or more, if possible by a
/// stretch with a cut in it, and then change there. Windows begin where the segment's begin is at
/// most 0.16 latents (3.8 ms) off a latent's.
/// @param cuts  sorted
WindowPlan plan_windows(const SoundFormat& format, Seconds duration,
                        const std::vector<Seconds>& cuts);

/// Windows of 8 s without end, for sounds that go on: the one of number `index`, and the change
/// from it to the next.
Window endless_window(const SoundFormat& format, std::int64_t index);
Join endless_join(const SoundFormat& format, std::int64_t index);

}  // namespace qingyin::mmaudio
