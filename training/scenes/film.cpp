#include "training/scenes/film.h"

#include <array>
#include <iterator>

#include "core/philox.h"
#include "training/scenes/canvas.h"
#include "training/scenes/film_parts.h"

namespace qingyin::training {
namespace {

constexpr int kTextureSide = 256;
constexpr int kOctaves = 4;

/// Smooth noise of several sizes that repeats, each value about in [-1, 1].
class Texture {
 public:
  Texture() : values_(static_cast<std::size_t>(kTextureSide) * kTextureSide) {
    for (int octave = 0; octave < kOctaves; ++octave) {
      const int cell = 32 >> octave, cells = kTextureSide / cell;
      const Philox random(7, static_cast<std::uint64_t>(octave));
      const auto knot = [&](int x, int y) {
        return 2 * random.uniform(static_cast<std::uint64_t>((y % cells) * cells + x % cells)) - 1;
      };
      for (int y = 0; y < kTextureSide; ++y)
        for (int x = 0; x < kTextureSide; ++x) {
          const float fx = static_cast<float>(x % cell) / static_cast<float>(cell);
          const float fy = static_cast<float>(y % cell) / static_cast<float>(cell);
          const int gx = x / cell, gy = y / cell;
          const float top = knot(gx, gy) * (1 - fx) + knot(gx + 1, gy) * fx;
          const float low = knot(gx, gy + 1) * (1 - fx) + knot(gx + 1, gy + 1) * fx;
          values_[static_cast<std::size_t>(y * kTextureSide + x)] +=
              0.6F * (top * (1 - fy) + low * fy);
        }
    }
  }

  float at(double x, double y) const {
    const auto wrap = [](double v) {
      return static_cast<std::size_t>(static_cast<std::int64_t>(std::floor(v)) &
                                      (kTextureSide - 1));
    };
    return values_[wrap(y) * kTextureSide + wrap(x)];
  }

