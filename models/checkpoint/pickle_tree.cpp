// What may be reached from the root of a pickle, and under which names.
#include <algorithm>
#include <set>
#include <utility>

#include "core/text.h"
#include "models/checkpoint/checkpoint_file.h"
#include "models/checkpoint/pickle.h"
#include "models/checkpoint/pickle_globals.h"

namespace qingyin {
namespace {

constexpr std::uint32_t kDeepest = 64;
constexpr std::uint32_t kMostValues = 1'000'000;

bool has_items(PickleKind kind) {
  return kind == PickleKind::kList || kind == PickleKind::kTuple || kind == PickleKind::kDict ||
         kind == PickleKind::kOrderedDict || kind == PickleKind::kSize ||
         kind == PickleKind::kNumpyScalar;
}

bool is_dict(PickleKind kind) {
  return kind == PickleKind::kDict || kind == PickleKind::kOrderedDict;
}

/// Height and expanded size of every value below the root, children first, without recursion.
class Extent {
 public:
  Extent(const PickledObject& object, const std::filesystem::path& file)
      : object_(object), file_(file), facts_(object.values.size()) {}

  void check() {
    enter(object_.root);
    while (!open_.empty()) {
      Frame& frame = open_.back();
      const auto& items = object_.items_of(object_.at(frame.value));
      if (frame.next == items.size()) {
        leave();
        continue;
      }
      const std::uint32_t child = items[frame.next++];
      if (facts_[child].state == State::kOpen)
        refuse_checkpoint(file_, "its pickle holds a value that contains itself (a cycle)");
      if (facts_[child].state == State::kNew) enter(child);
    }
  }

 private:
  enum class State : std::uint8_t { kNew, kOpen, kDone };
  struct Facts {
    State state = State::kNew;
    std::uint32_t height = 0, count = 1;
  };
  struct Frame {
    std::uint32_t value;
    std::size_t next = 0;
  };

  void enter(std::uint32_t value) {
    if (!has_items(object_.at(value).kind)) {
      facts_[value].state = State::kDone;
      return;
    }
    facts_[value].state = State::kOpen;
    open_.push_back({value});
  }

  void leave() {
    const std::uint32_t value = open_.back().value;
    open_.pop_back();
    std::uint32_t height = 0;
    std::uint64_t count = 1;
    for (const std::uint32_t child : object_.items_of(object_.at(value))) {
      height = std::max(height, facts_[child].height);
      count = std::min<std::uint64_t>(count + facts_[child].count, kMostValues + 1);
    }
    if (height + 1 > kDeepest)
      refuse_checkpoint(file_, "its pickle is nested deeper than 64 levels");
    if (count > kMostValues)
      refuse_checkpoint(file_, "its pickle expands to too many values (limit 1000000)");
    facts_[value] = {State::kDone, height + 1, static_cast<std::uint32_t>(count)};
  }

  const PickledObject& object_;
  const std::filesystem::path& file_;
  std::vector<Facts> facts_;
  std::vector<Frame> open_;
};

/// Walks the tree, whose depth `check_extent` has bounded.
class TensorNames {
 public:
  TensorNames(const PickledObject& object, const std::filesystem::path& file)
      : object_(object), file_(file) {}

  std::map<std::string, std::size_t> run() {
    const PickleValue& root = object_.at(object_.root);
    if (!is_dict(root.kind))
      refuse_checkpoint(file_, "the root of its pickle is not a dict of tensors");
    visit_dict(object_.items_of(root), "");
    return std::move(found_);
  }

 private:
  void visit(std::uint32_t id, const std::string& name) {
    const PickleValue& value = object_.at(id);
    if (value.kind == PickleKind::kTensor) {
      if (!found_.emplace(name, static_cast<std::size_t>(value.payload)).second)
        refuse_checkpoint(file_, "has two tensors (a duplicate) of the name " + excerpt(name, 100));
    } else if (is_dict(value.kind)) {
      visit_dict(object_.items_of(value), name + '.');
    } else if (value.kind == PickleKind::kList || value.kind == PickleKind::kTuple) {
      std::size_t index = 0;
      for (const std::uint32_t item : object_.items_of(value))
        visit(item, name + '.' + std::to_string(index++));
    } else if (value.kind == PickleKind::kStorage) {
      refuse_checkpoint(file_, "holds a bare storage where data was expected");
    } else if (value.kind == PickleKind::kGlobal &&
               global_at(static_cast<std::size_t>(value.payload)).role != GlobalRole::kTorchDtype) {
      refuse_checkpoint(file_, "holds a global where data was expected");
    }
  }

  void visit_dict(const std::vector<std::uint32_t>& items, const std::string& prefix) {
    std::set<std::string> keys;
    for (std::size_t i = 0; i < items.size(); i += 2) {
      const PickleValue& key = object_.at(items[i]);
      const std::string text =
          key.kind == PickleKind::kString ? object_.text(key) : std::to_string(key.payload);
      if (!keys.insert(text).second)
        refuse_checkpoint(file_, "has a dict with two keys (a duplicate) " + excerpt(text, 100));
      visit(items[i + 1], prefix + text);
    }
  }

  const PickledObject& object_;
  const std::filesystem::path& file_;
  std::map<std::string, std::size_t> found_;
};

}  // namespace

void check_extent(const PickledObject& object, const std::filesystem::path& file) {
  Extent(object, file).check();
}

std::map<std::string, std::size_t> named_tensors(const PickledObject& object,
                                                 const std::filesystem::path& file) {
  return TensorNames(object, file).run();
}

}  // namespace qingyin
