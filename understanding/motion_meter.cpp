#include "understanding/motion_meter.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>
#include <opencv2/video/tracking.hpp>
#include <vector>

namespace qingyin {
namespace {

constexpr double kReferenceSide = 320;
constexpr double kBlurSigma = 1.5;  // pixels of the halved picture
constexpr int kSmallestSide = 32;   // DIS needs some pixels for its coarsest scale

float median_of(const cv::Mat& plane, std::vector<float>& scratch) {
  scratch.assign(plane.begin<float>(), plane.end<float>());
  const auto middle = scratch.begin() + static_cast<std::ptrdiff_t>(scratch.size() / 2);
  std::nth_element(scratch.begin(), middle, scratch.end());
  return *middle;
}

CellMap cell_means(const cv::Mat& plane, double factor) {
  cv::Mat small;
  cv::resize(plane, small, {kGridSide, kGridSide}, 0, 0, cv::INTER_AREA);
  CellMap cells;
  for (int i = 0; i < kCells; ++i)
    cells[static_cast<std::size_t>(i)] =
        static_cast<float>(factor * small.at<float>(i / kGridSide, i % kGridSide));
  return cells;
}

}  // namespace

struct MotionMeter::Work {
  cv::Ptr<cv::DISOpticalFlow> flow = cv::DISOpticalFlow::create(cv::DISOpticalFlow::PRESET_MEDIUM);
  cv::Mat field, half_field, planes[2], down, shifted, difference;
  std::vector<float> scratch;

  cv::Mat halved(const cv::Mat& picture) const {
    cv::Mat half, blurred;
    cv::resize(picture, half, {picture.cols / 2, picture.rows / 2}, 0, 0, cv::INTER_AREA);
    half.convertTo(half, CV_32F);
    cv::GaussianBlur(half, blurred, {}, kBlurSigma);
    return blurred;
  }
};

MotionMeter::MotionMeter() : work_(std::make_unique<Work>()) {}
MotionMeter::~MotionMeter() = default;

MotionSample MotionMeter::measure(const GreyFrame& before, const GreyFrame& after) {
  Work& w = *work_;
  const double seconds = after.time_s - before.time_s;
  cv::Mat a = before.picture, b = after.picture;
  if (std::min(a.cols, a.rows) < kSmallestSide) {
    const cv::Size size{std::max(a.cols, kSmallestSide), std::max(a.rows, kSmallestSide)};
    cv::resize(a, a, size);
    cv::resize(b, b, size);
  }
  const double per_second = kReferenceSide / (std::max(a.cols, a.rows) * seconds);

  w.field.release();  // a field of the right size would be taken as the first guess
  w.flow->calc(a, b, w.field);
  cv::resize(w.field, w.half_field, {a.cols / 2, a.rows / 2}, 0, 0, cv::INTER_AREA);
  cv::split(w.half_field, w.planes);
  const float camera_x = median_of(w.planes[0], w.scratch);
  const float camera_y = median_of(w.planes[1], w.scratch);

  MotionSample sample{.start_s = before.time_s, .end_s = after.time_s};
  w.down = cv::max(w.planes[1] - camera_y, 0);
  sample.down = cell_means(w.down, per_second);

  const cv::Mat now = w.halved(a), next = w.halved(b);
  const cv::Matx23f shift(1, 0, camera_x / 2, 0, 1, camera_y / 2);
  cv::warpAffine(next, w.shifted, shift, now.size(), cv::INTER_LINEAR | cv::WARP_INVERSE_MAP,
                 cv::BORDER_REPLICATE);
  cv::absdiff(w.shifted, now, w.difference);
  sample.change = cell_means(w.difference, 1 / seconds);
  sample.level = static_cast<float>(cv::mean(w.difference)[0] / seconds);
  sample.brighter = static_cast<float>(cv::mean(w.shifted)[0] - cv::mean(now)[0]);
  return sample;
}

}  // namespace qingyin
