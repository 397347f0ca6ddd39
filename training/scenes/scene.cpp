#include "training/scenes/scene.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/error.h"
#include "core/event_io.h"
#include "core/philox.h"
#include "training/scenes/actors.h"

namespace qingyin::training {
namespace {

constexpr double kFloorY = 8.0;   // world units; the picture is 9 high
constexpr int kShutterSteps = 4;  // pictures that are averaged into one

/// Smooth noise in [0, 1] on a grid of `cell` pixels, one value per pixel.
std::vector<float> smooth_noise(int width, int height, int cell, const Philox& random) {
  std::vector<float> out(static_cast<std::size_t>(width) * height);
  const int columns = width / cell + 2;
  const auto grid = [&](int x, int y) {
    return random.uniform(static_cast<std::uint64_t>(y) * columns + x);
  };
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const int gx = x / cell, gy = y / cell;
      const float fx = static_cast<float>(x % cell) / cell,
                  fy = static_cast<float>(y % cell) / cell;
      const float sx = fx * fx * (3 - 2 * fx), sy = fy * fy * (3 - 2 * fy);
      const float top = grid(gx, gy) * (1 - sx) + grid(gx + 1, gy) * sx;
      const float low = grid(gx, gy + 1) * (1 - sx) + grid(gx + 1, gy + 1) * sx;
      out[static_cast<std::size_t>(y) * width + x] = top * (1 - sy) + low * sy;
    }
  return out;
}

/// sRGB code of a linear value, by a table of 4096 steps.
std::uint8_t to_srgb(float linear) {
  static const auto table = [] {
    std::array<std::uint8_t, 4096> codes{};
    for (std::size_t i = 0; i < codes.size(); ++i) {
      const double v = static_cast<double>(i) / (codes.size() - 1);
      const double encoded = v <= 0.0031308 ? 12.92 * v : 1.055 * std::pow(v, 1 / 2.4) - 0.055;
      codes[i] = static_cast<std::uint8_t>(std::lround(255 * encoded));
    }
    return codes;
  }();
  return table[static_cast<std::size_t>(std::clamp(linear, 0.0F, 1.0F) * 4095 + 0.5F)];
}

std::vector<std::unique_ptr<Actor>> draw_actors(std::uint64_t seed, double duration_s) {
  const Philox random(seed, derive_seed(seed, "actors"));
  std::uint64_t drawn = 0;
  const auto between = [&](double low, double high) {
    return low + (high - low) * random.uniform(drawn++);
  };
  std::vector<std::unique_ptr<Actor>> actors;
  actors.push_back(make_rolling_ball({.from = {1.2, 2.2},
                                      .to = {7.5, 2.2},
                                      .radius = 0.45,
                                      .start_s = between(0.55, 0.7) * duration_s,
                                      .end_s = between(0.85, 0.95) * duration_s,
                                      .material = "wood",
                                      .color = {0.5F, 0.3F, 0.12F}}));
  actors.push_back(make_bouncing_ball({.x = between(2.5, 3.5),
                                       .floor_y = kFloorY,
                                       .height = between(3.2, 4.2),
                                       .radius = 0.55,
                                       .restitution = between(0.62, 0.76),
                                       .drifts_per_s = between(0.2, 0.6),
                                       .start_s = between(0.3, 0.6),
                                       .material = "wood",
                                       .color = {0.75F, 0.12F, 0.08F}}));
  Hammer hammer{.pivot = {14.6, 6.24},
                .length = 2.9,
                .strikes_s = {},
                .force = {},
                .material = "metal",
                .block = {0.22F, 0.24F, 0.28F}};
  for (double time = between(1.2, 1.8); time < duration_s - 0.4; time += between(0.75, 1.5)) {
    hammer.strikes_s.push_back(time);
    hammer.force.push_back(between(0, 1));
  }
  actors.push_back(make_hammer(hammer));
  return actors;
}

}  // namespace

Scene::Scene(const SceneConfig& config)
    : config_(config),
      backdrop_(config.width, config.height),
      actors_(draw_actors(config.seed, config.duration.count())) {
  require(config.width > 0 && config.width * 9 == config.height * 16, ErrorCode::kUsage,
          "scene: the size must be 16:9, for instance 1280x720");
  require(config.rate.num > 0 && config.duration > Seconds(0), ErrorCode::kUsage,
          "scene: the frame rate and the duration must be positive");
  const Philox coarse(config.seed, derive_seed(config.seed, "backdrop"));
  const Philox fine(config.seed, derive_seed(config.seed, "grain"));
  const auto patches = smooth_noise(config.width, config.height, config.width / 40, coarse);
  const auto grain = smooth_noise(config.width, config.height, 4, fine);
  std::size_t at = 0;
  backdrop_.fill([&](Point p) {
    const float texture = 0.8F + 0.24F * patches[at] + 0.16F * grain[at];
    ++at;
    const Color base = p.y < kFloorY ? Color{0.32F, 0.36F, 0.4F} : Color{0.2F, 0.16F, 0.13F};
    return Color{base.red * texture, base.green * texture, base.blue * texture};
  });
}

Scene::~Scene() = default;

std::int64_t Scene::frames() const {
  return std::llround(config_.duration.count() * config_.rate.per_second());
}

std::vector<std::uint8_t> Scene::render(std::int64_t frame) const {
  const double time_s = config_.rate.time_of(frame).count();
  const double open_s = 0.5 / config_.rate.per_second();
  std::vector<float> sum;
  for (int step = 0; step < kShutterSteps; ++step) {
    Canvas canvas = backdrop_;
    // The shutter opens with the frame: a contact at the frame's time is already seen.
    const double at_s = time_s + open_s * step / kShutterSteps;
    for (const auto& actor : actors_) actor->draw(canvas, at_s);
    canvas.add_to(sum, 1.0F / kShutterSteps);
  }
  std::vector<std::uint8_t> pixels(sum.size());
  std::ranges::transform(sum, pixels.begin(), to_srgb);
  return pixels;
}

EventTimeline Scene::truth() const {
  EventTimeline timeline;
  timeline.clip.duration = config_.duration;
  timeline.clip.frame_rate = config_.rate;
  timeline.clip.width = config_.width;
  timeline.clip.height = config_.height;
  for (const auto& actor : actors_) actor->add_events(config_.duration.count(), timeline.events);
  std::ranges::stable_sort(timeline.events, {}, &SoundEvent::onset);
  const auto to_tenth_of_ms = [](Seconds time) {
    return Seconds(std::round(time.count() * 1e4) / 1e4);
  };
  for (std::size_t i = 0; i < timeline.events.size(); ++i) {
    timeline.events[i].onset = to_tenth_of_ms(timeline.events[i].onset);
    timeline.events[i].offset = to_tenth_of_ms(timeline.events[i].offset);
    timeline.events[i].id = "e" + std::to_string(i + 1);
    timeline.events[i].seed = default_seed(timeline.events[i].id);
    timeline.events[i].source = "simulated";
  }
  timeline.made_by.program = "qingyin";
  return timeline;
}

}  // namespace qingyin::training
