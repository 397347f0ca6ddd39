#include "training/foley_data.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <string>

#include "audio_gen/bundled/event_control.h"
#include "audio_gen/bundled/representation.h"
#include "audio_gen/vocabulary.h"
#include "core/philox.h"
#include "models/checkpoint/tensor_io.h"
#include "training/sound_pool.h"

namespace qingyin::training {
namespace {

using bundled::kContextTokens;
using bundled::kLatentSize;
using bundled::kWindowTokens;

/// Windows of 32 tokens go on by 24: two in a sound that ends by itself, three in a sustained one.
constexpr std::int64_t kStride = kWindowTokens - kContextTokens;
constexpr std::int64_t kTokens = kWindowTokens + kStride;
constexpr std::int64_t kSustainedTokens = kWindowTokens + 2 * kStride;
/// How the set of sounds grows with the steps while it is being rendered.
constexpr std::int64_t kFirstSounds = 1400, kSoundsPerStep = 8;
/// Share of windows that go on from given tokens.
constexpr double kContinued = 0.25, kContinuedTexture = 0.5;

struct WindowChoice {
  std::int64_t first;  // token
  bool has_context;
};

WindowChoice choose_window(const FoleyItem& item, float whether, float where) {
  const std::int64_t tokens = item.latents.size(0);
  if (item.is_texture) {
    const auto range = static_cast<float>(tokens - kWindowTokens + 1);
    return {static_cast<std::int64_t>(where * range), whether < kContinuedTexture};
  }
  if (whether >= kContinued) return {0, false};
  // Continuations begin at any token past the attack, not only where the engine cuts.
  const auto range = static_cast<float>(tokens - kWindowTokens);
  return {1 + static_cast<std::int64_t>(where * range), true};
}

at::Tensor control_of(const FoleyItem& item, std::int64_t first) {
  const bundled::SoundCourse course{item.is_texture, item.is_sustained, item.recipe.duration_s,
                                    item.recipe.level_curve};
  return at::tensor(bundled::event_control(course, first, kWindowTokens))
      .view({kWindowTokens, bundled::kControls});
}

}  // namespace

FoleyItem make_foley_item(const bundled::LatentCodec& codec, std::uint64_t seed,
                          std::int64_t index) {
  const auto id = static_cast<std::size_t>(index) % sound_classes().size();
  const bool is_sustained = sound_classes()[id].shape == SoundShape::kSustained;
  const std::int64_t tokens = is_sustained ? kSustainedTokens : kTokens;
  const double length_s =
      static_cast<double>(tokens * bundled::kTokenSamples) / bundled::kSampleRate;
  TrainingSound sound = training_sound(seed, index, length_s);
  const auto mel = bundled::clamped_log_mel(sound.samples);
  const at::Tensor latents = at::tensor(codec.encode(mel)).view({-1, kLatentSize});
  return {std::move(sound.recipe), sound.is_texture, is_sustained, latents.to(at::kHalf)};
}

std::int64_t sound_index(const ClassRepeats& repeats, std::int64_t place) {
  const auto classes = static_cast<std::int64_t>(sound_classes().size());
  std::vector<std::int64_t> of_class, turn;  // of one round: classes, and how many times before
  for (std::int64_t c = 0; c < classes; ++c) {
    const auto found = repeats.find(std::string(sound_classes()[static_cast<std::size_t>(c)].name));
    const std::int64_t times = found == repeats.end() ? 1 : found->second;
    for (std::int64_t t = 0; t < times; ++t) {
      of_class.push_back(c);
      turn.push_back(t);
    }
  }
  const auto slot = static_cast<std::size_t>(place) % of_class.size();
  const auto round = place / std::ssize(of_class);
  const auto times = std::ranges::count(of_class, of_class[slot]);
  return of_class[slot] + classes * (round * times + turn[slot]);
}

FoleyData::FoleyData(const bundled::LatentCodec& codec, const Settings& settings)
    : codec_(codec), settings_(settings) {
  settings_.sounds =
      (settings_.sounds + settings_.per_file - 1) / settings_.per_file * settings_.per_file;
  items_.reserve(static_cast<std::size_t>(settings_.sounds));
  std::filesystem::create_directories(settings_.folder);
  maker_ = std::thread([this] { make_files(); });
}

FoleyData::~FoleyData() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  maker_.join();
}

