#include "audio_gen/bundled/adapted_flow.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <functional>
#include <iterator>

#include "audio_gen/vocabulary.h"
#include "core/error.h"
#include "core/text.h"
#include "models/checkpoint/load_weights.h"

namespace qingyin::bundled {
namespace {

constexpr const char* kTable = "class_table.weight";
constexpr const char* kRows = "foley/class_rows";

[[noreturn]] void refuse(const LoadedAdapter& adapter, const std::string& what) {
  throw Error(ErrorCode::kBadCheckpoint, printable(adapter.choice.file) + ": " + what,
              "bad_adapter");
}

/// Which classes an adapter acts on: the id, and its place in the adapter's list.
using Places = std::vector<std::pair<int, std::int64_t>>;

int known_class(const LoadedAdapter& adapter, const std::string& name, std::size_t known) {
  const auto id = class_id(name);
  if (!id || static_cast<std::size_t>(*id) >= known) {
    refuse(adapter, "it knows a class " + excerpt(name) + " that these weights do not");
  }
  return *id;
}

Places places_of(const LoadedAdapter& adapter, const FlowTransformerConfig& config,
                 std::vector<AdapterClass>& new_classes) {
  const auto rows = adapter.tensors.find(kRows);
  const auto& classes = adapter.facts.classes;
  const auto count = static_cast<std::int64_t>(classes.size());
  if (rows == adapter.tensors.end() || rows->second.dim() != 2 || rows->second.size(0) != count ||
      rows->second.size(1) != config.dim) {
    refuse(adapter, "its class_rows are missing or have another shape");
  }
  Places places;
  for (std::int64_t k = 0; k < count; ++k) {
    const AdapterClass& c = classes[static_cast<std::size_t>(k)];
    if (!c.is_new) {
      places.emplace_back(known_class(adapter, c.name, config.classes.size()), k);
      continue;
    }
    known_class(adapter, c.like, config.classes.size());
    const bool is_taken =
        class_id(c.name) || std::any_of(new_classes.begin(), new_classes.end(),
                                        [&](const auto& o) { return o.name == c.name; });
    require(!is_taken, ErrorCode::kUsage,
            printable(adapter.choice.file) + ": there is a class " + excerpt(c.name) +
                " already, in the program or in another adapter; give one of them");
    places.emplace_back(static_cast<int>(sound_classes().size() + new_classes.size()), k);
    new_classes.push_back(c);
  }
  return places;
}

/// The table with a row for every new class behind the known ones: that of the class it is like.
at::Tensor grown_table(const at::Tensor& table, const std::vector<AdapterClass>& new_classes) {
  std::vector<at::Tensor> rows{table};
  for (const AdapterClass& c : new_classes) {
    rows.push_back(table.narrow(0, class_id(c.like).value() + 1, 1));
  }
  return at::cat(rows);
}

/// Class -> adapter -> the class's place in it.
using Parts = std::map<int, std::map<std::size_t, std::int64_t>>;

std::vector<std::size_t> adapters_of(const std::map<std::size_t, std::int64_t>& places) {
  std::vector<std::size_t> all;
  for (const auto& [adapter, place] : places) all.push_back(adapter);
  return all;
}

/// The base weights under some of the adapters.
/// @param row_of  a class's row in the grown table
TensorMap merged(const TensorMap& base, const std::vector<LoadedAdapter>& adapters,
                 const std::vector<std::size_t>& chosen, const Parts& parts, at::Tensor table,
                 const std::function<std::int64_t(int)>& row_of) {
  TensorMap weights = with_float_type(base, at::kFloat);
  for (const std::size_t a : chosen) {
    const LoadedAdapter& adapter = adapters[a];
    add_low_rank(weights, adapter, "foley");
    if (adapter.choice.scale == 0) continue;
    for (const auto& [id, places] : parts) {
      const auto place = places.find(a);
      if (place == places.end()) continue;
      table[row_of(id)] += adapter.choice.scale * adapter.tensors.at(kRows)[place->second];
    }
  }
  weights[kTable] = std::move(table);
  return weights;
}

}  // namespace

AdaptedFlow::AdaptedFlow(const TensorMap& base, const FlowTransformerConfig& config,
                         const std::string& base_sha256,
                         const std::vector<LoadedAdapter>& adapters) {
  Parts parts;
  for (std::size_t a = 0; a < adapters.size(); ++a) {
    const LoadedAdapter& adapter = adapters[a];
    if (adapter.facts.foley_base.empty()) continue;
    require_base(adapter.choice.file, "foley", adapter.facts.foley_base, base_sha256);
    for (const auto& [id, place] : places_of(adapter, config, new_classes_)) {
      parts[id].emplace(a, place);
    }
  }
  if (parts.empty()) return;
  FlowTransformerConfig grown = config;
  for (const AdapterClass& c : new_classes_) grown.classes.push_back(c.name);
  const auto known = static_cast<std::int64_t>(config.classes.size());
  const auto row_of = [known](int id) {
    return id < known ? id + 1 : id - std::ssize(sound_classes()) + known + 1;
  };
  const at::Tensor table = grown_table(with_float_type(base, at::kFloat).at(kTable), new_classes_);
  // One network for all classes that the same adapters act on.
  std::map<std::vector<std::size_t>, FlowTransformer> made;
  for (const auto& [id, places] : parts) {
    const auto chosen = adapters_of(places);
    if (!made.contains(chosen)) {
      FlowTransformer flow(grown);
      load_weights(*flow, merged(base, adapters, chosen, parts, table.clone(), row_of), "adapter");
      made.emplace(chosen, std::move(flow));
    }
    choices_.emplace(id, Choice{made.at(chosen), row_of(id)});
  }
}

const AdaptedFlow::Choice* AdaptedFlow::find(int class_id) const {
  const auto found = choices_.find(class_id);
  return found == choices_.end() ? nullptr : &found->second;
}

}  // namespace qingyin::bundled
