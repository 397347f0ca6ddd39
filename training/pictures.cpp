#include "training/pictures.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "audio_gen/bundled/representation.h"
#include "core/atomic_file.h"
#include "core/error.h"

namespace qingyin::training {
namespace {

constexpr std::int64_t kWave = 48, kGap = 4;  // pixels
constexpr std::uint8_t kWaveShade = 200, kGapShade = 255;
constexpr float kBrightest = 6;  // log-mel

void append(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xFFU);
}

void append_chunk(std::string& out, const std::string& type, const std::string& data) {
  append(out, static_cast<std::uint32_t>(data.size()));
  const std::string body = type + data;
  out += body;
  append(out, static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(body.data()),
                                               static_cast<uInt>(body.size()))));
}

std::string deflated(const std::string& raw) {
  uLongf size = compressBound(static_cast<uLong>(raw.size()));
  std::string out(size, '\0');
  const int failure = compress2(reinterpret_cast<Bytef*>(out.data()), &size,
                                reinterpret_cast<const Bytef*>(raw.data()),
                                static_cast<uLong>(raw.size()), Z_BEST_COMPRESSION);
  require(failure == Z_OK, ErrorCode::kInternal, "png: zlib could not compress the picture");
  out.resize(size);
  return out;
}

std::string palette() {
  using Colour = std::array<double, 3>;
  constexpr std::array<Colour, 5> kStops{
      {{0, 0, 0}, {60, 10, 110}, {190, 50, 90}, {250, 160, 40}, {255, 255, 255}}};
  std::string out;
  for (int i = 0; i < 256; ++i) {
    const double place = i / 255.0 * (kStops.size() - 1);
    const auto k = std::min(static_cast<std::size_t>(place), kStops.size() - 2);
    for (std::size_t c = 0; c < 3; ++c) {
      const double value =
          std::lerp(kStops[k][c], kStops[k + 1][c], place - static_cast<double>(k));
      out += static_cast<char>(std::lround(value));
    }
  }
  return out;
}

/// Draws one sound from column `left` on.
void draw(Picture& picture, std::int64_t left, const std::vector<float>& sound) {
  const auto mel = bundled::clamped_log_mel(sound);
  const auto frames = static_cast<std::int64_t>(mel.size()) / bundled::kMelBands;
  const auto set = [&](std::int64_t x, std::int64_t y, std::uint8_t shade) {
    picture.pixels[static_cast<std::size_t>(y * picture.width + x)] = shade;
  };
  for (std::int64_t f = 0; f < frames; ++f) {
    for (std::int64_t m = 0; m < bundled::kMelBands; ++m) {
      const float value = mel[static_cast<std::size_t>(f * bundled::kMelBands + m)];
      const float part =
          (value - bundled::kQuietestLogMel) / (kBrightest - bundled::kQuietestLogMel);
      set(left + f, bundled::kMelBands - 1 - m,
          static_cast<std::uint8_t>(std::clamp(part, 0.0F, 1.0F) * 255));
    }
    const auto piece = std::span(sound).subspan(static_cast<std::size_t>(f * bundled::kHop),
                                                static_cast<std::size_t>(bundled::kHop));
    float peak = 0;
    for (const float v : piece) peak = std::max(peak, std::abs(v));
    const auto half = static_cast<std::int64_t>(std::min(1.0F, 2 * peak) * (kWave / 2 - 1));
    for (std::int64_t y = -half; y <= half; ++y) {
      set(left + f, bundled::kMelBands + kGap + kWave / 2 + y, kWaveShade);
    }
  }
}

}  // namespace

Picture sounds_picture(const std::vector<std::vector<float>>& sounds) {
  std::int64_t width = 0;
  for (const auto& s : sounds) width += static_cast<std::int64_t>(s.size()) / bundled::kHop + kGap;
  Picture picture{width, bundled::kMelBands + kGap + kWave, {}};
  picture.pixels.resize(static_cast<std::size_t>(picture.width * picture.height));
  std::int64_t left = 0;
  for (const auto& sound : sounds) {
    draw(picture, left, sound);
    left += static_cast<std::int64_t>(sound.size()) / bundled::kHop;
    for (std::int64_t y = 0; y < picture.height; ++y) {
      for (std::int64_t x = left; x < left + kGap; ++x) {
        picture.pixels[static_cast<std::size_t>(y * picture.width + x)] = kGapShade;
      }
    }
    left += kGap;
  }
  return picture;
}

void write_png(const Picture& picture, const std::filesystem::path& path) {
  std::string header, rows;
  append(header, static_cast<std::uint32_t>(picture.width));
  append(header, static_cast<std::uint32_t>(picture.height));
  header += std::string{8, 3, 0, 0, 0};  // bits, palette, deflate, plain filters, not interlaced
  for (std::int64_t y = 0; y < picture.height; ++y) {
    rows += '\0';
    const auto row = picture.pixels.begin() + y * picture.width;
    rows.append(row, row + picture.width);
  }
  std::string file("\x89PNG\r\n\x1a\n");
  append_chunk(file, "IHDR", header);
  append_chunk(file, "PLTE", palette());
  append_chunk(file, "IDAT", deflated(rows));
  append_chunk(file, "IEND", "");
  write_file_atomically(path, file, Overwrite::kYes);
}

}  // namespace qingyin::training