void FoleyData::make_files() {
  for (std::int64_t file = 0; file < settings_.sounds / settings_.per_file; ++file) {
    std::vector<FoleyItem> made;
    std::exception_ptr failure;
    try {
      made = make_file(file);
    } catch (...) {
      failure = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    if (stop_) return;
    failure_ = failure;
    for (auto& item : made) items_.push_back(std::move(item));
    ready_ = items_.size();
    more_.notify_all();
    if (failure) return;
  }
}

std::vector<FoleyItem> FoleyData::make_file(std::int64_t index) {
  const auto path = settings_.folder / ("sounds-" + std::to_string(index) + ".safetensors");
  std::vector<FoleyItem> items(static_cast<std::size_t>(settings_.per_file));
  TensorMap stored;
  if (std::filesystem::exists(path)) stored = read_safetensors(path).tensors;
  const bool is_stored = !stored.empty();
  in_parallel(settings_.per_file, settings_.threads, [&](std::int64_t i) {
    const std::int64_t place = index * settings_.per_file + i;
    const std::int64_t number = sound_index(settings_.repeats, place);
    auto& item = items[static_cast<std::size_t>(i)];
    if (!is_stored) {
      item = make_foley_item(codec_, settings_.seed, number);
      return;
    }
    const std::string name = std::to_string(number);
    const auto id = static_cast<std::size_t>(number) % sound_classes().size();
    const SoundShape shape = sound_classes()[id].shape;
    item = {training_recipe(settings_.seed, number), shape == SoundShape::kTexture,
            shape == SoundShape::kSustained, stored.at(name)};
  });
  if (is_stored) return items;
  for (std::int64_t i = 0; i < settings_.per_file; ++i) {
    const std::int64_t number = sound_index(settings_.repeats, index * settings_.per_file + i);
    stored[std::to_string(number)] = items[static_cast<std::size_t>(i)].latents;
  }
  write_safetensors(path, stored, {{"seed", std::to_string(settings_.seed)}}, Overwrite::kYes);
  return items;
}

const std::vector<FoleyItem>& FoleyData::wait_for(std::size_t count) {
  std::unique_lock lock(mutex_);
  more_.wait(lock, [&] { return ready_ >= count || failure_; });
  if (failure_) std::rethrow_exception(failure_);
  return items_;
}

FoleyBatch foley_batch(const std::vector<const FoleyItem*>& items, const Philox& random,
                       double drop_share) {
  std::vector<at::Tensor> latents, control, context, is_context;
  std::vector<std::int64_t> class_row, material_row;
  std::vector<float> traits;
  for (std::size_t b = 0; b < items.size(); ++b) {
    const auto draw = static_cast<std::uint64_t>(4 * b);
    const FoleyItem& item = *items[b];
    const WindowChoice window =
        choose_window(item, random.uniform(draw + 1), random.uniform(draw + 2));
    const bool is_known = random.uniform(draw + 3) >= static_cast<float>(drop_share);
    const at::Tensor whole = item.latents.narrow(0, window.first, kWindowTokens).to(at::kFloat);
    at::Tensor given = at::zeros({kWindowTokens, 1});
    if (window.has_context) given.narrow(0, 0, kContextTokens).fill_(1);
    latents.push_back(whole);
    context.push_back(whole * given);
    is_context.push_back(given);
    control.push_back(control_of(item, window.first));
    class_row.push_back(is_known ? item.recipe.class_id + 1 : 0);
    material_row.push_back(is_known ? item.recipe.material_id + 1 : 0);
    const auto trait = [&](double x) { return is_known ? static_cast<float>(x) : 0.0F; };
    traits.insert(traits.end(), {trait(item.recipe.size), trait(item.recipe.intensity),
                                 item.is_texture ? 1.0F : 0.0F, trait(1)});
  }
  const auto size = static_cast<std::int64_t>(items.size());
  return {at::stack(latents),
          {at::tensor(class_row), at::tensor(material_row), at::tensor(traits).view({size, -1}),
           at::stack(control), at::stack(context), at::stack(is_context)}};
}

FoleyBatch FoleyData::batch(std::int64_t step, std::int64_t size, double drop_share) {
  const std::int64_t known = std::min(settings_.sounds, kFirstSounds + kSoundsPerStep * step);
  const auto& items = wait_for(static_cast<std::size_t>(known));
  const Philox random(derive_seed(settings_.seed, "foley windows"),
                      static_cast<std::uint64_t>(step));
  std::vector<const FoleyItem*> picked;
  for (std::int64_t b = 0; b < size; ++b) {
    const auto draw = static_cast<std::uint64_t>(4 * b);
    const auto pick = static_cast<std::int64_t>(random.uniform(draw) * static_cast<float>(known));
    picked.push_back(&items[static_cast<std::size_t>(std::min(pick, known - 1))]);
  }
  return foley_batch(picked, random, drop_share);
}

}  // namespace qingyin::training
