#pragma once

namespace qingyin::test {

/// How far two tensors may be apart: |got - expected| <= absolute + relative * |expected|
/// + of_rms * rms(expected), element by element.
struct Tolerance {
  double absolute = 0;
  double relative = 0;
  double of_rms = 0;
};

// One row per family, device and dtype. Basis: what the fixtures' README measured between float32
// and float64 runs of the reference, in the comment; the limit is that README's as well.
inline constexpr Tolerance kExact{};
inline constexpr Tolerance kFloat32Cpu{.absolute = 1e-5, .relative = 1e-4};
inline constexpr Tolerance kMmaudioFloat32Cpu{.of_rms = 1e-4};           // 8e-6
inline constexpr Tolerance kMmaudioClipFloat32Cpu{.of_rms = 5e-5};       // 3e-6
inline constexpr Tolerance kMmaudioFlowV2Float32Cpu{.of_rms = 3e-4};     // 4e-6
inline constexpr Tolerance kMmaudioVaeFloat32Cpu{.of_rms = 5e-5};        // 2e-6
inline constexpr Tolerance kMmaudioSamplerFloat32Cpu{.of_rms = 1e-3};    // 5e-5
inline constexpr Tolerance kMmaudioMelFloat32Cpu{.absolute = 1e-3};      // 3e-5
inline constexpr Tolerance kCogvideoxFloat32Cpu{.of_rms = 5e-5};         // 9.0e-6
inline constexpr Tolerance kCogvideoxSamplerFloat32Cpu{.of_rms = 1e-5};  // 9.9e-7
inline constexpr Tolerance kCogvideoxPositions{.absolute = 2e-5};
inline constexpr Tolerance kCogvideoxPipelineFloat32Cpu{.of_rms = 2e-4};  // 8.6e-6
inline constexpr Tolerance kHunyuanFoleyFloat32Cpu{.of_rms = 1e-5};       // 1.2e-6

}  // namespace qingyin::test
