#include "core/db/database.hpp"
#include "process/program.hpp"
#include "support/databases.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <map>
#include <mutex>
#include <set>

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
std::int64_t number(const std::string& json, const std::string& name) {
  const auto at = json.find("\"" + name + "\":");
  return at == std::string::npos ? 0 : std::stoll(json.substr(at + name.size() + 3));
}

std::string signed_in(const Program& program) {
  constexpr auto who = R"({"email":"ada@example.org","password":"a tall blue window","full_name":"Ada"})";
  program.call("POST", "/api/v1/auth/register", who);
  return member(program
                    .call("POST", "/api/v1/auth/login",
                          R"({"email":"ada@example.org","password":"a tall blue window"})")
                    .body,
                "access_token");
}

}  // namespace

TEST_CASE("every acknowledged write survives kill -9, twenty times", "[K32]") {
  Folder folder;
  std::set<std::int64_t> acknowledged;
  for (int round = 0; round < 20; ++round) {
    Program program(folder.path());
    const auto token = signed_in(program);
    REQUIRE(!token.empty());
    std::mutex mutex;
    std::atomic<int> written{0};
    std::vector<std::thread> writers;
    for (int i = 0; i < 8; ++i)
      writers.emplace_back([&] {
        try {
          wire::Client client(program.port());
          while (true) {
            const auto answer = Program::call(client, "POST", "/api/v1/logs", R"({"action":"wrote"})", token);
            if (answer.status != 201) return;
            ++written;
            std::lock_guard lock(mutex);
            acknowledged.insert(number(answer.body, "id"));
          }
        } catch (const std::exception&) {
          // The server was killed under this client.
        }
      });
    while (written < 40 + round * 10) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    program.kill();
    for (auto& writer : writers) writer.join();

    db::Database database({.url = "sqlite:" + (folder.path() / "luminalib.db").string()});
    auto look = [](db::Transaction& tx) {
      std::set<std::int64_t> found;
      tx.each<std::int64_t>([&](std::int64_t id) { found.insert(id); },
                            "SELECT id FROM audit_log WHERE action = 'note.written'");
      const auto verdict = std::get<0>(*tx.one<std::string>("PRAGMA integrity_check(1)"));
      return std::pair{found, verdict};
    };
    const auto [found, verdict] = *database.read_now(std::move(look));
    CHECK(verdict == "ok");
    std::size_t lost = 0;
    for (const auto id : acknowledged) lost += found.contains(id) ? 0 : 1;
    CHECK(lost == 0);
  }
  CHECK(acknowledged.size() > 1000);
}

TEST_CASE("a thousand clients race for one copy through sockets, and one gets it", "[D3]") {
  const auto kind = GENERATE(test::from_databases());
  constexpr int racers = 1000;
  Folder folder;
  const test::TestDatabase fresh(kind);
  Program program(folder.path(), {"--database-url",
                                  fresh.postgresql() ? fresh.url() : "sqlite:///" + fresh.url().substr(7)});
  signed_in(program);
  db::Database database({.url = fresh.url(), .readers = 1, .pool = 1});
  auto enrol = [](db::Transaction& tx) {
    tx.execute("UPDATE users SET role = 'admin'");
    std::vector<std::int64_t> people;
    for (int i = 0; i < racers; ++i) {
      const auto email = "racer" + std::to_string(i) + "@example.org";
      people.push_back(std::get<0>(*tx.one<std::int64_t>(
          "INSERT INTO users (email, email_key, password_hash, full_name, name_key, role, created_at, "
          "updated_at) VALUES ($1, $1, 'x', 'Racer', 'racer', 'patron', 0, 0) RETURNING id",
          email)));
    }
    return people;
  };
  const auto people = *database.write_now(enrol);
  const auto token = signed_in(program);
  const auto book = number(
      program.call("POST", "/api/v1/books", R"({"title":"Emma","author":"Jane Austen"})", token).body, "id");
  REQUIRE(book > 0);

  // An address may have 256 connections; a machine has many addresses.
  std::vector<wire::Client> clients;
  clients.reserve(racers);
  for (int i = 0; i < racers; ++i)
    clients.emplace_back(program.port(), ("127.0.0." + std::to_string(2 + i % 5)).c_str());
  for (int i = 0; i < racers; ++i) {
    const auto body = "{\"user_id\":" + std::to_string(people[static_cast<std::size_t>(i)]) + "}";
    REQUIRE(clients[static_cast<std::size_t>(i)].send(
        "POST /api/v1/books/" + std::to_string(book) +
        "/borrow HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token +
        "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
        body));
  }
  std::map<int, int> answers;
  for (auto& client : clients) ++answers[client.read().status];
  CHECK(answers == std::map<int, int>{{201, 1}, {400, racers - 1}});
  CHECK(program.stop() == 0);
}

TEST_CASE("SIGTERM ends the program in order, SIGHUP keeps it serving", "[A32][K2]") {
  Folder folder;
  Program program(folder.path());
  CHECK(program.call("GET", "/ready").status == 200);
  program.signal(SIGHUP);
  CHECK(program.call("GET", "/health").status == 200);
  CHECK(program.stop() == 0);
}

TEST_CASE("a second start on the same folder keeps secret and people", "[K28][A37]") {
  Folder folder;
  std::string token;
  {
    Program program(folder.path());
    token = signed_in(program);
    CHECK(program.stop() == 0);
  }
  Program program(folder.path());
  CHECK(program.call("GET", "/api/v1/users/me", "", token).status == 200);
  for (const auto* file : {"secret", "luminalib.db", "luminalib.db-wal"}) {
    const auto mode = std::filesystem::status(folder.path() / file).permissions();
    CHECK((mode & std::filesystem::perms(077)) == std::filesystem::perms::none);
  }
}

TEST_CASE("an idle server with a thousand books stays under fifty megabytes", "[K34]") {
  Folder folder;
  Program program(folder.path(), {"--demo"});
  REQUIRE(program.call("GET", "/ready").status == 200);
  std::ifstream status("/proc/" + std::to_string(program.pid()) + "/status");
  std::string word;
  long resident_kib = 0;
  while (status >> word)
    if (word == "VmRSS:") status >> resident_kib;
  CHECK(resident_kib > 0);
  // Sanitizers keep memory of their own.
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
  CHECK(resident_kib < 50 * 1024);
#endif
}

TEST_CASE("the demo library is there at the first start and not twice after the second", "[K28]") {
  Folder folder;
  for (int start = 0; start < 2; ++start) {
    Program program(folder.path(), {"--demo"});
    const auto books = program.call("GET", "/api/v1/books?limit=1");
    CHECK(books.field("X-Total-Count") == "1000");
    const auto login = program.call("POST", "/api/v1/auth/login",
                                    R"({"email":"amara.okafor@demo.example","password":"read more books"})");
    CHECK(login.status == 200);
  }
}

TEST_CASE("hostile bytes on a real socket leave the server standing", "[A32][A39]") {
  Folder folder;
  Program program(folder.path());
  for (const std::string bytes :
       {"GET / HTTP/1.1\r\n\r\n",
        "POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: "
        "chunked\r\n\r\n",
        "\x16\x03\x01\x02\x00", "GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n"}) {
    wire::Client client(program.port());
    client.send(bytes);
    const auto answer = client.read();
    CHECK(answer.status >= 400);
    CHECK(answer.status < 500);
    CHECK(answer.field("Content-Type") == "application/problem+json");
  }
  CHECK(program.call("GET", "/health").status == 200);
}
