// What moves and is heard: contacts, feet, water, blasts.
#include <numbers>

#include "training/scenes/film_parts.h"

namespace qingyin::training {
namespace {

constexpr double kPi = std::numbers::pi;

/// Pieces or drops that fly up and apart from a place.
void scatter(Draw& draw, FilmPlan& plan, double time_s, double x, double y, double size) {
  const int pieces = 3 + draw.below(6);
  for (int i = 0; i < pieces; ++i) {
    Thing piece = draw_thing(draw, x, y, size * draw.between(0.15, 0.5));
    const double up_s = draw.between(0.06, 0.25), height = draw.between(0.03, 0.25);
    const double end_s = time_s + 2.2 * up_s;
    piece.opacity = Track(0);
    piece.opacity.go(time_s, time_s + 0.005, 1, Way::kHold).go(end_s, end_s + 0.2, 0, Way::kEven);
    piece.x.go(time_s, end_s, x + draw.between(-0.35, 0.35), Way::kEven);
    piece.y.go(time_s, time_s + up_s, y - height, Way::kSlowDown)
        .go(time_s + up_s, end_s, y + 0.02, Way::kSpeedUp);
    piece.angle.go(time_s, end_s, draw.between(-6, 6), Way::kEven);
    plan.things.push_back(piece);
  }
}

/// Falls from a height, bounces until it lies; may be lifted and dropped again.
void add_bouncer(Draw& draw, FilmPlan& plan) {
  const double floor = draw.between(0.5, 1.0), gravity = draw.ratio(1.5, 14);
  Thing thing = draw_thing(draw, draw.between(0.1, 1.4), floor - draw.between(0.15, 0.9),
                           draw.ratio(0.03, 0.2));
  const double drift = draw.chance(0.5) ? draw.between(-0.4, 0.4) : 0;
  const double turn = draw.chance(0.5) ? draw.between(-6, 6) : 0;
  const double keeps = draw.between(0, 0.85);
  double now = draw.between(-0.4, 1.2);
  for (int round = 0; now < plan.duration_s && round < 6; ++round) {
    const double start = now, x = thing.x.last();
    double height = floor - thing.y.last();
    while (height > 0.004) {
      const double fall = std::sqrt(2 * height / gravity);
      const double hit = now + fall, speed = gravity * fall;
      thing.y.go(now, hit, floor, Way::kSpeedUp);
      const double at = x + drift * (hit - start);
      plan.events.push_back(
          event_at(hit, OnsetKind::kImpact, loudness(speed), at, floor + thing.half_height));
      height *= keeps * keeps;
      now = hit;
      if (height <= 0.004) break;
      const double rise = std::sqrt(2 * height / gravity);
      thing.y.go(hit, hit + rise, floor - height, Way::kSlowDown);
      now = hit + rise;
    }
    thing.x.go(start, now, x + drift * (now - start), Way::kEven);
    if (turn != 0)
      thing.angle.go(start, now, thing.angle.last() + turn * (now - start), Way::kEven);
    if (draw.chance(0.4)) break;
    const double lift = now + draw.between(0.1, 0.8), top = lift + draw.between(0.3, 1.0);
    thing.y.go(lift, top, floor - draw.between(0.15, 0.8), Way::kEase);
    now = top + draw.between(0, 0.4);
  }
  plan.things.push_back(thing);
}

/// A stick, hammer or knife that is lifted and brought down, in any direction.
void add_striker(Draw& draw, FilmPlan& plan) {
  const bool swings = draw.chance(0.65);
  const double x = draw.between(0.2, 1.3), y = draw.between(0.3, 0.9);
  Thing target = draw_thing(draw, x, y + draw.between(0.05, 0.2), draw.ratio(0.08, 0.35));
  Thing tool = draw_thing(draw, x, y, draw.ratio(0.04, 0.15));
  tool.is_box = true;
  const double size = tool.half_width;
  tool.half_width = size * draw.between(1, 3);
  tool.half_height = size * draw.between(0.2, 0.8);
  const double rest = swings ? draw.between(-0.5, 0.5) + (draw.chance(0.5) ? 0 : kPi) : y;
  const double away = (swings ? draw.between(0.3, 1.6) : draw.between(0.05, 0.5)) *
                      (draw.chance(0.8) ? -1 : 1) * (swings && std::cos(rest) < 0 ? -1 : 1);
  if (swings) {
    tool.arm = draw.between(0.1, 0.6);
    tool.angle = Track(rest + away * draw.between(0, 1));
    tool.x = Track(x - tool.arm * std::cos(rest));
    tool.y = Track(y - tool.arm * std::sin(rest));
    if (draw.chance(0.7)) tool.half_width = std::max(tool.half_width, tool.arm * 0.8);
  }
  Track& way = swings ? tool.angle : tool.y;
  if (!swings) way = Track(y + away);
  const double pace = draw.ratio(0.15, 1.5), misses = draw.chance(0.25) ? 0.3 : 0;
  for (double now = draw.between(-0.5, 1); now < plan.duration_s;) {
    const double force = draw.between(0.4, 1), lift = pace * draw.between(0.3, 0.6);
    way.go(now, now + lift, rest + away * force, Way::kEase);
    now += lift + (draw.chance(0.3) ? draw.between(0, 0.3) : 0);
    const double fall = draw.ratio(0.06, 0.3), hit = now + fall;
    if (draw.chance(misses)) {
      way.go(now, hit + 0.1, rest + away * 0.2, Way::kEase);
      now = hit + 0.2;
      continue;
    }
    way.go(now, hit, rest, Way::kSpeedUp);
    const double speed = 2 * std::abs(away) * force / fall * (swings ? tool.arm : 1);
    plan.events.push_back(event_at(hit, OnsetKind::kImpact, loudness(speed), x, y));
    if (draw.chance(0.5)) {
      const double jolt = draw.between(0.002, 0.03);
      target.y.go(hit, hit + 0.02, target.y.last() + jolt, Way::kSlowDown)
          .go(hit + 0.02, hit + 0.12, target.y.last() - jolt, Way::kEase);
    }
    const double back = draw.between(0, 0.35);
    way.go(hit, hit + draw.between(0.04, 0.15), rest + away * force * back, Way::kSlowDown);
    now = way.end_s() + pace * draw.between(0, 0.6);
  }
  if (draw.chance(0.8)) plan.things.push_back(target);
  plan.things.push_back(tool);
}

/// One thing runs into another, which gives way or stands.
void add_collision(Draw& draw, FilmPlan& plan) {
  const double y = draw.between(0.2, 0.9), x = draw.between(0.4, 1.1), side = draw.sign();
  Thing runner = draw_thing(draw, x, y, draw.ratio(0.04, 0.15));
  Thing other = draw_thing(draw, x, y, draw.ratio(0.04, 0.2));
  const double gap = runner.half_width + other.half_width;
  const double speed = draw.ratio(0.3, 4), hit = draw_moment(draw, plan);
  const double reach = draw.between(0.5, 1.2), start = hit - reach / speed;
  runner.angle = other.angle = Track(0);
  runner.x = Track(x - side * (gap + reach));
  runner.x.go(start, hit, x - side * gap, Way::kEven);
  const double keeps = draw.between(-0.4, 0.6), gives = draw.chance(0.7) ? draw.between(0.2, 1) : 0;
  const double after = hit + draw.between(0.3, 1.2);
  const double most = 0.5 * speed * (after - hit);
  runner.x.go(hit, after, x - side * gap + side * keeps * std::min(most, 0.8) * gives,
              Way::kSlowDown);
  if (gives > 0) {
    other.x.go(hit, after, x + side * gives * most, Way::kSlowDown);
    if (draw.chance(0.4)) other.angle.go(hit, after, draw.between(-4, 4), Way::kSlowDown);
  }
  if (draw.chance(0.15)) scatter(draw, plan, hit, x - side * runner.half_width, y, 0.08);
  plan.events.push_back(
      event_at(hit, OnsetKind::kImpact, loudness(speed), x - side * other.half_width, y));
  plan.things.push_back(other);
  plan.things.push_back(runner);
}

/// Falls and breaks, or falls into water.
void add_plunge(Draw& draw, FilmPlan& plan) {
  const bool water = draw.chance(0.6);
  const double floor = draw.between(0.5, 0.95), x = draw.between(0.2, 1.3);
  const double height = draw.between(0.2, 0.9), gravity = draw.ratio(2, 14);
  const double hit = draw_moment(draw, plan), fall = std::sqrt(2 * height / gravity);
  if (water) {
    Thing surface = draw_thing(draw, kFilmWidth / 2, floor + 0.5, 0.5);
    surface.is_box = true;
    surface.half_width = 1;
    surface.half_height = 0.5;
    surface.angle = Track(0);
    surface.slide.go(-1, plan.duration_s + 1, draw.between(-1, 1), Way::kEven);
    plan.things.push_back(surface);
  }
  Thing thing = draw_thing(draw, x, floor - height, draw.ratio(0.03, 0.12));
  thing.y.go(hit - fall, hit, floor, Way::kSpeedUp);
  thing.opacity.go(hit, hit + 0.05, 0, Way::kEven);
  plan.things.push_back(thing);
  scatter(draw, plan, hit, x, floor, thing.half_width + thing.half_height);
  plan.events.push_back(event_at(hit, water ? OnsetKind::kDrop : OnsetKind::kImpact,
                                 loudness(gravity * fall), x, floor));
}

/// Two legs and a body; each foot is heard as it comes down.
void add_walker(Draw& draw, FilmPlan& plan) {
  const double tall = draw.between(0.25, 1.1), leg = 0.5 * tall, step = draw.ratio(0.28, 0.75);
  const double hip = draw.between(0.3, 1.0 - 0.3 * leg), swing = draw.between(0.25, 0.7);
  const double side = draw.sign(), speed = 2 * leg * std::sin(swing) / step * side;
  const bool follows = draw.chance(0.5);
  const double start = draw.between(-0.5, 1.5),
               x0 = follows ? draw.between(0.3, 1.2) : (side > 0 ? 0.0 : 1.5);
  const double stop = std::min(plan.duration_s + 1, start + draw.between(1.5, 8));
  Thing legs[2], body = draw_thing(draw, x0, hip - 0.3 * tall, 0.2 * tall);
  body.angle = Track(0);
  for (Thing& l : legs) {
    l = draw_thing(draw, x0, hip, 0.05);
    l.is_box = true;
    l.half_width = leg / 2;
    l.half_height = tall * draw.between(0.03, 0.07);
    l.arm = leg / 2;
    l.angle = Track(kPi / 2);
  }
  int front = 0;
  for (double now = start; now + step < stop; now += step, front = 1 - front) {
    legs[front].angle.go(now, now + step, kPi / 2 - side * swing, Way::kEase);
    legs[1 - front].angle.go(now, now + step, kPi / 2 + side * swing, Way::kEven);
    body.y.go(now, now + step / 2, hip - 0.33 * tall, Way::kEase)
        .go(now + step / 2, now + step, hip - 0.3 * tall, Way::kEase);
    const double x = follows ? x0 : x0 + speed * (now + step - start);
    plan.events.push_back(
        event_at(now + step, OnsetKind::kFootstep, loudness(0.8 * tall / step), x, hip + leg));
  }
  if (!follows)
    for (Thing* part : {&legs[0], &legs[1], &body})
      part->x.go(start, stop, x0 + speed * (stop - start), Way::kEven);
  plan.things.push_back(legs[0]);
  plan.things.push_back(body);
  plan.things.push_back(legs[1]);
}

/// A flash that fills some of the picture, with fire and smoke after it; small ones are shots.
void add_blast(Draw& draw, FilmPlan& plan) {
  const bool shot = draw.chance(0.5);
  const double x = draw.between(0.2, 1.3), y = draw.between(0.2, 0.8);
  Thing gun = draw_thing(draw, x, y, draw.ratio(0.06, 0.2));
  gun.is_box = true;
  gun.half_height = 0.3 * gun.half_width;
  gun.arm = -gun.half_width;
  gun.angle = Track(draw.between(-0.3, 0.3) + (draw.chance(0.5) ? kPi : 0));
  double now = draw_moment(draw, plan);
  const int count = shot ? 1 + draw.below(4) : 1;
  for (int i = 0; i < count && now < plan.duration_s; ++i) {
    Thing flash = draw_thing(draw, x, y, shot ? draw.ratio(0.02, 0.12) : draw.ratio(0.15, 0.6));
    flash.is_box = false;
    flash.grey = Track(draw.between(200, 330));
    flash.soft = 0.05;
    const double decay = shot ? draw.between(0.02, 0.08) : draw.between(0.1, 0.8);
    flash.opacity = Track(0);
    flash.opacity.go(now, now + 0.003, 1, Way::kEven).go(now + 0.02, now + decay, 0, Way::kEven);
    flash.size = Track(0.5);
    flash.size.go(now, now + decay, draw.between(0.8, 1.5), Way::kSlowDown);
    if (!shot || draw.chance(0.5)) plan.things.push_back(flash);
    if (shot) {
      const double kick = draw.between(0.03, 0.5), level = gun.angle.last();
      gun.angle.go(now, now + 0.06, level - kick, Way::kSlowDown)
          .go(now + 0.08, now + 0.4, level, Way::kEase);
    } else {
      Thing smoke = draw_thing(draw, x, y, draw.ratio(0.1, 0.3));
      smoke.is_box = false;
      smoke.soft = 0.1;
      smoke.opacity = Track(0);
      smoke.opacity.go(now, now + 0.15, 0.8, Way::kSlowDown).go(now + 0.5, now + 3, 0, Way::kEven);
      smoke.size.go(now, now + 2, draw.between(1.5, 3), Way::kSlowDown);
      smoke.y.go(now, now + 3, y - draw.between(0, 0.4), Way::kSlowDown);
      plan.things.push_back(smoke);
      plan.light.go(now, now + 0.004, draw.between(1.1, 1.8), Way::kEven)
          .go(now + 0.03, now + 0.03 + decay, 1, Way::kEven);
      if (draw.chance(0.5)) {
        plan.jolts_s.push_back(now);
        plan.jolts.push_back(draw.ratio(0.005, 0.04));
      }
    }
    plan.events.push_back(event_at(now, OnsetKind::kExplosion, shot ? 0.7 : 1.0, x, y));
    now += draw.between(0.45, 1.5);
  }
  if (shot) plan.things.push_back(gun);
}

/// At rest, then a jerk: a bark, a latch, a start. Heard as it begins.
void add_jerk(Draw& draw, FilmPlan& plan) {
  const double x = draw.between(0.2, 1.3), y = draw.between(0.2, 0.8);
  Thing thing = draw_thing(draw, x, y, draw.ratio(0.06, 0.3));
  for (double now = draw_moment(draw, plan); now < plan.duration_s; now += draw.between(0.4, 2)) {
    const double far = draw.ratio(0.01, 0.12), way = draw.between(0, 2 * kPi);
    const double there = now + draw.between(0.04, 0.12), back = there + draw.between(0.1, 0.4);
    thing.x.go(now, there, x + far * std::cos(way), Way::kSlowDown).go(there, back, x, Way::kEase);
    thing.y.go(now, there, y + far * std::sin(way), Way::kSlowDown).go(there, back, y, Way::kEase);
    plan.events.push_back(event_at(now, OnsetKind::kImpact, loudness(far / (there - now)), x, y));
    now = back;
  }
  plan.things.push_back(thing);
}

void add_roller(Draw& draw, FilmPlan& plan) {
  const auto [begin, end] = draw_stretch(draw, plan);
  const double radius = draw.ratio(0.04, 0.2), y = draw.between(0.3, 0.95);
  const double from = draw.between(0.05, 1.45);
  const double to = std::clamp(from + draw.sign() * draw.ratio(0.25, 2) * (end - begin), 0.0, 1.5);
  Thing ball = draw_thing(draw, from, y, radius);
  ball.is_box = false;
  ball.half_width = ball.half_height = radius;
  ball.contrast = draw.between(25, 70);
  const Way way = draw.chance(0.5) ? Way::kEven : (draw.chance(0.5) ? Way::kSlowDown : Way::kEase);
  ball.x.go(begin, end, to, way);
  ball.angle.go(begin, end, (to - from) / radius, way);
  plan.things.push_back(ball);
  const double speed = std::abs(to - from) / (end - begin);
  if (speed > 0.08) {
    plan.events.push_back(
        lasting(begin, end, LastingKind::kRolling, loudness(speed), 0.5 * (from + to), y));
  }
}

/// To and fro on a surface: sanding, sawing, wiping.
void add_scraper(Draw& draw, FilmPlan& plan) {
  const auto [begin, end] = draw_stretch(draw, plan);
  const double x = draw.between(0.3, 1.2), y = draw.between(0.3, 0.9);
  const double far = draw.ratio(0.05, 0.4), half = draw.ratio(0.12, 0.8);
  const double way = draw.between(-0.5, 0.5);
  Thing tool = draw_thing(draw, x, y, draw.ratio(0.05, 0.2));
  Thing surface = draw_thing(draw, x, y + 0.1, draw.ratio(0.2, 0.6));
  double side = 1;
  for (double now = begin; now < end; now += half * draw.between(0.9, 1.1), side = -side) {
    tool.x.go(now, now + half, x + side * far * std::cos(way) / 2, Way::kEase);
    tool.y.go(now, now + half, y + side * far * std::sin(way) / 2, Way::kEase);
  }
  plan.things.push_back(surface);
  plan.things.push_back(tool);
  plan.events.push_back(lasting(begin, end, LastingKind::kScrape, loudness(far / half), x, y));
}

/// A column of water that falls and its foam.
void add_pouring(Draw& draw, FilmPlan& plan) {
  const auto [begin, end] = draw_stretch(draw, plan);
  const double x = draw.between(0.1, 1.4), top = draw.between(-0.2, 0.4);
  const double low = draw.between(top + 0.3, 1.1), width = draw.ratio(0.01, 0.3);
  for (int part = 0; part < 2; ++part) {
    Thing water = draw_thing(draw, x, part == 0 ? 0.5 * (top + low) : low, width);
    water.is_box = part == 0;
    water.half_width = part == 0 ? width : width * draw.between(1, 3);
    water.half_height = part == 0 ? 0.5 * (low - top) : width * draw.between(0.3, 1);
    water.angle = Track(0);
    water.contrast = draw.between(20, 70);
    water.opacity = Track(0);
    water.opacity.go(begin, begin + 0.1, draw.between(0.4, 1), Way::kEven)
        .go(end, end + 0.1, 0, Way::kEven);
    water.slide.go(begin, end, -(end - begin) * draw.ratio(1, 8), Way::kEven);
    if (part == 1)
      for (double t = std::max(begin, -0.5); t < std::min(end, plan.duration_s); t += 0.06)
        water.size.go(t, t + 0.06, draw.between(0.8, 1.2), Way::kEven);
    plan.things.push_back(water);
  }
  plan.events.push_back(lasting(begin, end, LastingKind::kStream, 0.3 + width, x, low));
}

/// Tongues that rise and flicker.
void add_fire(Draw& draw, FilmPlan& plan) {
  const double x = draw.between(0.2, 1.3), y = draw.between(0.4, 1.0), size = draw.ratio(0.08, 0.5);
  const int tongues = 3 + draw.below(5);
  for (int i = 0; i < tongues; ++i) {
    Thing tongue = draw_thing(draw, x + draw.between(-size, size), y, 0.3 * size);
    tongue.is_box = false;
    tongue.half_width = size * draw.between(0.15, 0.4);
    tongue.half_height = size * draw.between(0.4, 0.9);
    tongue.grey = Track(draw.between(150, 260));
    tongue.contrast = draw.between(20, 80);
    tongue.soft = draw.between(0.02, 0.08);
    tongue.slide.go(-1, plan.duration_s + 1, (plan.duration_s + 2) * draw.ratio(0.8, 4),
                    Way::kEven);
    for (double t = -0.2; t < plan.duration_s;) {
      const double next = t + draw.between(0.04, 0.15);
      tongue.size.go(t, next, draw.between(0.6, 1.2), Way::kEven);
      tongue.opacity.go(t, next, draw.between(0.3, 0.9), Way::kEven);
      tongue.x.go(t, next, tongue.x.at(-1) + size * draw.between(-0.1, 0.1), Way::kEven);
      t = next;
    }
    plan.things.push_back(tongue);
  }
  plan.events.push_back(lasting(-1, plan.duration_s + 1, LastingKind::kFire, 0.3 + size, x, y));
}

/// Something passes fast, or an arm swings past without a contact.
void add_whoosh(Draw& draw, FilmPlan& plan) {
  const double middle = draw_moment(draw, plan), long_s = draw.ratio(0.15, 0.6);
  const double begin = middle - long_s / 2, end = middle + long_s / 2;
  const double y = draw.between(0.2, 0.8), x = draw.between(0.3, 1.2), side = draw.sign();
  Thing thing = draw_thing(draw, x, y, draw.ratio(0.05, 0.3));
  if (draw.chance(0.5)) {
    thing.x = Track(side > 0 ? -0.5 : 2.0);
    thing.x.go(begin, end, side > 0 ? 2.0 : -0.5, Way::kEven);
  } else {
    thing.is_box = true;
    thing.half_height = 0.3 * thing.half_width;
    thing.arm = draw.between(0.2, 0.5);
    thing.angle.go(begin - 0.1, end + 0.1, thing.angle.last() + side * draw.between(2.2, 5),
                   Way::kEase);
  }
  plan.things.push_back(thing);
  plan.events.push_back(lasting(begin, end, LastingKind::kWhoosh, loudness(1.0 / long_s), x, y));
}

}  // namespace

void add_cause(Draw& draw, FilmPlan& plan) {
  // The first ones are the most frequent in real clips, and more often drawn.
  static constexpr void (*kCauses[])(Draw&, FilmPlan&) = {
      add_striker, add_striker, add_striker,   add_striker,   add_bouncer, add_bouncer,
      add_walker,  add_walker,  add_collision, add_collision, add_plunge,  add_plunge,
      add_plunge,  add_blast,   add_blast,     add_blast,     add_jerk,    add_roller,
      add_roller,  add_scraper, add_pouring,   add_fire,      add_whoosh};
  kCauses[draw.below(static_cast<int>(std::size(kCauses)))](draw, plan);
}

}  // namespace qingyin::training
