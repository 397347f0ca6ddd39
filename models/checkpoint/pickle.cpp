#include "models/checkpoint/pickle.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include "core/text.h"
#include "models/checkpoint/checkpoint_file.h"
#include "models/checkpoint/pickle_calls.h"
#include "models/checkpoint/pickle_globals.h"

namespace qingyin {
namespace {

constexpr std::size_t kMostOpcodes = 5'000'000;
constexpr std::size_t kMostOnStack = 100'000;
constexpr std::uint32_t kHighestMemo = 1'000'000;
constexpr std::uint8_t kDeepestPickle = 64;
constexpr std::size_t kLongestGlobal = 1024;
constexpr std::uint32_t kUnset = std::numeric_limits<std::uint32_t>::max();

/// The pickle machine: a stack, its marks and the memo, over the opcodes of the read list.
class PickleMachine {
 public:
  PickleMachine(std::string_view bytes, PersistentIds ids, const std::filesystem::path& file)
      : bytes_(bytes), ids_(ids), file_(file) {}

  PickledObject run() {
    if (take(1) != "\x80") refuse("does not begin with PROTO");
    const auto protocol = static_cast<unsigned char>(take(1)[0]);
    if (protocol < 2 || protocol > 4)
      refuse("is of protocol " + std::to_string(protocol) + ", expected 2 to 4");
    for (std::size_t count = 0;; ++count) {
      if (count == kMostOpcodes) refuse("has more than 5 million opcodes, the limit");
      const auto opcode = static_cast<unsigned char>(take(1)[0]);
      if (opcode == '.') break;
      step(opcode);
      if (stack_.size() > kMostOnStack || marks_.size() > kMostOnStack)
        refuse("has a stack deeper than 100000 values or MARKs");
    }
    if (!marks_.empty()) refuse("has an open MARK at STOP");
    if (stack_.empty()) refuse("has an empty stack at STOP (underflow)");
    if (stack_.size() != 1) refuse("has more than one value on the stack at STOP");
    object_.root = stack_.back();
    return std::move(object_);
  }

  std::size_t consumed() const { return at_; }

 private:
  [[noreturn]] void refuse(const std::string& defect) const {
    refuse_checkpoint(file_, "its pickle " + defect);
  }

  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size() - at_)
      refuse("is truncated: a length of " + std::to_string(count) + " with " +
             std::to_string(bytes_.size() - at_) + " bytes left");
    const std::string_view part = bytes_.substr(at_, static_cast<std::size_t>(count));
    at_ += part.size();
    return part;
  }

