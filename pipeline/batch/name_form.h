#pragma once

#include <filesystem>
#include <string>

namespace qingyin::batch {

/// The text in Unicode's composed form (NFC); what is not well-formed UTF-8 stays as it is.
std::string composed(const std::string& text);

/// What two names have in common that only differ in normal form or, with `ignores_case`, in case:
/// to be compared, never shown.
std::string name_key(const std::string& name, bool ignores_case);

/// True if the file system of this folder, or of the nearest one above it that exists, takes names
/// that differ only in case for one.
bool ignores_case(const std::filesystem::path& folder);

}  // namespace qingyin::batch
