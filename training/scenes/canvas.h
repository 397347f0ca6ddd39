#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace qingyin::training {

/// Linear-light colour, each component in [0, 1].
struct Color {
  float red, green, blue;
};

struct Point {
  double x, y;  // in world units: the picture is 16 wide, 9 high; x right, y down
};

/// A picture that is drawn by covering shapes, anti-aliased by their distance to the outline.
class Canvas {
 public:
  Canvas(int width, int height);

  /// Colour of every pixel, from its place in the world.
  void fill(const std::function<Color(Point)>& color_at);

  /// Paints where `distance` (world units, negative inside) is below zero, inside the box
  /// [low, high]; `shade` gives the colour.
  void cover(Point low, Point high, const std::function<double(Point)>& distance,
             const std::function<Color(Point)>& shade);

  void circle(Point center, double radius, const std::function<Color(Point)>& shade);
  /// A straight bar with round ends.
  void bar(Point from, Point to, double half_width, Color color);
  /// A soft dark patch below something: `strength` 0 to 1 at the centre.
  void shadow(Point center, double half_width, double half_height, double strength);

  /// Adds `weight` times this picture to a sum of pictures, [height, width, 3].
  void add_to(std::vector<float>& sum, float weight) const;
  std::size_t size() const { return pixels_.size(); }

 private:
  int width_, height_;
  double pixels_per_unit_;
  std::vector<float> pixels_;  // [height, width, 3], linear light
};

}  // namespace qingyin::training
