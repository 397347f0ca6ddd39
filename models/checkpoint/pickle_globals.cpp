#include "models/checkpoint/pickle_globals.h"

#include <array>
#include <cstdio>

namespace qingyin {
namespace {

using enum GlobalRole;

constexpr std::array kGlobals{
    PickleGlobal{"collections", "OrderedDict", kOrderedDict},
    PickleGlobal{"torch._utils", "_rebuild_tensor_v2", kRebuildTensor},
    PickleGlobal{"torch._utils", "_rebuild_parameter", kRebuildParameter},
    PickleGlobal{"torch", "FloatStorage", kStorageClass, DType::kF32},
    PickleGlobal{"torch", "HalfStorage", kStorageClass, DType::kF16},
    PickleGlobal{"torch", "BFloat16Storage", kStorageClass, DType::kBF16},
    PickleGlobal{"torch", "DoubleStorage", kStorageClass, DType::kF64},
    PickleGlobal{"torch", "LongStorage", kStorageClass, DType::kI64},
    PickleGlobal{"torch", "IntStorage", kStorageClass, DType::kI32},
    PickleGlobal{"torch", "ShortStorage", kStorageClass, DType::kI16},
    PickleGlobal{"torch", "CharStorage", kStorageClass, DType::kI8},
    PickleGlobal{"torch", "ByteStorage", kStorageClass, DType::kU8},
    PickleGlobal{"torch", "BoolStorage", kStorageClass, DType::kBool},
    PickleGlobal{"torch", "Size", kTorchSize},
    PickleGlobal{"torch", "float32", kTorchDtype},
    PickleGlobal{"torch", "float64", kTorchDtype},
    PickleGlobal{"torch", "float16", kTorchDtype},
    PickleGlobal{"torch", "bfloat16", kTorchDtype},
    PickleGlobal{"torch", "int64", kTorchDtype},
    PickleGlobal{"torch", "int32", kTorchDtype},
    PickleGlobal{"torch", "int16", kTorchDtype},
    PickleGlobal{"torch", "int8", kTorchDtype},
    PickleGlobal{"torch", "uint8", kTorchDtype},
    PickleGlobal{"torch", "bool", kTorchDtype},
    PickleGlobal{"numpy", "dtype", kNumpyDtype},
    PickleGlobal{"numpy.core.multiarray", "scalar", kNumpyScalar},
    PickleGlobal{"numpy._core.multiarray", "scalar", kNumpyScalar},
    PickleGlobal{"_codecs", "encode", kEncode},
};

struct OpcodeName {
  unsigned char opcode;
  std::string_view name;
};

// Opcodes of the pickle language that are never read (CPython, Lib/pickletools.py).
constexpr std::array kRefused{
    OpcodeName{'i', "INST"},
    OpcodeName{'o', "OBJ"},
    OpcodeName{0x81, "NEWOBJ"},
    OpcodeName{0x92, "NEWOBJ_EX"},
    OpcodeName{0x82, "EXT1"},
    OpcodeName{0x83, "EXT2"},
    OpcodeName{0x84, "EXT4"},
    OpcodeName{'P', "PERSID"},
    OpcodeName{'0', "POP"},
    OpcodeName{'1', "POP_MARK"},
    OpcodeName{'2', "DUP"},
    OpcodeName{'I', "INT"},
    OpcodeName{'L', "LONG"},
    OpcodeName{'F', "FLOAT"},
    OpcodeName{'S', "STRING"},
    OpcodeName{'V', "UNICODE"},
    OpcodeName{'g', "GET"},
    OpcodeName{'p', "PUT"},
    OpcodeName{'d', "DICT"},
    OpcodeName{'l', "LIST"},
    OpcodeName{0x8b, "LONG4"},
    OpcodeName{'T', "BINSTRING"},
    OpcodeName{'U', "SHORT_BINSTRING"},
    OpcodeName{0x8d, "BINUNICODE8"},
    OpcodeName{0x8e, "BINBYTES8"},
    OpcodeName{0x8f, "EMPTY_SET"},
    OpcodeName{0x90, "ADDITEMS"},
    OpcodeName{0x91, "FROZENSET"},
    OpcodeName{0x96, "BYTEARRAY8"},
    OpcodeName{0x97, "NEXT_BUFFER"},
    OpcodeName{0x98, "READONLY_BUFFER"},
    OpcodeName{0x80, "PROTO (a second one)"},
};

}  // namespace

std::optional<std::size_t> find_global(std::string_view module, std::string_view name) {
  for (std::size_t i = 0; i < kGlobals.size(); ++i)
    if (kGlobals[i].module == module && kGlobals[i].name == name) return i;
  return std::nullopt;
}

const PickleGlobal& global_at(std::size_t index) { return kGlobals.at(index); }

std::string opcode_name(unsigned char opcode) {
  for (const OpcodeName& known : kRefused)
    if (known.opcode == opcode) return std::string(known.name);
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "0x%02x", opcode);
  return text.data();
}

}  // namespace qingyin
