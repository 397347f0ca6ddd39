#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "pipeline/batch/database.h"
#include "pipeline/batch/journal.h"

namespace qingyin::batch {

/// The row of a slot, with its outputs.
std::optional<Record> find_record(Database& database, const std::filesystem::path& slot);

/// Every row, by slot, with its outputs.
std::vector<Record> all_records(Database& database);

std::vector<JournalWorker> all_workers(Database& database, Seconds silent_limit);

}  // namespace qingyin::batch
