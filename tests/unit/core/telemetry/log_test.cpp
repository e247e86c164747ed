#include "core/telemetry/log.hpp"

#include "core/telemetry/line_format.hpp"
#include "core/telemetry/redact.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>

#include <array>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace lumina;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;
namespace json = boost::json;

namespace {

constexpr std::int64_t noon = 1'795'348'800'123;  // 2026-11-22T12:00:00.123Z

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "luminalib-log-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path); }
  std::string file(const std::string& name) const { return (path / name).string(); }
  std::filesystem::path path;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string content_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

json::object parsed(const std::string& line) {
  boost::system::error_code fault;
  auto value = json::parse(line, fault);
  INFO(line);
  REQUIRE_FALSE(fault);
  return value.as_object();
}

std::string text_of(const json::object& object, std::string_view key) {
  return std::string(object.at(key).as_string());
}

std::string json_line(std::string_view message, log::Fields fields = {}) {
  std::string line;
  log::append_json_line(line, noon, LogLevel::info, message, fields);
  return line;
}

std::string text_line(std::string_view message, log::Fields fields = {}) {
  std::string line;
  log::append_text_line(line, noon, LogLevel::warn, message, fields);
  return line;
}

const log::AccessLine sample{.request_id = "01JD5E",
                             .method = "GET",
                             .route = "/api/v1/books/{id}",
                             .status = 200,
                             .duration = std::chrono::microseconds(1234),
                             .user_id = 7,
                             .client_ip = "192.0.2.1",
                             .trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"};

}  // namespace

TEST_CASE("a line is one JSON object: time with zone, level, message, then the fields", "[J8]") {
  CHECK(json_line("listening", {{"address", "127.0.0.1:8000"},
                                {"tls", false},
                                {"threads", 2},
                                {"size", std::uint64_t{18446744073709551615U}},
                                {"ratio", 0.5}}) ==
        R"({"ts":"2026-11-22T12:00:00.123Z","level":"info","msg":"listening","address":"127.0.0.1:8000",)"
        R"("tls":false,"threads":2,"size":18446744073709551615,"ratio":0.5})"
        "\n");
  const auto nothing = parsed(json_line("x", {{"a", std::numeric_limits<double>::quiet_NaN()},
                                              {"b", std::numeric_limits<double>::infinity()}}));
  CHECK(nothing.at("a").is_null());
  CHECK(nothing.at("b").is_null());
}

TEST_CASE("a request is one line with the agreed members", "[J8]") {
  std::string line;
  log::append_json_access(line, noon, sample);
  CHECK(
      line ==
      R"({"ts":"2026-11-22T12:00:00.123Z","level":"info","msg":"request","request_id":"01JD5E","method":"GET",)"
      R"("route":"/api/v1/books/{id}","status":200,"duration_ms":1.234,"user_id":7,"client_ip":"192.0.2.1",)"
      R"("trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"})"
      "\n");
  auto anonymous = sample;
  anonymous.user_id = 0;
  anonymous.trace_id = {};
  anonymous.status = 503;
  anonymous.duration = std::chrono::nanoseconds(-5);
  line.clear();
  log::append_json_access(line, noon, anonymous);
  const auto object = parsed(line);
  CHECK(object.at("level") == "error");
  CHECK(object.at("user_id").is_null());
  CHECK(object.at("trace_id").is_null());
  CHECK(object.at("duration_ms") == 0.0);
}

TEST_CASE("on a terminal a line is text for people", "[J8]") {
  CHECK(text_line("disk nearly full",
                  {{"free", 12}, {"path", "/var/lib/x"}, {"why", "too many books"}, {"none", ""}}) ==
        "2026-11-22T12:00:00.123Z WARN  disk nearly full free=12 path=/var/lib/x why=\"too many books\" "
        "none=\"\"\n");
  std::string line;
  log::append_text_access(line, noon, sample);
  CHECK(line ==
        "2026-11-22T12:00:00.123Z INFO  GET /api/v1/books/{id} 200 1.234 ms request_id=01JD5E user_id=7 "
        "client_ip=192.0.2.1 trace_id=4bf92f3577b34da6a3ce929d0e0e4736\n");
}

TEST_CASE("times are right at every edge of the calendar", "[J8]") {
  const std::vector<std::pair<std::int64_t, std::string>> rows{
      {0, "1970-01-01T00:00:00.000Z"},
      {-1, "1969-12-31T23:59:59.999Z"},
      {951'782'400'000, "2000-02-29T00:00:00.000Z"},
      {1'709'251'199'999, "2024-02-29T23:59:59.999Z"},
      {4'102'444'800'007, "2100-01-01T00:00:00.007Z"},
  };
  for (const auto& [ms, shown] : rows) {
    std::string line;
    log::append_json_line(line, ms, LogLevel::info, "x", {});
    CHECK(text_of(parsed(line), "ts") == shown);
  }
}

TEST_CASE("hostile text can neither start a line, end the object nor reach the terminal", "[J8]") {
  const std::vector<std::string> hostile{
      "a\nb",
      "a\r\nb",
      "\"}\n{\"level\":\"error\"",
      "back\\slash\\",
      std::string("nul\0nul", 7),
      "\x1b[31mred\x1b[0m",
      "bell\x07 del\x7f",
      "\xc2\x9b"
      "31m C1 control",
      "\xc2\x85 next line",
      "\xe2\x80\xa8 stays",
      "\xff\xfe",
      "\xc3",
      "\xe2\x82",
      "\xf0\x9f\x92",
      "\xc0\xaf overlong",
      "\xe0\x80\xaf overlong",
      "\xed\xa0\x80 surrogate",
      "\xf4\x90\x80\x80 beyond",
      "\xf8\x88\x80\x80\x80",
      "ünïcödé 本 📚",
  };
  for (const auto& text : hostile) {
    auto access = sample;
    access.request_id = access.route = access.client_ip = access.method = access.trace_id = text;
    std::string access_json;
    std::string access_text;
    log::append_json_access(access_json, noon, access);
    log::append_text_access(access_text, noon, access);
    for (const auto& line : {json_line(text, {{text, text}, {"k", text}}),
                             text_line(text, {{text, text}, {"k", text}}), access_json, access_text}) {
      INFO(line);
      CHECK(std::count(line.begin(), line.end(), '\n') == 1);
      CHECK(line.back() == '\n');
      for (std::size_t i = 0; i + 1 < line.size(); ++i) {
        const auto byte = static_cast<unsigned char>(line[i]);
        CHECK(byte >= 0x20);
        CHECK(byte != 0x7f);
        if (byte == 0xC2) CHECK(static_cast<unsigned char>(line[i + 1]) >= 0xA0);
      }
    }
    // The parser refuses invalid UTF-8, so this also proves that none is written.
    CHECK(parsed(json_line(text, {{"k", text}})).size() == 4);
    CHECK(parsed(access_json).size() == 11);
  }
}

TEST_CASE("valid text comes back as it was, invalid bytes as replacement characters", "[J8]") {
  const auto read_back = [](const std::string& text) { return text_of(parsed(json_line(text)), "msg"); };
  for (const std::string text : {"plain", "ünïcödé 本 📚", "quote \" back \\ tab \t line \n return \r",
                                 "\xe2\x80\xa8", "\xf4\x8f\xbf\xbf", "\x01\x1f"}) {
    CHECK(read_back(text) == text);
  }
  const std::string bad = "\xEF\xBF\xBD";
  CHECK(read_back("a\xff"
                  "b") == "a" + bad + "b");
  CHECK(read_back("\xe2\x82") == bad + bad);
  CHECK(read_back("\xc3"
                  "A") == bad + "A");
}

TEST_CASE("any bytes at all give one valid line", "[J8][K25]") {
  std::uint32_t state = 7;
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (int length = round % 40; length > 0; --length) {
      state = state * 1664525U + 1013904223U;
      text += static_cast<char>(state >> 24);
    }
    const auto line = json_line(text, {{"k", text}});
    CHECK(std::count(line.begin(), line.end(), '\n') == 1);
    CHECK(parsed(line).contains("k"));
  }
}

TEST_CASE("a huge value is cut, also in the middle of a character", "[J8]") {
  for (std::size_t lead = 0; lead < 4; ++lead) {
    std::string text(lead, 'a');
    while (text.size() < 100'000) text += "📚";
    const auto line = json_line("x", {{"k", text}});
    CHECK(line.size() < 9000);
    CHECK_THAT(std::string(parsed(line).at("k").as_string()), EndsWith("📚..."));
  }
}

TEST_CASE("the text of sensitive fields is never written", "[J9]") {
  const auto line = json_line("x", {{"password", "planted"},
                                    {"Authorization", "planted"},
                                    {"x-api-key", "planted"},
                                    {"refresh_token", "planted"},
                                    {"set-cookie", "planted"},
                                    {"SECRET_KEY", "planted"},
                                    {"database_url", "planted"},
                                    {"tokens", 12},
                                    {"code", "duplicate_isbn"}});
  CHECK(line.find("planted") == std::string::npos);
  CHECK(text_line("x", {{"api_key", "planted"}}).find("planted") == std::string::npos);
  CHECK(parsed(line).at("tokens") == 12);
  CHECK(parsed(line).at("code") == "duplicate_isbn");
}

TEST_CASE("names of secrets are recognised in any spelling, other names are left alone", "[J9]") {
  for (const std::string name :
       {"authorization", "Proxy-Authorization", "COOKIE", "Set-Cookie", "X-API-Key", "apiKey", "password",
        "new_password", "passwordConfirm", "access_token", "X-CSRF-Token", "client_secret", "aws.credentials",
        "private_key", "signature", "sig", "pwd", "otp"}) {
    INFO(name);
    CHECK(log::is_sensitive(name));
    CHECK(log::redact(name, "v") == "***");
  }
  for (const std::string name : {"user-agent", "accept", "request_id", "trace_id", "key", "title", "route",
                                 "signal", "pinned", "", "author"}) {
    INFO(name);
    CHECK_FALSE(log::is_sensitive(name));
    CHECK(log::redact(name, "v") == "v");
  }
  CHECK(log::is_sensitive(std::string(5000, 'a')));
}

TEST_CASE("a request target keeps its query but for the values of secrets", "[J9]") {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"/a", "/a"},
      {"/a?", "/a?"},
      {"/a?q=x&limit=2", "/a?q=x&limit=2"},
      {"/a?token=t&q=x", "/a?token=***&q=x"},
      {"/a?q=x&API_KEY=t", "/a?q=x&API_KEY=***"},
      {"/a?%74oken=t", "/a?%74oken=***"},
      {"/a?pass%77ord=a=b&c", "/a?pass%77ord=***&c"},
      {"/a?code=c;key=k", "/a?code=***;key=***"},
      {"/a?token", "/a?token"},
      {"/a?=&&=x", "/a?=&&=x"},
      {"/a?x=%zz%", "/a?x=%zz%"},
      {"/a?x=?token=t", "/a?x=?token=t"},
  };
  for (const auto& [given, safe] : rows) CHECK(log::redact_target(given) == safe);
}

