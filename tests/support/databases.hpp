// A database of its own for each test, on SQLite and on PostgreSQL: the same tests hold on both.
//
//   TEST_CASE("a committed row is seen") {
//     TestDatabase fresh(GENERATE(from_databases()));
//     db::migrate(fresh.url());
//
// PostgreSQL is the server that LUMINALIB_TEST_POSTGRES names (postgresql://user:password@host:port/postgres,
// a role that may create databases); without the variable its half of a test is skipped with a warning.
// script/with-postgres sets it. Header only, so that unit tests link their area and nothing else.
#pragma once
#include "core/db/connection.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <ostream>
#include <random>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace lumina::test {

enum class Database : std::uint8_t { sqlite, postgresql };

inline std::ostream& operator<<(std::ostream& out, Database kind) {
  return out << (kind == Database::sqlite ? "SQLite" : "PostgreSQL");
}

inline std::string postgresql_server() {
  const char* url = std::getenv("LUMINALIB_TEST_POSTGRES");
  return url ? url : "";
}

// False, with a warning, when there is no server to test on: the test has to end then.
inline bool have_postgresql() {
  if (postgresql_server().empty()) WARN("not tested on PostgreSQL: LUMINALIB_TEST_POSTGRES is not set");
  return !postgresql_server().empty();
}

// The databases there are: for GENERATE.
inline Catch::Generators::GeneratorWrapper<Database> from_databases() {
  std::vector<Database> all{Database::sqlite};
  if (have_postgresql()) all.push_back(Database::postgresql);
  return Catch::Generators::from_range(all);
}

// Empty and without schema; gone with the object. Throws when the server cannot be reached.
class TestDatabase {
 public:
  explicit TestDatabase(Database kind) : kind_(kind) {
    static std::atomic<int> count{0};
    // Process numbers come again; what a killed test left behind must not be found by another.
    name_ = "lumina_test_" + std::to_string(::getpid()) + "_" + std::to_string(++count) + "_" +
            std::to_string(std::random_device{}());
    folder_ = std::filesystem::temp_directory_path() / name_;
    std::filesystem::create_directories(folder_);
    if (kind == Database::sqlite) {
      url_ = "sqlite:" + (folder_ / "luminalib.db").string();
      return;
    }
    const std::string server = postgresql_server();
    const auto query = std::min(server.find('?'), server.size());
    const auto slash = server.rfind('/', query);
    url_ = server.substr(0, slash + 1) + name_ + server.substr(query);
    on_server("CREATE DATABASE " + name_);
  }
  ~TestDatabase() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
    try {
      if (kind_ == Database::postgresql) on_server("DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE)");
    } catch (const std::exception& e) {
      WARN("a test database was left behind: " << e.what());
    }
  }
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  Database kind() const { return kind_; }
  bool postgresql() const { return kind_ == Database::postgresql; }
  const std::string& url() const { return url_; }
  const std::string& name() const { return name_; }
  // A directory for whatever the test keeps; SQLite's file is luminalib.db in it.
  const std::filesystem::path& folder() const { return folder_; }

  // Statements without parameters, on a connection of their own.
  void script(const std::string& sql) const {
    db::Connection connection(url_, db::Connection::Access::write);
    connection.script(sql);
  }

 private:
  static void on_server(const std::string& sql) {
    db::Connection connection(postgresql_server(), db::Connection::Access::write);
    connection.script(sql);
  }

  Database kind_;
  std::string name_, url_;
  std::filesystem::path folder_;
};

}  // namespace lumina::test
