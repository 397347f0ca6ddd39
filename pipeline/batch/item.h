#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "core/error.h"
#include "pipeline/pipeline.h"
#include "pipeline/wishes.h"

namespace qingyin::batch {

/// Why an item cannot be made, or was not.
struct Fault {
  ErrorCode code = ErrorCode::kInternal;
  std::string reason, message;
};

/// The fault that an exception stands for.
Fault fault_of(const std::exception& exception);

/// What may differ from item to item.
struct ItemOptions {
  Wishes wishes;
  SoundOptions sound;
};

/// One clip of a batch.
struct Item {
  std::filesystem::path input;
  std::filesystem::path folder = {};  // of the input, below what was asked for; may be empty
  std::filesystem::path output = {};  // a manifest's own name for the result; empty: by template
  ItemOptions options = {};
  std::optional<Fault> fault = {};  // why it is not even tried
};

}  // namespace qingyin::batch