TEST_CASE("lines reach the file in order, from every thread", "[J8]") {
  const Folder folder;
  const auto path = folder.file("a.log");
  constexpr int threads = 4;
  constexpr int each = 2000;
  {
    const log::Sink sink({.path = path, .buffer_bytes = 64 << 20});
    std::vector<std::jthread> writers;
    for (int thread = 0; thread < threads; ++thread) {
      writers.emplace_back([thread] {
        for (int i = 0; i < each; ++i) log::info("line", {{"thread", thread}, {"number", i}});
      });
    }
  }
  std::map<std::int64_t, std::int64_t> next;
  for (const auto& line : lines_of(content_of(path))) {
    const auto object = parsed(line);
    CHECK(object.at("number").as_int64() == next[object.at("thread").as_int64()]++);
  }
  CHECK(next.size() == threads);
  for (const auto& [thread, count] : next) CHECK(count == each);
}

TEST_CASE("the level can change while running, and requests follow it", "[J8][K9]") {
  const Folder folder;
  const auto path = folder.file("a.log");
  {
    const log::Sink sink({.level = LogLevel::warn, .path = path});
    log::info("hidden");
    log::access(sample);
    auto failed = sample;
    failed.status = 500;
    log::access(failed);
    CHECK_FALSE(log::enabled(LogLevel::debug));
    log::set_level(LogLevel::debug);
    CHECK(log::enabled(LogLevel::debug));
    log::trace("hidden");
    log::debug("shown");
    log::set_level(LogLevel::error);
    log::warn("hidden");
    log::error("shown");
  }
  log::set_level(LogLevel::info);
  const auto lines = lines_of(content_of(path));
  REQUIRE(lines.size() == 3);
  CHECK(parsed(lines[0]).at("status") == 500);
  CHECK(parsed(lines[1]).at("level") == "debug");
  CHECK(parsed(lines[2]).at("level") == "error");
}