  std::uint64_t take_number(std::size_t size) {
    const std::string_view raw = take(size);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i)
      value |= static_cast<std::uint64_t>(static_cast<unsigned char>(raw[i])) << (8 * i);
    return value;
  }

  std::string take_line() {
    const std::string_view rest = bytes_.substr(at_, kLongestGlobal);
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos)
      refuse("names a GLOBAL that is truncated or too long: no newline");
    at_ += end + 1;
    return std::string(rest.substr(0, end));
  }

  void push(std::uint32_t value) { stack_.push_back(value); }
  void push(PickleKind kind, std::int64_t payload) { push(add_value(object_, kind, payload)); }

  std::uint32_t pop(const char* opcode) {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back()))
      refuse(std::string("stack underflow at ") + opcode);
    const std::uint32_t value = stack_.back();
    stack_.pop_back();
    return value;
  }

  std::uint32_t top(const char* opcode) {
    const std::uint32_t value = pop(opcode);
    push(value);
    return value;
  }

  std::vector<std::uint32_t> pop_to_mark(const char* opcode) {
    if (marks_.empty()) refuse(std::string("has no MARK for ") + opcode);
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<std::uint32_t> values(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return values;
  }

  void push_text(PickleKind kind, std::string text) {
    push(kind, static_cast<std::int64_t>(object_.texts.size()));
    object_.texts.push_back(std::move(text));
  }

  void push_items(PickleKind kind, std::vector<std::uint32_t> items) {
    push(add_items(object_, kind, std::move(items)));
    const std::uint32_t container = stack_.back();
    note_depth(container, object_.items_of(object_.at(container)));
  }

  /// Stops early what the exact check at the end would refuse.
  void note_depth(std::uint32_t container, const std::vector<std::uint32_t>& values) {
    std::uint8_t& depth = object_.values[container].depth;
    for (const std::uint32_t value : values) {
      if (value == container) refuse("holds a value that contains itself (a cycle)");
      depth = std::max(depth, static_cast<std::uint8_t>(object_.at(value).depth + 1));
    }
    if (depth > kDeepestPickle) refuse("is nested deeper than 64 levels");
  }

  void push_tuple(std::size_t size, const char* opcode) {
    std::vector<std::uint32_t> items(size);
    for (std::size_t i = size; i-- > 0;) items[i] = pop(opcode);
    push_items(PickleKind::kTuple, std::move(items));
  }

  void push_unicode(std::uint64_t size) {
    std::string text(take(size));
    if (!is_utf8(text)) refuse("holds text that is not UTF-8");
    push_text(PickleKind::kString, std::move(text));
  }

  void push_long(std::size_t size) {
    if (size == 10) return push_text(PickleKind::kMagic, std::string(take(size)));
    if (size > 8) refuse("has a LONG1 integer of " + std::to_string(size) + " bytes, at most 8");
    std::uint64_t value = take_number(size);
    const bool is_negative = size > 0 && ((value >> (8 * size - 1)) & 1U) != 0;
    if (is_negative && size < 8) value |= ~std::uint64_t{0} << (8 * size);
    push(PickleKind::kInt, static_cast<std::int64_t>(value));
  }

  void push_float() {
    std::uint64_t bits = 0;
    for (const char c : take(8)) bits = (bits << 8U) | static_cast<unsigned char>(c);
    push(PickleKind::kFloat, static_cast<std::int64_t>(bits));
  }

  void put(std::uint64_t index) {
    const std::uint32_t value = top("a memo PUT");
    if (index > kHighestMemo) refuse("uses memo index " + std::to_string(index) + ", too large");
    if (memo_.size() <= index) memo_.resize(static_cast<std::size_t>(index) + 1, kUnset);
    std::uint32_t& slot = memo_[static_cast<std::size_t>(index)];
    if (slot == kUnset) ++memo_count_;
    slot = value;
  }

  void get(std::uint64_t index) {
    if (index >= memo_.size() || memo_[static_cast<std::size_t>(index)] == kUnset)
      refuse("reads memo index " + std::to_string(index) + ", which was never set");
    push(memo_[static_cast<std::size_t>(index)]);
  }

  void push_global(const std::string& module, const std::string& name) {
    const auto global = find_global(module, name);
    if (!global)
      refuse("names the global " + excerpt(module, 100) + " " + excerpt(name, 100) +
             ", which is not allowed");
    push(PickleKind::kGlobal, static_cast<std::int64_t>(*global));
  }

  void stack_global() {
    const PickleValue name = object_.at(pop("STACK_GLOBAL"));
    const PickleValue module = object_.at(pop("STACK_GLOBAL"));
    if (name.kind != PickleKind::kString || module.kind != PickleKind::kString)
      refuse("has a STACK_GLOBAL whose names are no strings");
    push_global(object_.text(module), object_.text(name));
  }

  void append(const std::vector<std::uint32_t>& values, const char* opcode) {
    const PickleValue list = object_.at(top(opcode));
    if (list.kind != PickleKind::kList)
      refuse(std::string("has ") + opcode + " on something that is no list");
    note_depth(stack_.back(), values);
    auto& items = object_.items[static_cast<std::size_t>(list.payload)];
    items.insert(items.end(), values.begin(), values.end());
  }

  void set_items(const std::vector<std::uint32_t>& values, const char* opcode) {
    const PickleValue dict = object_.at(top(opcode));
    if (dict.kind != PickleKind::kDict && dict.kind != PickleKind::kOrderedDict)
      refuse(std::string("has ") + opcode + " on something that is no dict");
    if (values.size() % 2 != 0) refuse(std::string("has ") + opcode + " with an odd count");
    for (std::size_t i = 0; i < values.size(); i += 2) {
      const PickleKind key = object_.at(values[i]).kind;
      if (key != PickleKind::kString && key != PickleKind::kInt)
        refuse("has a dict key that is neither a string nor an integer");
    }
    note_depth(stack_.back(), values);
    auto& items = object_.items[static_cast<std::size_t>(dict.payload)];
    items.insert(items.end(), values.begin(), values.end());
  }

  void set_item() {
    const std::uint32_t value = pop("SETITEM");
    const std::uint32_t key = pop("SETITEM");
    set_items({key, value}, "SETITEM");
  }

  void reduce() {
    const std::uint32_t arguments = pop("REDUCE");
    const std::uint32_t callee = pop("REDUCE");
    push(reduce_global(object_, callee, arguments, file_));
  }

  void build() {
    const std::uint32_t state = pop("BUILD");
    check_build(object_, top("BUILD"), state, file_);
  }

  void persistent_id() {
    const std::uint32_t id = pop("BINPERSID");
    push(PickleKind::kStorage,
         static_cast<std::int64_t>(storage_of(object_, id, ids_, storages_by_key_, file_)));
  }

  void frame() {
    const std::uint64_t size = take_number(8);
    if (size > bytes_.size() - at_)
      refuse("has a FRAME of length " + std::to_string(size) + ", more than the bytes left");
  }

  void step(unsigned char opcode) {
    if (step_scalar(opcode) || step_container(opcode)) return;
    switch (opcode) {
      case 'c': {
        const std::string module = take_line();
        return push_global(module, take_line());
      }
      case 0x93:
        return stack_global();
      case 'R':
        return reduce();
      case 'b':
        return build();
      case 'Q':
        return persistent_id();
      case 'q':
        return put(take_number(1));
      case 'r':
        return put(take_number(4));
      case 0x94:
        return put(memo_count_);
      case 'h':
        return get(take_number(1));
      case 'j':
        return get(take_number(4));
      case 0x95:
        return frame();
      default:
        refuse("has the opcode " + opcode_name(opcode) + ", which is not allowed");
    }
  }

  bool step_scalar(unsigned char opcode) {
    switch (opcode) {
      case 'N':
        push(PickleKind::kNone, 0);
        return true;
      case 0x88:
        push(PickleKind::kBool, 1);
        return true;
      case 0x89:
        push(PickleKind::kBool, 0);
        return true;
      case 'K':
        push(PickleKind::kInt, static_cast<std::int64_t>(take_number(1)));
        return true;
      case 'M':
        push(PickleKind::kInt, static_cast<std::int64_t>(take_number(2)));
        return true;
      case 'J':
        push(PickleKind::kInt,
             static_cast<std::int32_t>(static_cast<std::uint32_t>(take_number(4))));
        return true;
      case 0x8a:
        push_long(static_cast<std::size_t>(take_number(1)));
        return true;
      case 'G':
        push_float();
        return true;
      case 'X':
        push_unicode(take_number(4));
        return true;
      case 0x8c:
        push_unicode(take_number(1));
        return true;
      case 'B':
        push_text(PickleKind::kBytes, std::string(take(take_number(4))));
        return true;
      case 'C':
        push_text(PickleKind::kBytes, std::string(take(take_number(1))));
        return true;
      default:
        return false;
    }
  }

  bool step_container(unsigned char opcode) {
    switch (opcode) {
      case '(':
        marks_.push_back(stack_.size());
        return true;
      case '}':
        push_items(PickleKind::kDict, {});
        return true;
      case ']':
        push_items(PickleKind::kList, {});
        return true;
      case ')':
        push_items(PickleKind::kTuple, {});
        return true;
      case 't':
        push_items(PickleKind::kTuple, pop_to_mark("TUPLE"));
        return true;
      case 0x85:
        push_tuple(1, "TUPLE1");
        return true;
      case 0x86:
        push_tuple(2, "TUPLE2");
        return true;
      case 0x87:
        push_tuple(3, "TUPLE3");
        return true;
      case 'a':
        append({pop("APPEND")}, "APPEND");
        return true;
      case 'e':
        append(pop_to_mark("APPENDS"), "APPENDS");
        return true;
      case 's':
        set_item();
        return true;
      case 'u':
        set_items(pop_to_mark("SETITEMS"), "SETITEMS");
        return true;
      default:
        return false;
    }
  }

  std::string_view bytes_;
  PersistentIds ids_;
  const std::filesystem::path& file_;
  std::size_t at_ = 0;
  PickledObject object_;
  std::vector<std::uint32_t> stack_, memo_;
  std::vector<std::size_t> marks_;
  std::size_t memo_count_ = 0;
  std::map<std::string, std::size_t> storages_by_key_;
};

}  // namespace

PickledObject read_pickle(std::string_view bytes, PersistentIds ids,
                          const std::filesystem::path& file, std::size_t& consumed) {
  PickleMachine machine(bytes, ids, file);
  PickledObject object = machine.run();
  consumed = machine.consumed();
  check_extent(object, file);
  return object;
}

}  // namespace qingyin
