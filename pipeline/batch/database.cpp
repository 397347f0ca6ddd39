#include "pipeline/batch/database.h"

#include <sqlite3.h>

#include "core/disk_full.h"
#include "core/error.h"
#include "core/text.h"

namespace qingyin::batch {
namespace {

constexpr int kBusyMs = 60'000;

std::string reason_of(sqlite3* handle) {
  const int code = sqlite3_extended_errcode(handle);
  const int system = sqlite3_system_errno(handle);
  if ((code & 0xFF) == SQLITE_FULL || *disk_reason(system) != '\0') return "disk_full";
  switch (code & 0xFF) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return "damaged";
    case SQLITE_BUSY:
      return "busy";
    default:
      return "journal";
  }
}

std::string advice_for(const std::string& reason) {
  if (reason == "disk_full") return "free some space or choose another folder";
  if (reason == "busy") return "another process holds it; try again";
  return "check the disk and the rights of its folder";
}

}  // namespace

Database::Database(const std::filesystem::path& file, Mode mode) : file_(file) {
  // A journal that is only looked at is opened for writing all the same, where that is allowed:
  // SQLite then takes away the files beside it that are needed no more.
  const int flags = SQLITE_OPEN_READWRITE | (mode == Mode::kWrite ? SQLITE_OPEN_CREATE : 0);
  const int result = sqlite3_open_v2(file.c_str(), &handle_, flags, nullptr);
  try {
    if (result != SQLITE_OK) fail("cannot be opened");
    sqlite3_extended_result_codes(handle_, 1);
    sqlite3_busy_timeout(handle_, kBusyMs);
  } catch (...) {
    sqlite3_close_v2(handle_);
    throw;
  }
}

Database::~Database() { sqlite3_close_v2(handle_); }

void Database::run(const char* sql) {
  if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail("cannot be used");
}

int Database::changes() const { return sqlite3_changes(handle_); }

std::int64_t Database::last_id() const { return sqlite3_last_insert_rowid(handle_); }

void Database::fail(const char* what) const {
  const std::string reason = handle_ ? reason_of(handle_) : "journal";
  throw Error(ErrorCode::kIo,
              "the journal " + printable(file_) + " " + what + ": " +
                  (handle_ ? sqlite3_errmsg(handle_) : "out of memory") + "; " + advice_for(reason),
              reason);
}

Statement::Statement(Database& database, const char* sql) : database_(database) {
  if (sqlite3_prepare_v2(database.handle_, sql, -1, &handle_, nullptr) != SQLITE_OK) {
    database.fail("cannot be used");
  }
}

Statement::~Statement() { sqlite3_finalize(handle_); }

Statement& Statement::bind(std::int64_t value) {
  sqlite3_bind_int64(handle_, next_++, value);
  return *this;
}

Statement& Statement::bind(double value) {
  sqlite3_bind_double(handle_, next_++, value);
  return *this;
}

Statement& Statement::bind(std::string_view text) {
  sqlite3_bind_text64(handle_, next_++, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind_path(const std::filesystem::path& path) {
  const std::string& bytes = path.native();
  sqlite3_bind_blob64(handle_, next_++, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
  return *this;
}

bool Statement::step() {
  const int result = sqlite3_step(handle_);
  if (result == SQLITE_ROW) return true;
  if (result != SQLITE_DONE) database_.fail("cannot be used");
  return false;
}

void Statement::finish() {
  while (step()) continue;
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(handle_, column); }

double Statement::number(int column) const { return sqlite3_column_double(handle_, column); }

std::string Statement::text(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(handle_, column));
  const int size = sqlite3_column_bytes(handle_, column);
  return bytes ? std::string(bytes, static_cast<std::size_t>(size)) : std::string();
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(handle_, column) == SQLITE_NULL;
}

Transaction::Transaction(Database& database) : database_(database) {
  database_.run("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  if (!is_open_) return;
  try {
    database_.run("ROLLBACK");
  } catch (const Error&) {
    // A failed statement may have rolled back already.
  }
}

void Transaction::commit() {
  database_.run("COMMIT");
  is_open_ = false;
}

}  // namespace qingyin::batch