 private:
  std::vector<float> values_;
};

const Texture& texture() {
  static const Texture one;
  return one;
}

constexpr int kNoiseSize = 65537;

/// Standard normal numbers; a frame's noise begins at a place of its own.
const std::vector<float>& sensor_noise() {
  static const std::vector<float> numbers = [] {
    std::vector<float> drawn(kNoiseSize);
    Philox(11, 0).normal(drawn);
    return drawn;
  }();
  return numbers;
}

constexpr double kPixels = kSmallHeight;  // per world unit

/// Draws one thing as it stands at a moment.
void paint(const Thing& thing, double time_s, double camera_x, double camera_y,
           SmallPicture& picture) {
  const auto opacity = static_cast<float>(std::clamp(thing.opacity.at(time_s), 0.0, 1.0));
  if (opacity < 0.01F) return;
  const double angle = thing.angle.at(time_s), c = std::cos(angle), s = std::sin(angle);
  const double x = thing.x.at(time_s) + thing.arm * c - camera_x;
  const double y = thing.y.at(time_s) + thing.arm * s - camera_y;
  const double size = std::max(thing.size.at(time_s), 0.01);
  const double w = thing.half_width * size, h = thing.half_height * size;
  const double soft = std::max(thing.soft, 1 / kPixels);
  const double reach_x = std::abs(w * c) + std::abs(h * s) + soft;
  const double reach_y = std::abs(w * s) + std::abs(h * c) + soft;
  const int left = std::max(0, static_cast<int>((x - reach_x) * kPixels));
  const int right = std::min(kSmallWidth, static_cast<int>((x + reach_x) * kPixels) + 2);
  const int top = std::max(0, static_cast<int>((y - reach_y) * kPixels));
  const int bottom = std::min(kSmallHeight, static_cast<int>((y + reach_y) * kPixels) + 2);
  const double grey = thing.grey.at(time_s), slide = thing.slide.at(time_s);
  const double scale = thing.grain * 4;
  for (int row = top; row < bottom; ++row)
    for (int column = left; column < right; ++column) {
      const double dx = (column + 0.5) / kPixels - x, dy = (row + 0.5) / kPixels - y;
      const double along = dx * c + dy * s, across = dy * c - dx * s;
      const double outside = thing.is_box
                                 ? std::max(std::abs(along) - w, std::abs(across) - h)
                                 : (std::hypot(along / w, across / h) - 1) * std::min(w, h);
      const double cover = std::clamp(0.5 - outside / soft, 0.0, 1.0);
      if (cover <= 0) continue;
      const double look = grey + thing.contrast * texture().at(thing.texture_x + along * scale,
                                                               (across + slide) * scale);
      float& pixel = picture[static_cast<std::size_t>(row * kSmallWidth + column)];
      pixel += opacity * static_cast<float>(cover) * (static_cast<float>(look) - pixel);
    }
}

/// Everything about how a film is taken, apart from what it shows.
struct Takes {
  double rate = 25, shutter = 0, repeat_every = 0;
  double backdrop_grey = 0, backdrop_contrast = 0, backdrop_grain = 0, backdrop_place = 0;
  Track pan_x, pan_y;
  double shake = 0, shake_hz = 1;
  double noise = 0, skip = 0, key_every = 0, flicker = 0;
};

Takes draw_takes(Draw& draw, double duration_s) {
  static constexpr std::array kRates{15.0, 21.5, 24.0, 25.0, 29.97, 30.0, 30.0};
  Takes takes;
  takes.rate = kRates[static_cast<std::size_t>(draw.below(kRates.size()))];
  takes.shutter = draw.between(0, 0.8);
  takes.repeat_every = draw.chance(0.1) ? 3 + draw.below(5) : 0;
  takes.backdrop_grey = draw.between(30, 220);
  takes.backdrop_contrast = draw.between(3, 50);
  takes.backdrop_grain = draw.ratio(4, 40);
  takes.backdrop_place = draw.between(0, 200);
  if (draw.chance(0.25)) {
    const Way way = draw.chance(0.5) ? Way::kEase : Way::kEven;
    const double begin = draw.between(-2, duration_s), end = begin + draw.between(0.5, 4);
    takes.pan_x.go(begin, end, draw.between(-0.6, 0.6), way);
    takes.pan_y.go(begin, end, draw.between(-0.2, 0.2), way);
  }
  takes.shake = draw.chance(0.5) ? draw.ratio(0.001, 0.012) : 0;
  takes.shake_hz = draw.ratio(0.5, 4);
  takes.noise = draw.chance(0.7) ? draw.ratio(0.2, 3) : 0;
  takes.skip = draw.chance(0.6) ? draw.ratio(0.3, 2.5) : 0;
  takes.key_every = draw.chance(0.5) ? 10 + draw.below(60) : 0;
  takes.flicker = draw.chance(0.1) ? draw.between(0.005, 0.03) : 0;
  return takes;
}

FilmPlan draw_plan(Draw& draw, double duration_s) {
  FilmPlan plan;
  plan.duration_s = duration_s;
  const int distractors = draw.chance(0.35) ? 0 : 1 + draw.below(3);
  const int causes = draw.chance(0.2) ? 0 : 1 + (draw.chance(0.35) ? 1 : 0);
  for (int i = 0; i < distractors; ++i) add_distractor(draw, plan);
  for (int i = 0; i < causes; ++i) add_cause(draw, plan);
  if (draw.chance(0.1)) add_occluder(draw, plan);
  if (draw.chance(0.1)) {
    plan.jolts_s.push_back(draw.between(0, duration_s));
    plan.jolts.push_back(draw.ratio(0.003, 0.02));
  }
  std::ranges::stable_sort(plan.events, {}, &FilmEvent::onset_s);
  return plan;
}

class Camera {
 public:
  Camera(const Takes& takes, const FilmPlan& plan, Draw& draw) : takes_(takes), plan_(plan) {
    for (double& phase : phases_) phase = draw.between(0, 7);
  }

  Point at(double time_s) const {
    double x = takes_.pan_x.at(time_s), y = takes_.pan_y.at(time_s);
    const double turn = 6.2832 * takes_.shake_hz * time_s;
    x += takes_.shake * (std::sin(turn + phases_[0]) + 0.5 * std::sin(2.7 * turn + phases_[1]));
    y += takes_.shake *
         (std::sin(1.2 * turn + phases_[2]) + 0.5 * std::sin(3.1 * turn + phases_[3]));
    for (std::size_t i = 0; i < plan_.jolts.size(); ++i) {
      const double since = time_s - plan_.jolts_s[i];
      if (since > 0) y += plan_.jolts[i] * std::exp(-8 * since) * std::sin(60 * since);
    }
    return {x, y};
  }

