// Documents and the real program: uploads that do not fill its memory, crashes at every moment, signals while
// a model is loaded.
#include "process/program.hpp"
#include "support/databases.hpp"
#include "support/eventually.hpp"
#include "support/files.hpp"

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <map>
#include <optional>
#include <random>
#include <set>

using namespace lumina;
using process::Folder;
using process::Program;
using test::eventually;

namespace {

boost::json::value parsed(const wire::Answer& answer) {
  boost::system::error_code error;
  return boost::json::parse(answer.body, error);
}

std::string signed_in(const Program& program) {
  program.call("POST", "/api/v1/auth/register",
               R"({"email":"ada@example.org","password":"a tall blue window","full_name":"Ada"})");
  const auto answer = program.call("POST", "/api/v1/auth/login",
                                   R"({"email":"ada@example.org","password":"a tall blue window"})");
  return std::string(parsed(answer).at("access_token").as_string());
}

std::string upload_request(const std::string& token, std::string_view filename, std::string_view bytes) {
  const auto [body, type] = test::make_form(filename, bytes);
  return fmt::format(
      "POST /api/v1/documents HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n"
      "Content-Type: {}\r\nContent-Length: {}\r\n\r\n{}",
      token, type, body.size(), body);
}

// KiB that are the process's own, neither files nor shared.
std::int64_t own_memory(pid_t pid) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("RssAnon:")) return std::stoll(line.substr(8));
  return -1;
}

std::size_t drafts_in(const Folder& folder) {
  std::size_t n = 0;
  std::error_code error;
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::directory_iterator(folder.path() / "blobs" / "drafts", error))
    ++n;
  return n;
}

// Pages of text in which one word tells the document from all others.
std::string report(int number, int pages) {
  std::vector<std::string> texts;
  for (int page = 0; page < pages; ++page) {
    std::string text;
    for (int line = 0; line < 40; ++line)
      text += fmt::format("Line {} of page {} tells of lighthouses and weather.\n", line, page);
    texts.push_back(page == pages / 2 ? text + fmt::format("The keeper was called zebulon{}.", number)
                                      : text);
  }
  return test::make_pdf(texts, fmt::format("Report {}", number));
}

}  // namespace

