#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/events.h"
#include "training/scenes/canvas.h"

namespace qingyin::training {

/// Something that moves in a simulated scene, and the sounds that its motion makes.
class Actor {
 public:
  virtual ~Actor() = default;
  /// Draws it as it stands at `time_s`.
  virtual void draw(Canvas& canvas, double time_s) const = 0;
  /// Adds what it makes heard within [0, duration_s].
  virtual void add_events(double duration_s, std::vector<SoundEvent>& events) const = 0;
};

struct SceneConfig {
  std::uint64_t seed = 0;
  int width = 1280, height = 720;  // 16:9
  FrameRate rate{30, 1};
  Seconds duration{8};
};

/// A short silent film of things that fall, strike and roll, with the truth about what sounds when.
/// The picture of a frame is a function of the config and the frame's number alone.
class Scene {
 public:
  /// @throws Error kUsage if the size is not 16:9, or the rate or the duration is not positive
  explicit Scene(const SceneConfig& config);
  ~Scene();

  const SceneConfig& config() const { return config_; }
  std::int64_t frames() const;
  /// sRGB, [height, width, 3], with the motion blur of a shutter that is open half of the time.
  std::vector<std::uint8_t> render(std::int64_t frame) const;
  /// What is heard: events sorted by onset, with positions and materials.
  EventTimeline truth() const;

 private:
  SceneConfig config_;
  Canvas backdrop_;
  std::vector<std::unique_ptr<Actor>> actors_;
};

}  // namespace qingyin::training