 private:
  const Takes& takes_;
  const FilmPlan& plan_;
  std::array<double, 4> phases_{};
};

SmallPicture see(const FilmPlan& plan, const Takes& takes, Point camera, double time_s) {
  SmallPicture picture(static_cast<std::size_t>(kSmallWidth) * kSmallHeight);
  const double scale = takes.backdrop_grain * 4;
  for (int row = 0; row < kSmallHeight; ++row)
    for (int column = 0; column < kSmallWidth; ++column)
      picture[static_cast<std::size_t>(row * kSmallWidth + column)] = static_cast<float>(
          takes.backdrop_grey +
          takes.backdrop_contrast *
              texture().at(takes.backdrop_place + ((column + 0.5) / kPixels + camera.x) * scale,
                           ((row + 0.5) / kPixels + camera.y) * scale));
  for (const Thing& thing : plan.things) paint(thing, time_s, camera.x, camera.y, picture);
  return picture;
}

/// What a coder and a sensor make of a picture; `last` is what was shown before.
void degrade(const Takes& takes, double light, bool is_key, Draw& draw, const SmallPicture& last,
             SmallPicture& picture) {
  constexpr int kBlock = 4;
  std::size_t place = static_cast<std::size_t>(draw.below(kNoiseSize));
  for (float& pixel : picture) {
    const double noise = sensor_noise()[place++ % kNoiseSize];
    pixel = static_cast<float>(std::clamp(pixel * light + takes.noise * noise, 0.0, 255.0));
    pixel = std::round(pixel * 4) / 4;
  }
  if (last.empty() || is_key || takes.skip == 0) return;
  for (int top = 0; top < kSmallHeight; top += kBlock)
    for (int left = 0; left < kSmallWidth; left += kBlock) {
      float difference = 0;
      const auto each = [&](auto&& visit) {
        for (int y = top; y < top + kBlock; ++y)
          for (int x = left; x < left + kBlock; ++x)
            visit(static_cast<std::size_t>(y * kSmallWidth + x));
      };
      each([&](std::size_t i) { difference += std::abs(picture[i] - last[i]); });
      if (difference < takes.skip * kBlock * kBlock)
        each([&](std::size_t i) { picture[i] = last[i]; });
    }
}

}  // namespace

Film shoot_film(std::uint64_t seed, std::uint64_t index, double duration_s) {
  Draw draw(derive_seed(seed, "film"), index);
  const FilmPlan plan = draw_plan(draw, duration_s);
  const Takes takes = draw_takes(draw, duration_s);
  const Camera camera(takes, plan, draw);
  Film film{.frames = {}, .events = plan.events, .duration_s = duration_s};
  const auto count = static_cast<int>(duration_s * takes.rate);
  for (int k = 0; k < count; ++k) {
    const double time_s = k / takes.rate;
    const bool repeats =
        takes.repeat_every > 0 && k > 0 && k % static_cast<int>(takes.repeat_every) == 0;
    if (repeats) {
      film.frames.push_back({time_s, film.frames.back().picture});
      continue;
    }
    SmallPicture picture = see(plan, takes, camera.at(time_s), time_s);
    if (takes.shutter > 0.1) {
      const double late_s = time_s + takes.shutter / takes.rate;
      const SmallPicture second = see(plan, takes, camera.at(late_s), late_s);
      for (std::size_t i = 0; i < picture.size(); ++i) picture[i] = 0.5F * (picture[i] + second[i]);
    }
    const double light = plan.light.at(time_s) * (1 + takes.flicker * std::sin(17 * time_s));
    const bool is_key = takes.key_every > 0 && k % static_cast<int>(takes.key_every) == 0;
    const SmallPicture none;
    degrade(takes, light, is_key, draw, film.frames.empty() ? none : film.frames.back().picture,
            picture);
    film.frames.push_back({time_s, std::move(picture)});
  }
  return film;
}

}  // namespace qingyin::training
