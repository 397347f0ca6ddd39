#include "video_gen/prompt/presets.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/text.h"

namespace qingyin::prompt {
namespace {

constexpr std::array<Preset, 14> kStyles{{
    {"realistic", "写实", "photorealistic, natural colours, fine detail"},
    {"documentary", "纪录片", "documentary footage, unposed, true to life"},
    {"film", "电影", "a scene of a feature film, anamorphic look, shallow depth of field"},
    {"anime", "动漫", "everyday anime, clean line art, soft cel shading"},
    {"fantasy-anime", "奇幻动漫", "fantasy anime, painted backgrounds, glowing particles"},
    {"3d-animation", "三维动画", "stylised 3D animation, rounded shapes, soft global illumination"},
    {"claymation", "黏土动画", "stop-motion clay animation with visible fingerprints"},
    {"sci-fi", "科幻", "science fiction, neon reflections, haze, fine machinery"},
    {"cyberpunk", "赛博朋克", "cyberpunk city, magenta and cyan neon, wet streets"},
    {"ink-painting", "水墨", "an ink wash painting set in motion, flowing brush strokes"},
    {"oil-painting", "油画", "an oil painting set in motion, thick visible brush strokes"},
    {"vintage", "复古", "vintage 16 mm film, grain, faded colours, slight gate weave"},
    {"macro", "微距", "macro photography, razor-thin focus, tiny textures"},
    {"commercial", "广告", "a polished commercial, immaculate surfaces, studio lighting"},
}};

constexpr std::array<Preset, 10> kMoods{{
    {"calm", "宁静", "a calm, unhurried atmosphere"},
    {"joyful", "欢快", "a joyful, light-hearted atmosphere"},
    {"tense", "紧张", "a tense atmosphere, something is about to happen"},
    {"mysterious", "神秘", "a mysterious, half-hidden atmosphere"},
    {"epic", "史诗", "an epic, monumental atmosphere"},
    {"romantic", "浪漫", "a tender, romantic atmosphere"},
    {"melancholic", "忧伤", "a quiet, melancholic atmosphere"},
    {"lonely", "孤独", "a lonely, spacious atmosphere"},
    {"cosy", "温馨", "a warm, cosy atmosphere"},
    {"energetic", "激烈", "an energetic, driving atmosphere"},
}};

constexpr std::array<Preset, 17> kCameras{{
    {"static", "固定镜头", "a static camera"},
    {"push-in", "推镜头", "the camera slowly pushes in"},
    {"pull-out", "拉镜头", "the camera slowly pulls out"},
    {"pan-left", "左摇", "the camera pans to the left"},
    {"pan-right", "右摇", "the camera pans to the right"},
    {"tilt-up", "上摇", "the camera tilts up"},
    {"tilt-down", "下摇", "the camera tilts down"},
    {"tracking", "跟拍", "a tracking shot that follows the subject"},
    {"orbit", "环绕", "the camera orbits the subject"},
    {"aerial", "航拍", "an aerial shot from a drone"},
    {"handheld", "手持", "a handheld camera with slight sway"},
    {"close-up", "特写", "a close-up"},
    {"extreme-close-up", "大特写", "an extreme close-up"},
    {"medium-shot", "中景", "a medium shot"},
    {"wide-shot", "全景", "a wide shot"},
    {"low-angle", "低角度", "a low-angle shot"},
    {"high-angle", "高角度", "a high-angle shot"},
}};

constexpr std::array<Preset, 8> kLights{{
    {"daylight", "日光", "soft daylight"},
    {"golden-hour", "黄金时刻", "warm light of the golden hour with long shadows"},
    {"overcast", "阴天", "even light under an overcast sky"},
    {"backlight", "逆光", "strong backlight and glowing rims"},
    {"moonlight", "月光", "cold moonlight"},
    {"candle", "烛光", "flickering candlelight"},
    {"neon", "霓虹", "coloured neon light"},
    {"studio", "影棚光", "soft studio light"},
}};

}  // namespace

std::span<const Preset> styles() { return kStyles; }
std::span<const Preset> moods() { return kMoods; }
std::span<const Preset> cameras() { return kCameras; }
std::span<const Preset> lights() { return kLights; }

const Preset& find_preset(std::span<const Preset> presets, std::string_view name,
                          std::string_view what) {
  const auto found = std::ranges::find_if(
      presets, [&](const Preset& preset) { return preset.name == name || preset.chinese == name; });
  if (found != presets.end()) return *found;
  std::string names;
  for (const Preset& preset : presets)
    names += (names.empty() ? "" : ", ") + std::string(preset.name);
  throw Error(ErrorCode::kUsage,
              excerpt(name) + " is no " + std::string(what) + "; expected one of " + names);
}

}  // namespace qingyin::prompt
