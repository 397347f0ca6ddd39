#include "training/scenes/actors.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <utility>

namespace qingyin::training {
namespace {

constexpr double kFallSeconds = 0.22, kRiseSeconds = 0.4;  // of a hammer
constexpr double kGravity = 18.0;  // world units per second squared: a picture about 8 m wide

std::array<double, 2> position_of(Point p) {
  return {std::clamp(p.x / 8 - 1, -1.0, 1.0), std::clamp(1 - p.y / 4.5, -1.0, 1.0)};
}

Color scaled(Color c, double by) {
  const auto f = static_cast<float>(by);
  return {c.red * f, c.green * f, c.blue * f};
}

/// Light from the upper left, and a stripe that shows the ball's turn.
Color ball_color(Point p, Point center, double radius, double turn, Color base) {
  const double x = (p.x - center.x) / radius, y = (p.y - center.y) / radius;
  const double light = std::clamp(0.75 - 0.35 * x - 0.5 * y, 0.15, 1.3);
  const double along = x * std::cos(turn) + y * std::sin(turn);
  return scaled(base, std::abs(along) < 0.18 ? 0.35 * light : light);
}

class BouncingBallActor final : public Actor {
 public:
  explicit BouncingBallActor(const BouncingBall& ball) : ball_(ball) {
    double speed = std::sqrt(2 * kGravity * ball.height);
    double time = ball.start_s + speed / kGravity;
    while (speed > 0.6) {
      bounces_.push_back({time, speed});
      speed *= ball.restitution;
      time += 2 * speed / kGravity;
    }
    rest_s_ = time;
  }

  void draw(Canvas& canvas, double time_s) const override {
    const double height = height_at(time_s);
    const Point center{x_at(time_s), ball_.floor_y - ball_.radius - height};
    canvas.shadow({center.x, ball_.floor_y}, ball_.radius * (1 + 0.2 * height), ball_.radius * 0.25,
                  0.7 / (1 + height));
    canvas.circle(center, ball_.radius, [&](Point p) {
      return ball_color(p, center, ball_.radius, 2 * x_at(time_s) / ball_.radius, ball_.color);
    });
  }

  void add_events(double duration_s, std::vector<SoundEvent>& events) const override {
    const double hardest = bounces_.empty() ? 1 : bounces_.front().speed;
    for (const Bounce& bounce : bounces_) {
      if (bounce.time_s >= duration_s) break;
      SoundEvent event;
      event.label = "impact";
      event.material = ball_.material;
      event.size = std::clamp(ball_.radius, 0.0, 1.0);
      event.onset = Seconds(bounce.time_s);
      event.offset = Seconds(std::min(bounce.time_s + 0.2, duration_s));
      event.intensity = std::clamp(0.2 + 0.7 * bounce.speed / hardest, 0.0, 1.0);
      event.position = position_of({x_at(bounce.time_s), ball_.floor_y});
      event.lane = "impacts";
      events.push_back(event);
    }
  }

 private:
  struct Bounce {
    double time_s, speed;
  };

  double x_at(double time_s) const {
    return ball_.x +
           ball_.drifts_per_s * std::clamp(time_s - ball_.start_s, 0.0, rest_s_ - ball_.start_s);
  }

  double height_at(double time_s) const {
    if (time_s <= ball_.start_s) return ball_.height;
    if (bounces_.empty() || time_s < bounces_.front().time_s) {
      const double fallen = time_s - ball_.start_s;
      return std::max(0.0, ball_.height - 0.5 * kGravity * fallen * fallen);
    }
    const auto after = std::ranges::upper_bound(bounces_, time_s, {}, &Bounce::time_s);
    const Bounce& last = *std::prev(after);
    const double since = time_s - last.time_s;
    const double up = last.speed * ball_.restitution;
    return std::max(0.0, up * since - 0.5 * kGravity * since * since);
  }

  BouncingBall ball_;
  std::vector<Bounce> bounces_;
  double rest_s_;
};

class HammerActor final : public Actor {
 public:
  explicit HammerActor(Hammer hammer) : hammer_(std::move(hammer)) {}

