// Several instances on one PostgreSQL.
#include "core/db/database.hpp"
#include "process/program.hpp"
#include "support/databases.hpp"

#include <catch2/catch.hpp>

using namespace lumina;
using process::Folder;
using process::Program;

namespace {

std::string member(const std::string& json, const std::string& name) {
  const auto at = json.find("\"" + name + "\":\"");
  if (at == std::string::npos) return {};
  const auto begin = at + name.size() + 4;
  return json.substr(begin, json.find('"', begin) - begin);
}

// Asks for the book until it has this title; what it was last.
std::string title_once_it_is(const Program& program, const std::string& title) {
  std::string seen;
  for (int i = 0; i < 4000 && seen != title; ++i) {
    if (i > 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    seen = member(program.call("GET", "/api/v1/books/1").body, "title");
  }
  return seen;
}

}  // namespace

TEST_CASE("what one instance writes the others show, also after their connections were cut", "[I11]") {
  if (!test::have_postgresql()) return;
  const test::TestDatabase fresh(test::Database::postgresql);
  Folder here, there;
  Program writer(here.path(), {"--database-url", fresh.url()});
  Program reader(there.path(), {"--database-url", fresh.url()});
  constexpr auto who = R"({"email":"ada@example.org","password":"a tall blue window","full_name":"Ada"})";
  REQUIRE(writer.call("POST", "/api/v1/auth/register", who).status == 201);
  db::Database database({.url = fresh.url(), .pool = 1});
  auto promote = [](db::Transaction& tx) { tx.execute("UPDATE users SET role = 'librarian'"); };
  REQUIRE(database.write_now(promote));
  const auto token = member(writer
                                .call("POST", "/api/v1/auth/login",
                                      R"({"email":"ada@example.org","password":"a tall blue window"})")
                                .body,
                            "access_token");
  REQUIRE(writer.call("POST", "/api/v1/books", R"({"title":"Emma","author":"Jane Austen"})", token).status ==
          201);
  CHECK(title_once_it_is(reader, "Emma") == "Emma");

  const auto rename = [&](const std::string& title) {
    return writer.call("PATCH", "/api/v1/books/1", R"({"title":")" + title + R"("})", token).status;
  };
  REQUIRE(rename("Persuasion") == 200);
  CHECK(title_once_it_is(reader, "Persuasion") == "Persuasion");

  auto cut = [](db::Transaction& tx) {
    return std::get<0>(*tx.one<std::int64_t>(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid()"));
  };
  CHECK(*database.read_now(cut) > 0);
  int status = 0;
  for (int i = 0; i < 200 && (status = rename("Sanditon")) != 200; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  REQUIRE(status == 200);
  CHECK(title_once_it_is(reader, "Sanditon") == "Sanditon");
}
