#include "models/checkpoint/pickle_calls.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "core/text.h"
#include "models/checkpoint/checkpoint_file.h"
#include "models/checkpoint/pickle_globals.h"

namespace qingyin {
namespace {

using Items = std::vector<std::uint32_t>;
constexpr std::size_t kMostDimensions = 8;

/// One call as it stands in a pickle: checks its arguments and says what it gives.
class Call {
 public:
  Call(PickledObject& object, const PickleGlobal& global, Items arguments,
       const std::filesystem::path& file)
      : object_(object), global_(global), arguments_(std::move(arguments)), file_(file) {}

  std::uint32_t result() {
    switch (global_.role) {
      case GlobalRole::kOrderedDict:
        need(arguments_.empty(), "takes no argument");
        return add_items(object_, PickleKind::kOrderedDict, {});
      case GlobalRole::kRebuildTensor:
        return tensor();
      case GlobalRole::kRebuildParameter:
        return parameter();
      case GlobalRole::kTorchSize:
        return size();
      case GlobalRole::kNumpyDtype:
        return numpy_dtype();
      case GlobalRole::kNumpyScalar:
        return numpy_scalar();
      case GlobalRole::kEncode:
        return encoded();
      case GlobalRole::kStorageClass:
      case GlobalRole::kTorchDtype:
        break;
    }
    need(false, "must not be called (REDUCE)");
    return 0;
  }

 private:
  [[noreturn]] void refuse(const std::string& defect) const {
    refuse_checkpoint(file_, "its pickle calls " + std::string(global_.module) + "." +
                                 std::string(global_.name) + " wrongly: " + defect);
  }
  void need(bool ok, const char* rule) const {
    if (!ok) refuse(rule);
  }
  const PickleValue& argument(std::size_t i) const { return object_.at(arguments_[i]); }
  bool is(std::size_t i, PickleKind kind) const { return argument(i).kind == kind; }
  bool is_empty_ordered_dict(std::size_t i) const {
    return is(i, PickleKind::kOrderedDict) && object_.items_of(argument(i)).empty();
  }

  /// Non-negative integers of a tuple.
  std::vector<std::int64_t> integers(std::size_t i, const std::string& what) const {
    if (!is(i, PickleKind::kTuple)) refuse(what + " is not a tuple");
    std::vector<std::int64_t> values;
    const Items& items = object_.items_of(argument(i));
    if (items.size() > kMostDimensions) refuse("more than 8 dimensions");
    for (const std::uint32_t item : items) {
      const PickleValue& value = object_.at(item);
      if (value.kind != PickleKind::kInt) refuse(what + " holds something that is no integer");
      if (value.payload < 0) refuse(what + " is negative");
      values.push_back(value.payload);
    }
    return values;
  }

  /// offset + sum((size - 1) * stride) < numel, unless a size is 0.
  bool is_inside(const PickledTensor& t) const {
    if (std::ranges::find(t.sizes, 0) != t.sizes.end()) return true;
    std::uint64_t last = t.offset;
    for (std::size_t i = 0; i < t.sizes.size(); ++i) {
      std::uint64_t step = 0;
      if (__builtin_mul_overflow(static_cast<std::uint64_t>(t.sizes[i] - 1),
                                 static_cast<std::uint64_t>(t.strides[i]), &step) ||
          __builtin_add_overflow(last, step, &last))
        return false;
    }
    return last < object_.storages[t.storage].numel;
  }

