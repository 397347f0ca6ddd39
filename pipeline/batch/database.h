#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace qingyin::batch {

/// One SQLite file. Texts are stored as blobs where they are paths: a path is bytes.
class Database {
 public:
  enum class Mode { kRead, kWrite };

  /// @throws Error  kIo (reason "damaged", "disk_full", "busy" or "journal")
  Database(const std::filesystem::path& file, Mode mode);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Runs statements that give nothing back. @throws Error kIo
  void run(const char* sql);
  /// Rows that the last statement changed.
  int changes() const;
  std::int64_t last_id() const;

 private:
  friend class Statement;
  [[noreturn]] void fail(const char* what) const;

  std::filesystem::path file_;
  sqlite3* handle_ = nullptr;
};

/// A prepared statement: `bind` its parameters in order, then `step`.
class Statement {
 public:
  Statement(Database& database, const char* sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(std::int64_t value);
  Statement& bind(double value);
  Statement& bind(std::string_view text);
  Statement& bind_path(const std::filesystem::path& path);
  /// True while there is a row. @throws Error kIo
  bool step();
  /// Steps to the end.
  void finish();

  std::int64_t integer(int column) const;
  double number(int column) const;
  std::string text(int column) const;
  bool is_null(int column) const;

 private:
  Database& database_;
  sqlite3_stmt* handle_ = nullptr;
  int next_ = 1;
};

/// All or nothing: rolled back unless committed. Holds the write lock from its beginning.
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& database_;
  bool is_open_ = true;
};

}  // namespace qingyin::batch