TEST_CASE("twenty uploads in flight are on the disk, not in memory; broken-off ones leave nothing", "[G1]") {
  constexpr std::size_t uploads = 20, size = 10'000'000, held_back = 100'000;  // bytes
  const Folder folder;
  const Program program(folder.path(), {"--body-timeout-seconds", "600"});
  const auto token = signed_in(program);
  const auto before = own_memory(program.pid());
  std::string bytes = "%PDF-1.4\n1 0 obj\n";
  std::mt19937 random(3);
  while (bytes.size() < size) bytes += static_cast<char>(random());
  {
    std::vector<std::optional<wire::Client>> clients(uploads);
    std::vector<std::string> requests;
    for (std::size_t i = 0; i < uploads; ++i) {
      bytes.replace(100, 2, fmt::format("{:02}", i));
      requests.push_back(upload_request(token, "a.pdf", bytes));
      clients[i].emplace(program.port());
    }
    // All at the same time, none faster than the others.
    constexpr std::size_t step = 1'000'000;
    for (std::size_t at = 0; at < size - held_back; at += step)
      for (std::size_t i = 0; i < uploads; ++i) {
        const auto sent = std::min(step, requests[i].size() - held_back - at);
        REQUIRE(clients[i]->send(std::string_view(requests[i]).substr(at, sent)));
      }
    const auto on_disk = [&] {
      std::uintmax_t all = 0;
      std::error_code error;
      for (const auto& entry : std::filesystem::directory_iterator(folder.path() / "blobs" / "drafts", error))
        all += entry.file_size(error);
      return all;
    };
    // What is missing there is in sockets and buffers.
    CHECK(eventually([&] { return on_disk() > uploads * (size - held_back - 600'000); }));
    CHECK(drafts_in(folder) == uploads);
    const auto grown = own_memory(program.pid()) - before;
    INFO(grown << " KiB more");
    CHECK(grown < 60'000);
    for (std::size_t i = 0; i < uploads / 2; ++i) clients[i].reset();
    CHECK(eventually([&] { return drafts_in(folder) == uploads / 2; }));
    for (std::size_t i = uploads / 2; i < uploads; ++i) {
      const auto rest = std::string_view(requests[i]);
      REQUIRE(clients[i]->send(rest.substr(rest.size() - held_back)));
      CHECK(clients[i]->read().status == 201);
    }
  }
  CHECK(drafts_in(folder) == 0);
  const auto list = parsed(program.call("GET", "/api/v1/documents", "", token));
  CHECK(list.as_array().size() == uploads / 2);
}

TEST_CASE("a body that is refused half-way leaves nothing", "[G1][G2]") {
  const Folder folder;
  const Program program(folder.path());
  const auto token = signed_in(program);
  const auto head = fmt::format(
      "POST /api/v1/documents HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n"
      "Content-Type: application/pdf\r\nTransfer-Encoding: chunked\r\n\r\n",
      token);
  const std::string piece = "%PDF-1.4\n1 0 obj\n" + std::string(1'000'000, 'x');
  const auto chunk = fmt::format("{:x}\r\n{}\r\n", piece.size(), piece);
  {
    wire::Client client(program.port());
    client.send(head + chunk);
    CHECK(eventually([&] { return drafts_in(folder) == 1; }));
    client.send("no chunk\r\n");
    CHECK(client.read().status == 400);
  }
  CHECK(eventually([&] { return drafts_in(folder) == 0; }));
  {  // larger than a file may be, and larger than a body may be
    wire::Client client(program.port());
    std::string body;
    for (int i = 0; i < 11; ++i) body += chunk;
    client.send(head + body + "0\r\n\r\n");
    const auto refused = client.read();
    CHECK(refused.status == 400);
    CHECK(parsed(refused).at("detail") == "File too large");
    CHECK_FALSE(refused.says_close());
    client.send(head + body + chunk + chunk + chunk);
    CHECK(client.read().status == 413);
  }
  CHECK(drafts_in(folder) == 0);
}

TEST_CASE("documents are ready once after kill -9 at any moment", "[G5]") {
  const auto kind = GENERATE(test::from_databases());
  const test::TestDatabase fresh(kind);
  const Folder folder;
  std::vector<std::string> settings{"--job-lease-seconds", "1", "--job-poll-milliseconds", "20"};
  if (kind == test::Database::postgresql) settings.insert(settings.end(), {"--database-url", fresh.url()});
  std::map<std::int64_t, int> numbers;  // of what was acknowledged
  std::set<std::string> seen;           // states in which something was when the program was killed
  std::mt19937 random(5);
  int made = 0;
  const auto states = [&](const Program& program, const std::string& token) {
    std::map<std::int64_t, std::string> out;
    const auto all = parsed(program.call("GET", "/api/v1/documents?limit=100", "", token));
    for (const auto& each : all.as_array()) {
      const bool ready = each.at("status") == "ready";
      CHECK(each.at("processed").as_bool() == ready);
      out[each.at("id").as_int64()] = each.at("status").as_string();
    }
    return out;
  };
  for (const std::string moment :
       {"pending", "processing", "processing", "ready", "upload", "chance", "chance"}) {
    Program program(folder.path(), settings);
    const auto token = signed_in(program);
    for (int i = 0; i < 3; ++i, ++made) {
      wire::Client client(program.port());
      const auto answer = client.ask(upload_request(token, "a.pdf", report(made, 60)));
      REQUIRE(answer.status == 201);
      numbers[parsed(answer).at("id").as_int64()] = made;
    }
    std::optional<wire::Client> half;
    if (moment == "upload") {
      half.emplace(program.port());
      const auto request = upload_request(token, "half.pdf", report(9999, 60));
      half->send(std::string_view(request).substr(0, request.size() / 2));
    }
    if (moment == "chance")
      std::this_thread::sleep_for(std::chrono::milliseconds(random() % 400));
    else if (moment != "upload")
      CHECK(eventually([&] {
        // On a slow machine all may be done before anybody looks.
        const auto now = states(program, token);
        const auto is = [&](const std::string& state) {
          return [state](const auto& each) { return each.second == state; };
        };
        return std::ranges::any_of(now, is(moment)) || std::ranges::all_of(now, is("ready"));
      }));
    for (const auto& [id, state] : states(program, token)) seen.insert(state);
    program.kill();
  }
  CHECK(seen.contains("ready"));
  if (!seen.contains("processing")) WARN("nothing was being processed when the program was killed");

  const Program program(folder.path(), settings);
  const auto token = signed_in(program);
  // Whatever says that it was processed is found, once followers of the commit have heard of it.
  std::set<std::int64_t> found;
  const auto all_found = [&] {
    for (const auto& [id, state] : states(program, token)) {
      if (state == "failed") FAIL(id << " failed");
      if (state != "ready" || found.contains(id)) continue;
      const auto word = fmt::format("zebulon{}.", numbers.at(id));
      const auto answer =
          program.call("GET", fmt::format("/api/v1/documents/search?q=zebulon{}", numbers.at(id)), "", token);
      if (answer.body.find(word) != std::string::npos) found.insert(id);
    }
    return found.size() == numbers.size();
  };
  CHECK(eventually(all_found));
  for (const auto& [id, number] : numbers) {
    const auto text = parsed(program.call("GET", fmt::format("/api/v1/documents/{}/text", id), "", token));
    CHECK(text.at("total_pages") == 60);
  }
  const auto tasks = parsed(program.call("GET", "/api/v1/tasks?status=succeeded&limit=100", "", token));
  CHECK(tasks.as_array().size() == numbers.size());
}

TEST_CASE("SIGHUP while models are loaded harms nothing", "[K9]") {
  const Folder folder;
  const auto model = std::string(LUMINA_SOURCE_DIR) + "/tests/data/models/stories260K.gguf";
  const auto settings = folder.path() / "luminalib.toml";
  const auto write = [&](int threads) {
    std::ofstream(settings) << fmt::format("llm_provider = \"llama\"\nllm_model = \"{}\"\nllm_threads = {}\n",
                                           model, threads);
  };
  write(1);
  Program program(folder.path(), {"--config", settings.string()});
  for (int i = 0; i < 30; ++i) {
    write(1 + i % 2);
    program.signal(SIGHUP);
    if (i % 3 == 0) CHECK(program.call("GET", "/health").status == 200);
  }
  CHECK(program.call("GET", "/health").status == 200);
  // In the middle of the last one.
  CHECK(program.stop() == 0);
}
