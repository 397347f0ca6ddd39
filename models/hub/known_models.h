#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace qingyin {

/// Terms that a published model comes under, in short; the text at `url` is what counts.
struct Licence {
  std::string_view id;         // stable name: acceptance is recorded under it
  std::string_view name;       // as its publisher writes it
  std::string_view url;        // of its text
  std::string_view use;        // what the weights may be used for, one line
  std::string_view territory;  // where it does not apply, or empty
  bool allows_commercial_use;
};

/// One published file. Digests that are not known are empty: the hub's own digest is checked then.
struct KnownFile {
  std::string_view role;  // what an engine asks for: "flow", "vae", "clip"
  std::string_view repo;  // "hkchengrex/MMAudio"
  std::string_view path;  // in the repository
  std::uint64_t bytes;    // 0: not known
  std::string_view sha256;
  std::string_view md5;
  std::string_view licence;
};

/// A published folder whose file list is the hub's: everything below `prefixes` and `files`.
struct KnownFolder {
  std::string_view repo;
  std::vector<std::string_view> prefixes;  // "transformer/"
  std::string_view licence;
};

/// A model that an engine can run.
struct KnownModel {
  std::string_view id;  // "mmaudio:small_16k": the engine's name on the command line
  std::string_view summary;
  double gigabytes;  // that `pull` fetches, about
  std::vector<KnownFile> files;
  std::vector<KnownFolder> folders;
};

std::span<const Licence> known_licences();
std::span<const KnownModel> known_models();

/// @throws Error kInternal if it is in no table
const Licence& licence(std::string_view id);
/// @throws Error kUsage naming the models that are known
const KnownModel& known_model(std::string_view id);
/// The licences of a model's parts, each once.
std::vector<const Licence*> licences_of(const KnownModel& model);
/// Whether a licence limits what its weights may be used for, so that a person has to accept it.
bool needs_acceptance(const Licence& licence);
/// Whether every part may be used commercially.
bool allows_commercial_use(const KnownModel& model);

}  // namespace qingyin