  std::uint32_t tensor() {
    need(arguments_.size() == 6, "it takes 6 arguments here (conj and neg bits are not read)");
    need(is(0, PickleKind::kStorage), "argument 1 is not a storage");
    need(is(1, PickleKind::kInt), "the offset is not an integer");
    need(argument(1).payload >= 0, "the offset is negative");
    PickledTensor t{.storage = static_cast<std::size_t>(argument(0).payload),
                    .offset = static_cast<std::uint64_t>(argument(1).payload),
                    .sizes = integers(2, "the size"),
                    .strides = integers(3, "the stride")};
    need(is(4, PickleKind::kBool), "argument requires_grad is not a bool");
    need(is_empty_ordered_dict(5), "argument backward_hooks is not an empty OrderedDict");
    need(t.sizes.size() == t.strides.size(), "size and stride differ in rank");
    need(is_inside(t), "the tensor (offset, size, stride) reaches out of the range of its storage");
    object_.tensors.push_back(std::move(t));
    return add_value(object_, PickleKind::kTensor,
                     static_cast<std::int64_t>(object_.tensors.size() - 1));
  }

  std::uint32_t parameter() {
    need(arguments_.size() == 3, "it takes 3 arguments");
    need(is(0, PickleKind::kTensor), "argument 1 of a parameter is not a tensor");
    need(is(1, PickleKind::kBool), "argument requires_grad is not a bool");
    need(is_empty_ordered_dict(2), "argument backward_hooks is not an empty OrderedDict");
    return arguments_[0];
  }

  std::uint32_t size() {
    need(arguments_.size() == 1 && is(0, PickleKind::kTuple), "its argument is not one tuple");
    Items sizes = object_.items_of(argument(0));
    for (const std::uint32_t item : sizes)
      need(object_.at(item).kind == PickleKind::kInt, "its argument holds more than integers");
    return add_items(object_, PickleKind::kSize, std::move(sizes));
  }

  std::uint32_t numpy_dtype() {
    need(arguments_.size() == 3 && is(0, PickleKind::kString) && is(1, PickleKind::kBool) &&
             is(2, PickleKind::kBool),
         "its arguments are not (string, bool, bool)");
    const std::string& name = object_.text(argument(0));
    need(name.size() >= 2 && name.size() <= 8 &&
             std::string_view("biufSU").find(name[0]) != std::string_view::npos &&
             name.find_first_not_of("0123456789", 1) == std::string::npos,
         "its argument is no plain numpy dtype");
    return add_value(object_, PickleKind::kNumpyDtype, argument(0).payload);
  }

  std::uint32_t numpy_scalar() {
    need(arguments_.size() == 2 && is(0, PickleKind::kNumpyDtype) && is(1, PickleKind::kBytes),
         "its arguments are not (dtype, bytes)");
    return add_items(object_, PickleKind::kNumpyScalar, arguments_);
  }

  std::uint32_t encoded() {
    need(arguments_.size() == 2 && is(0, PickleKind::kString) && is(1, PickleKind::kString) &&
             object_.text(argument(1)) == "latin1",
         "its arguments are not (text, 'latin1')");
    std::string bytes;
    const std::string& text = object_.text(argument(0));
    // The text is valid UTF-8; latin1 is what takes one byte, or two that begin with C2 or C3.
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      need(byte < 0xC4, "its argument is not latin1");
      if (byte < 0x80)
        bytes += text[i];
      else
        bytes += static_cast<char>(((byte & 3U) << 6U) |
                                   (static_cast<unsigned char>(text[++i]) & 0x3FU));
    }
    object_.texts.push_back(std::move(bytes));
    return add_value(object_, PickleKind::kBytes,
                     static_cast<std::int64_t>(object_.texts.size() - 1));
  }

