#include "pipeline/seeds.h"

#include <algorithm>

#include "core/error.h"
#include "core/philox.h"

namespace qingyin {
namespace {

std::uint64_t seed_for(std::uint64_t base, const std::string& name) {
  const std::uint64_t seed = derive_seed(base, name) >> 11;
  return seed == 0 ? 1 : seed;
}

template <class Sound>
Sound* find(std::vector<Sound>& sounds, const std::string& id) {
  const auto found =
      std::find_if(sounds.begin(), sounds.end(), [&](const Sound& s) { return s.id == id; });
  return found == sounds.end() ? nullptr : &*found;
}

template <class Sound>
bool reroll_one(Sound& sound, std::uint64_t base) {
  if (sound.locked) return false;
  const std::string name = "reroll " + std::to_string(sound.seed);
  sound.seed = seed_for(base, name + " " + sound.id);
  return true;
}

}  // namespace

void assign_seeds(EventTimeline& timeline, std::uint64_t base) {
  for (auto& event : timeline.events) {
    if (event.seed == 0) event.seed = seed_for(base, event.id);
  }
  for (auto& layer : timeline.ambience) {
    if (layer.seed == 0) layer.seed = seed_for(base, layer.id);
  }
}

std::vector<std::string> reroll(EventTimeline& timeline, const std::vector<std::string>& ids,
                                std::uint64_t base) {
  for (const auto& id : ids) {
    const bool is_known = find(timeline.events, id) || find(timeline.ambience, id);
    require(is_known, ErrorCode::kUsage,
            "cannot re-roll '" + id + "': the timeline has no event or layer of that id");
  }
  std::vector<std::string> notes;
  for (const auto& id : ids) {
    auto* event = find(timeline.events, id);
    const bool is_changed =
        event ? reroll_one(*event, base) : reroll_one(*find(timeline.ambience, id), base);
    if (!is_changed) notes.push_back("'" + id + "' is locked and keeps its sound");
  }
  return notes;
}

}  // namespace qingyin
