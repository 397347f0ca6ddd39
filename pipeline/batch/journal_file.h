#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "pipeline/batch/database.h"

namespace qingyin::batch {

/// The journal's name in an output folder.
constexpr const char* kJournalName = ".qingyin-batch.sqlite";

struct OpenedJournal {
  std::unique_ptr<Database> database;
  std::optional<std::filesystem::path> damaged;  // where a damaged one was moved to
};

/// Opens the journal of an output folder, or makes it. A damaged one is moved aside: what is done
/// is then found again by the reports.
/// @throws Error  kIo: "network_folder" where the file system cannot share a journal, "newer" if a
///                later program wrote it, "disk_full", "journal"
OpenedJournal open_journal(const std::filesystem::path& folder);

/// The journal of a folder to look at, if there is one. @throws Error kIo
std::unique_ptr<Database> look_at_journal(const std::filesystem::path& folder);

}  // namespace qingyin::batch