TEST_CASE("a line is written without being asked for", "[J8]") {
  const Folder folder;
  const auto path = folder.file("a.log");
  const log::Sink sink({.path = path});
  log::info("soon");
  for (int i = 0; i < 500 && content_of(path).empty(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  CHECK_THAT(content_of(path), Contains("soon"));
}

TEST_CASE("a renamed log file is left alone after reopening", "[J8]") {
  const Folder folder;
  const auto path = folder.file("a.log");
  const log::Sink sink({.path = path});
  log::info("before");
  REQUIRE(log::flush());
  std::filesystem::rename(path, path + ".old");
  log::reopen();
  REQUIRE(log::flush());
  log::info("after");
  REQUIRE(log::flush());
  CHECK_THAT(content_of(path + ".old"), Contains("before") && !Contains("after"));
  CHECK_THAT(content_of(path), Contains("after") && !Contains("before"));
}

TEST_CASE("a log file that cannot be reopened stays in use", "[J8][K22]") {
  const Folder folder;
  std::filesystem::create_directory(folder.path / "d");
  const auto path = folder.file("d/a.log");
  const log::Sink sink({.path = path});
  std::filesystem::rename(folder.path / "d", folder.path / "e");
  log::reopen();
  REQUIRE(log::flush());
  log::info("after");
  REQUIRE(log::flush());
  CHECK_THAT(content_of(folder.file("e/a.log")), Contains("cannot reopen the log file") && Contains("after"));
}

TEST_CASE("a full log file is set aside, and the oldest goes", "[J8]") {
  const Folder folder;
  const auto path = folder.file("a.log");
  {
    const log::Sink sink({.path = path, .max_file_bytes = 2000, .kept_files = 2});
    for (int i = 0; i < 100; ++i) {
      log::info("a line of some length", {{"number", i}});
      REQUIRE(log::flush());
    }
  }
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 3);
  for (const std::string name : {"a.log", "a.log.1", "a.log.2"}) {
    CHECK(std::filesystem::file_size(folder.file(name)) <= 2000);
    for (const auto& line : lines_of(content_of(folder.file(name)))) CHECK(parsed(line).contains("number"));
  }
  CHECK_THAT(content_of(path), Contains("\"number\":99"));
  CHECK_THAT(content_of(folder.file("a.log.1")), !Contains("\"number\":99"));
}

TEST_CASE("a pipe that nobody reads costs lines, never the caller's time, and the loss is told",
          "[J8][K22]") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  REQUIRE(::fcntl(ends[1], F_SETPIPE_SZ, 4096) > 0);
  const auto before = log::dropped_lines();
  std::string received;
  {
    const log::Sink sink({.descriptor = ends[1], .buffer_bytes = 8192});
    // Far more than pipe and buffer hold; returning at all is the point.
    for (int i = 0; i < 20'000; ++i) log::access(sample);
    const auto lost = log::dropped_lines() - before;
    CHECK(lost > 0);
    CHECK_FALSE(log::flush(std::chrono::milliseconds(20)));

    std::jthread reader([&] {
      std::array<char, 65536> piece{};
      for (ssize_t got = 0; (got = ::read(ends[0], piece.data(), piece.size())) > 0;) {
        received.append(piece.data(), static_cast<std::size_t>(got));
      }
    });
    CHECK(log::flush(std::chrono::seconds(20)));
    log::info("flowing again");
    CHECK(log::flush(std::chrono::seconds(20)));
    ::close(ends[1]);  // so that the reader comes to an end; the sink has nothing left to write
    reader.join();
  }
  ::close(ends[0]);
  std::int64_t told = 0;
  std::size_t requests = 0;
  for (const auto& line : lines_of(received)) {
    const auto object = parsed(line);
    if (object.at("msg") == "log lines dropped") told += object.at("lines").as_int64();
    requests += object.at("msg") == "request" ? 1 : 0;
  }
  CHECK(told > 0);
  CHECK(requests + static_cast<std::size_t>(told) == 20'000);
  CHECK_THAT(received, Contains("flowing again"));
}

TEST_CASE("ending the log does not hang on a pipe that nobody reads", "[J8]") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  {
    const log::Sink sink({.descriptor = ends[1]});
    for (int i = 0; i < 3000; ++i) log::access(sample);
  }
  ::close(ends[1]);
  // What went into the pipe before it was full is there.
  std::array<char, 64> first{};
  CHECK(::read(ends[0], first.data(), first.size()) == static_cast<ssize_t>(first.size()));
  CHECK(first[0] == '{');
  ::close(ends[0]);
}

TEST_CASE("a reader that went away costs lines, not the process", "[J8][K22]") {
  const auto before = log::dropped_lines();
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  ::close(ends[0]);
  {
    const log::Sink sink({.descriptor = ends[1]});
    log::info("nobody hears");
    CHECK(log::flush());
  }
  ::close(ends[1]);
  CHECK(log::dropped_lines() > before);
}

TEST_CASE("a socket as the journal gives works as a target", "[J8]") {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  {
    const log::Sink sink({.descriptor = ends[1]});
    log::info("to the journal");
  }
  ::close(ends[1]);
  std::array<char, 4096> piece{};
  const auto got = ::read(ends[0], piece.data(), piece.size());
  ::close(ends[0]);
  REQUIRE(got > 0);
  CHECK(parsed(std::string(piece.data(), static_cast<std::size_t>(got))).at("msg") == "to the journal");
}

TEST_CASE("a full disk costs lines and the next line is whole", "[J8][K23]") {
  const auto before = log::dropped_lines();
  {
    const log::Sink sink({.path = "/dev/full"});
    log::info("lost");
    CHECK(log::flush());
  }
  CHECK(log::dropped_lines() > before);
}

TEST_CASE("there is one sink at a time, and a file that cannot be opened is an error", "[J8]") {
  CHECK_THROWS_AS(log::Sink({.path = "/nonexistent/a.log"}), std::system_error);
  const Folder folder;
  const log::Sink sink({.path = folder.file("a.log")});
  CHECK_THROWS_AS(log::Sink({.path = folder.file("b.log")}), std::logic_error);
}

TEST_CASE("text or JSON can be chosen whatever the target", "[J8]") {
  const Folder folder;
  for (const auto& [format, start] : std::vector<std::pair<LogFormat, std::string>>{
           {LogFormat::text, "2"}, {LogFormat::json, "{"}, {LogFormat::automatic, "{"}}) {
    const auto path = folder.file("a.log");
    std::filesystem::remove(path);
    {
      const log::Sink sink({.format = format, .path = path});
      log::info("x");
    }
    CHECK_THAT(content_of(path), StartsWith(start));
  }
}

TEST_CASE("the cost of a request line", "[.benchmark]") {
  const Folder folder;
  const log::Sink sink({.path = folder.file("a.log")});
  const auto cpu_time = [](clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
  };
  const auto dropped = log::dropped_lines();
  constexpr int rounds = 500;
  constexpr int lines = 2000;
  double caller = 0;
  const auto all = cpu_time(CLOCK_PROCESS_CPUTIME_ID);
  for (int round = 0; round < rounds; ++round) {
    const auto start = cpu_time(CLOCK_THREAD_CPUTIME_ID);
    for (int i = 0; i < lines; ++i) log::access(sample);
    caller += cpu_time(CLOCK_THREAD_CPUTIME_ID) - start;
    log::flush();
  }
  WARN(caller / rounds / lines << " ns a line for the caller, "
                               << (cpu_time(CLOCK_PROCESS_CPUTIME_ID) - all) / rounds / lines
                               << " ns of CPU with the writing, " << log::dropped_lines() - dropped
                               << " dropped");
}