  void draw(Canvas& canvas, double time_s) const override {
    const double angle = angle_at(time_s);
    const Point head{hammer_.pivot.x - hammer_.length * std::cos(angle),
                     hammer_.pivot.y - hammer_.length * std::sin(angle)};
    const Point block{hammer_.pivot.x - hammer_.length, hammer_.pivot.y + 0.66};
    canvas.shadow({block.x, block.y + 1.1}, 1.4, 0.25, 0.6);
    canvas.cover(
        {block.x - 0.9, block.y}, {block.x + 0.9, block.y + 1.1},
        [&](Point p) {
          return std::max(std::abs(p.x - block.x) - 0.9, std::abs(p.y - block.y - 0.55) - 0.55);
        },
        [&](Point p) { return scaled(hammer_.block, 1.1 - 0.5 * (p.y - block.y)); });
    canvas.bar(hammer_.pivot, head, 0.1, {0.35F, 0.2F, 0.08F});
    const double across = angle + std::numbers::pi / 2;
    const Point up{0.42 * std::cos(across), 0.42 * std::sin(across)};
    canvas.bar({head.x - up.x, head.y - up.y}, {head.x + up.x, head.y + up.y}, 0.24,
               {0.16F, 0.17F, 0.2F});
  }

  void add_events(double duration_s, std::vector<SoundEvent>& events) const override {
    for (std::size_t i = 0; i < hammer_.strikes_s.size(); ++i) {
      if (hammer_.strikes_s[i] >= duration_s) continue;
      SoundEvent event;
      event.label = "impact";
      event.material = hammer_.material;
      event.size = 0.6;
      event.onset = Seconds(hammer_.strikes_s[i]);
      event.offset = Seconds(std::min(hammer_.strikes_s[i] + 0.4, duration_s));
      event.intensity = 0.3 + 0.7 * hammer_.force[i];
      event.position = position_of({hammer_.pivot.x - hammer_.length, hammer_.pivot.y + 0.66});
      event.lane = "impacts";
      events.push_back(event);
    }
  }

 private:
  /// Radians above the block. It rises with a smooth start and falls with growing speed, so that
  /// the blow stops it at once.
  double angle_at(double time_s) const {
    double angle = 0.25;
    for (std::size_t i = 0; i < hammer_.strikes_s.size(); ++i) {
      const double before = hammer_.strikes_s[i] - time_s;
      const double lift = 0.35 + 0.5 * hammer_.force[i];
      if (before >= 0 && before < kFallSeconds) {
        const double fall = 1 - before / kFallSeconds;
        return lift * (1 - fall * fall);
      }
      if (before >= kFallSeconds && before < kFallSeconds + kRiseSeconds) {
        const double rise = 1 - (before - kFallSeconds) / kRiseSeconds;
        const double smooth = rise * rise * (3 - 2 * rise);
        return i == 0 ? angle + (lift - angle) * smooth : lift * smooth;
      }
      if (before < 0) angle = 0;
    }
    return angle;
  }

  Hammer hammer_;
};

class RollingBallActor final : public Actor {
 public:
  explicit RollingBallActor(RollingBall ball) : ball_(std::move(ball)) {}

  void draw(Canvas& canvas, double time_s) const override {
    const Point center = center_at(time_s);
    const Point down{0, ball_.radius};
    canvas.bar({ball_.from.x, ball_.from.y + down.y + 0.1}, {ball_.to.x, ball_.to.y + down.y + 0.1},
               0.1, {0.25F, 0.14F, 0.06F});
    canvas.circle(center, ball_.radius, [&](Point p) {
      return ball_color(p, center, ball_.radius, center.x / ball_.radius, ball_.color);
    });
  }

  void add_events(double duration_s, std::vector<SoundEvent>& events) const override {
    if (ball_.start_s >= duration_s) return;
    SoundEvent event;
    event.label = "rolling";
    event.material = ball_.material;
    event.size = std::clamp(ball_.radius, 0.0, 1.0);
    event.onset = Seconds(ball_.start_s);
    event.offset = Seconds(std::min(ball_.end_s, duration_s));
    event.intensity = 0.4;
    event.position = position_of(center_at((ball_.start_s + ball_.end_s) / 2));
    events.push_back(event);
  }

 private:
  Point center_at(double time_s) const {
    const double done =
        std::clamp((time_s - ball_.start_s) / (ball_.end_s - ball_.start_s), 0.0, 1.0);
    const double eased = done * done * (3 - 2 * done);
    return {ball_.from.x + eased * (ball_.to.x - ball_.from.x),
            ball_.from.y + eased * (ball_.to.y - ball_.from.y)};
  }

  RollingBall ball_;
};

}  // namespace

std::unique_ptr<Actor> make_bouncing_ball(const BouncingBall& ball) {
  return std::make_unique<BouncingBallActor>(ball);
}

std::unique_ptr<Actor> make_hammer(const Hammer& hammer) {
  return std::make_unique<HammerActor>(hammer);
}

std::unique_ptr<Actor> make_rolling_ball(const RollingBall& ball) {
  return std::make_unique<RollingBallActor>(ball);
}

}  // namespace qingyin::training