  PickledObject& object_;
  const PickleGlobal& global_;
  Items arguments_;
  const std::filesystem::path& file_;
};

bool is_digits(std::string_view key) {
  return !key.empty() && key.size() <= 20 &&
         key.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

std::uint32_t add_value(PickledObject& object, PickleKind kind, std::int64_t payload) {
  object.values.push_back({.kind = kind, .depth = 0, .payload = payload});
  return static_cast<std::uint32_t>(object.values.size() - 1);
}

std::uint32_t add_items(PickledObject& object, PickleKind kind, std::vector<std::uint32_t> items) {
  object.items.push_back(std::move(items));
  return add_value(object, kind, static_cast<std::int64_t>(object.items.size() - 1));
}

std::uint32_t reduce_global(PickledObject& object, std::uint32_t callee, std::uint32_t arguments,
                            const std::filesystem::path& file) {
  const PickleValue& called = object.at(callee);
  if (called.kind != PickleKind::kGlobal)
    refuse_checkpoint(file, "its pickle has a REDUCE that calls something that is no global");
  if (object.at(arguments).kind != PickleKind::kTuple)
    refuse_checkpoint(file, "its pickle has a REDUCE whose arguments are no tuple");
  return Call(object, global_at(static_cast<std::size_t>(called.payload)),
              object.items_of(object.at(arguments)), file)
      .result();
}

void check_build(const PickledObject& object, std::uint32_t target, std::uint32_t state,
                 const std::filesystem::path& file) {
  const PickleValue& to = object.at(target);
  const PickleValue& from = object.at(state);
  if (to.kind == PickleKind::kNumpyDtype && from.kind == PickleKind::kTuple) return;
  const bool is_dict = from.kind == PickleKind::kDict || from.kind == PickleKind::kOrderedDict;
  if (to.kind == PickleKind::kOrderedDict && is_dict) {
    const Items& items = object.items_of(from);
    if (items.size() == 2 && object.at(items[0]).kind == PickleKind::kString &&
        object.text(object.at(items[0])) == "_metadata")
      return;
  }
  refuse_checkpoint(file,
                    "its pickle has a BUILD of something else than an OrderedDict's _metadata "
                    "attribute or a numpy dtype's state");
}

std::size_t storage_of(PickledObject& object, std::uint32_t id, PersistentIds ids,
                       std::map<std::string, std::size_t>& storages_by_key,
                       const std::filesystem::path& file) {
  const auto need = [&](bool ok, const std::string& rule) {
    if (!ok) refuse_checkpoint(file, "its pickle has a wrong persistent id of a storage: " + rule);
  };
  need(ids != PersistentIds::kNone, "none is allowed in this part");
  need(object.at(id).kind == PickleKind::kTuple, "it is not a tuple");
  const Items& items = object.items_of(object.at(id));
  const auto item = [&](std::size_t i) -> const PickleValue& { return object.at(items[i]); };
  const std::size_t count = ids == PersistentIds::kLegacy ? 6 : 5;
  need(!items.empty() && item(0).kind == PickleKind::kString && object.text(item(0)) == "storage",
       "its tag is not 'storage' (a whole module was saved?)");
  need(items.size() == count,
       "it has " + std::to_string(items.size()) + " items, expected " + std::to_string(count));
  need(count == 5 || item(5).kind == PickleKind::kNone, "views of storages are unsupported");
  need(item(1).kind == PickleKind::kGlobal, "its class is no storage class");
  const PickleGlobal& global = global_at(static_cast<std::size_t>(item(1).payload));
  need(global.role == GlobalRole::kStorageClass, "its class is no storage class");
  need(item(2).kind == PickleKind::kString && is_digits(object.text(item(2))),
       "its key is not 1 to 20 digits");
  need(item(3).kind == PickleKind::kString, "its location is not a string");
  need(item(4).kind == PickleKind::kInt && item(4).payload >= 0,
       "its numel is not a non-negative integer");

  const PickledStorage storage{.key = object.text(item(2)),
                               .dtype = global.dtype,
                               .numel = static_cast<std::uint64_t>(item(4).payload)};
  const auto [known, is_new] = storages_by_key.emplace(storage.key, object.storages.size());
  if (is_new) object.storages.push_back(storage);
  const PickledStorage& first = object.storages[known->second];
  need(first.dtype == storage.dtype,
       "storage " + storage.key + " is used with two types (dtype and class differ)");
  need(first.numel == storage.numel, "storage " + storage.key + " is used with two sizes (numel)");
  return known->second;
}

}  // namespace qingyin
