#include "models/hub/known_models.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/text.h"

namespace qingyin {
namespace {

constexpr std::array<Licence, 5> kLicences{{
    {.id = "cc-by-nc-4.0",
     .name = "Creative Commons Attribution-NonCommercial 4.0",
     .url = "https://creativecommons.org/licenses/by-nc/4.0/",
     .use = "not for commercial use; name the authors",
     .territory = "",
     .allows_commercial_use = false},
    {.id = "apple-amlr",
     .name = "Apple Machine Learning Research Model Licence",
     .url = "https://huggingface.co/apple/DFN5B-CLIP-ViT-H-14-384/blob/main/LICENSE",
     .use = "research only; not for products or services",
     .territory = "",
     .allows_commercial_use = false},
    {.id = "mit",
     .name = "MIT License",
     .url = "https://opensource.org/license/mit",
     .use = "any use; keep the notice",
     .territory = "",
     .allows_commercial_use = true},
    {.id = "apache-2.0",
     .name = "Apache License 2.0",
     .url = "https://www.apache.org/licenses/LICENSE-2.0",
     .use = "any use; keep the notices",
     .territory = "",
     .allows_commercial_use = true},
    {.id = "cogvideox",
     .name = "CogVideoX License",
     .url = "https://huggingface.co/THUDM/CogVideoX-5b/blob/main/LICENSE",
     .use = "research freely; commercial use after registration, at most 1 million visits a month",
     .territory = "",
     .allows_commercial_use = false},
}};

constexpr std::string_view kMmaudio = "hkchengrex/MMAudio";
constexpr std::string_view kNonCommercial = "cc-by-nc-4.0";

// Digests: MD5 from mmaudio/utils/download_utils.py of hkchengrex/MMAudio; sizes and SHA-256 are
// those that the hub states for its large files.
constexpr KnownFile kSynchformer{
    .role = "synchformer",
    .repo = kMmaudio,
    .path = "ext_weights/synchformer_state_dict.pth",
    .bytes = 950058171,
    .sha256 = "8aff082f2df5c3bc52759db0c865c7ee772ae6400b860d1b7e90413f2defb67c",
    .md5 = "5b2f5594b0730f70e41e549b7c94390c",
    .licence = kNonCommercial};
constexpr KnownFile kClip{
    .role = "clip",
    .repo = "apple/DFN5B-CLIP-ViT-H-14-384",
    .path = "open_clip_pytorch_model.bin",
    .bytes = 3947081637,
    .sha256 = "c07a17b547d461c60a3cce5062b26bf8545b13de602c4c59d8490361eb716033",
    .md5 = "",
    .licence = "apple-amlr"};
constexpr KnownFile kClipVocabulary{.role = "clip_vocabulary",
                                    .repo = "apple/DFN5B-CLIP-ViT-H-14-384",
                                    .path = "merges.txt",
                                    .bytes = 0,
                                    .sha256 = "",
                                    .md5 = "",
                                    .licence = "apple-amlr"};
constexpr KnownFile kVae16k{
    .role = "vae",
    .repo = kMmaudio,
    .path = "ext_weights/v1-16.pth",
    .bytes = 686652758,
    .sha256 = "15ad082c714ccf3771898a771fc6eebdc1d9c8d5c6154726906a97f43603d62c",
    .md5 = "69f56803f59a549a1a507c93859fd4d7",
    .licence = kNonCommercial};
constexpr KnownFile kVae44k{
    .role = "vae",
    .repo = kMmaudio,
    .path = "ext_weights/v1-44.pth",
    .bytes = 1221942998,
    .sha256 = "ab6cc15dc31947675f75c950c41f4dcfd0d6d1817555ac871f809ec388e4651a",
    .md5 = "fab020275fa44c6589820ce025191600",
    .licence = kNonCommercial};
constexpr KnownFile kVocoder16k{
    .role = "vocoder",
    .repo = kMmaudio,
    .path = "ext_weights/best_netG.pt",
    .bytes = 449217313,
    .sha256 = "970ca75ee4d5ce583e9396a4534acb14971ea2b4f1c22e038f476680c868a789",
    .md5 = "eeaf372a38a9c31c362120aba2dde292",
    .licence = kNonCommercial};
constexpr KnownFile kVocoder44k{
    .role = "vocoder",
    .repo = "nvidia/bigvgan_v2_44khz_128band_512x",
    .path = "bigvgan_generator.pt",
    .bytes = 489041291,
    .sha256 = "d9fe7ec6bd0b44ed9d66973d5012d8181c1570b01e5c72df51973e241dccd357",
    .md5 = "",
    .licence = "mit"};

KnownFile flow(std::string_view path, std::uint64_t bytes, std::string_view sha256,
               std::string_view md5) {
  return {.role = "flow",
          .repo = kMmaudio,
          .path = path,
          .bytes = bytes,
          .sha256 = sha256,
          .md5 = md5,
          .licence = kNonCommercial};
}

/// The parts that turn latents into sound.
struct Decoder {
  KnownFile vae, vocoder;
};
constexpr Decoder k16k{kVae16k, kVocoder16k}, k44k{kVae44k, kVocoder44k};

KnownModel mmaudio(std::string_view id, std::string_view summary, double gigabytes,
                   const Decoder& decoder, const KnownFile& network) {
  return {id,
          summary,
          gigabytes,
          {network, decoder.vae, decoder.vocoder, kSynchformer, kClip, kClipVocabulary},
          {}};
}

/// Sizes: two bytes a parameter, four of the text encoder where it comes in four shards.
KnownModel cogvideox(std::string_view id, std::string_view summary, double gigabytes,
                     std::string_view repo, std::string_view terms) {
  return {id,
          summary,
          gigabytes,
          {},
          {{.repo = repo,
            .prefixes = {"model_index.json", "scheduler/", "tokenizer/", "text_encoder/",
                         "transformer/", "vae/"},
            .licence = terms}}};
}

std::vector<KnownModel> all_models() {
  return {
      mmaudio("mmaudio:small_16k", "video and text to sound, 16 kHz, 157 M parameters", 6.7, k16k,
              flow("weights/mmaudio_small_16k.pth", 0,
                   "61987bcbd6fc689af063075d7efaef29425f65df155dac589c07fa8173a03c1c",
                   "af93cde404179f58e3919ac085b8033b")),
      mmaudio("mmaudio:small_44k", "video and text to sound, 44.1 kHz, 157 M parameters", 7.2, k44k,
              flow("weights/mmaudio_small_44k.pth", 629946624,
                   "11fd92e860a58f0fac972706dd06034e49dceff2e1450bbde5703785c812b0f1",
                   "babd74c884783d13701ea2820a5f5b6d")),
      mmaudio("mmaudio:medium_44k", "video and text to sound, 44.1 kHz, 622 M parameters", 9.1,
              k44k,
              flow("weights/mmaudio_medium_44k.pth", 0, "", "5a56b6665e45a1e65ada534defa903d0")),
      mmaudio("mmaudio:large_44k", "video and text to sound, 44.1 kHz, 1.03 G parameters", 10.7,
              k44k,
              flow("weights/mmaudio_large_44k.pth", 0, "", "fed96c325a6785b85ce75ae1aafd2673")),
      mmaudio("mmaudio:large_44k_v2",
              "video and text to sound, 44.1 kHz, 1.03 G parameters, its authors' choice", 10.7,
              k44k,
              flow("weights/mmaudio_large_44k_v2.pth", 4122474715,
                   "a6bf693424fbd4ce0244fff8c412347714d5ac586e28dbeffadfa0f2b647af74",
                   "01ad4464f049b2d7efdaa4c1a59b8dfe")),
      cogvideox("cogvideox:2b", "text to video, 720 x 480, 6 s", 13.4, "THUDM/CogVideoX-2b",
                "apache-2.0"),
      cogvideox("cogvideox:5b", "text to video, 720 x 480, 6 s", 21.1, "THUDM/CogVideoX-5b",
                "cogvideox"),
      cogvideox("cogvideox:5b-i2v", "image to video, 720 x 480, 6 s", 21.2,
                "THUDM/CogVideoX-5b-I2V", "cogvideox"),
      cogvideox("cogvideox:1.5-5b", "text to video, 1360 x 768, 5 or 10 s", 30.6,
                "THUDM/CogVideoX1.5-5B", "cogvideox"),
      cogvideox("cogvideox:1.5-5b-i2v", "image to video, 1360 x 768, 5 or 10 s", 30.6,
                "THUDM/CogVideoX1.5-5B-I2V", "cogvideox"),
  };
}

}  // namespace

std::span<const Licence> known_licences() { return kLicences; }

std::span<const KnownModel> known_models() {
  static const std::vector<KnownModel> models = all_models();
  return models;
}

const Licence& licence(std::string_view id) {
  const auto found = std::ranges::find(kLicences, id, &Licence::id);
  require(found != kLicences.end(), ErrorCode::kInternal, "no licence is known as " + excerpt(id));
  return *found;
}

const KnownModel& known_model(std::string_view id) {
  const auto models = known_models();
  const auto found = std::ranges::find(models, id, &KnownModel::id);
  if (found != models.end()) return *found;
  std::string names;
  for (const KnownModel& model : models)
    names += (names.empty() ? "" : ", ") + std::string(model.id);
  throw Error(ErrorCode::kUsage, "no model is known as " + excerpt(id) + "; known are " + names);
}

std::vector<const Licence*> licences_of(const KnownModel& model) {
  std::vector<const Licence*> all;
  const auto add = [&](std::string_view id) {
    const Licence* const terms = &licence(id);
    if (std::ranges::find(all, terms) == all.end()) all.push_back(terms);
  };
  for (const KnownFile& file : model.files) add(file.licence);
  for (const KnownFolder& folder : model.folders) add(folder.licence);
  return all;
}

bool needs_acceptance(const Licence& licence) {
  return !licence.allows_commercial_use || !licence.territory.empty();
}

bool allows_commercial_use(const KnownModel& model) {
  return std::ranges::all_of(licences_of(model), &Licence::allows_commercial_use);
}

}  // namespace qingyin
