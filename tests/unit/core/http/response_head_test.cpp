#include "core/http/response_head.hpp"

#include <catch2/catch.hpp>

#include <string>

namespace lumina::http {
namespace {

using namespace std::string_literals;

std::string head_of(const Response& response, ResponseFraming framing = {}) {
  std::string out;
  append_response_head(response, framing, out);
  return out;
}
bool has_line(const std::string& head, const std::string& line) {
  return head.find("\r\n" + line + "\r\n") != std::string::npos;
}

}  // namespace

TEST_CASE("a response head says status, server, date, type and length") {
  Response response;
  response.body = "{}";
  response.set("ETag", "\"1\"");
  const auto head = head_of(response);
  CHECK(head.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(head.ends_with("\r\n\r\n"));
  CHECK(has_line(head, "Server: luminalib"));
  CHECK(has_line(head, "Content-Type: application/json"));
  CHECK(has_line(head, "Content-Length: 2"));
  CHECK(has_line(head, "ETag: \"1\""));
  CHECK(head.find("\r\nDate: ") != std::string::npos);
  CHECK(head.find("Connection") == std::string::npos);
}

TEST_CASE("Content-Length is there even for an empty body, but not for 204 and 304") {
  Response response;
  CHECK(has_line(head_of(response), "Content-Length: 0"));
  for (const int status : {204, 304}) {
    response.status = status;
    response.content_type.clear();
    const auto head = head_of(response);
    CHECK(head.find("Content-") == std::string::npos);
  }
}

TEST_CASE("the connection's fate is said when it is not the usual one") {
  CHECK(has_line(head_of({}, {.close = true}), "Connection: close"));
  CHECK(has_line(head_of({}, {.say_keep_alive = true}), "Connection: keep-alive"));
}

TEST_CASE("a field that would break the head is never written") {
  for (const auto& [name, value] :
       {std::pair{"X"s, "a\r\nEvil: 1"s}, std::pair{"X"s, "a\nEvil: 1"s}, std::pair{"X"s, "a\rEvil"s},
        std::pair{"X"s, "a\0Evil"s}, std::pair{"X\r\nEvil"s, "a"s}, std::pair{"X Evil"s, "a"s},
        std::pair{""s, "Evil"s}, std::pair{"X:Evil"s, "a"s}}) {
    Response response;
    response.set(name, value);
    std::string out;
    CHECK(append_response_head(response, {}, out) == 1);
    CHECK(out.find("Evil") == std::string::npos);
  }
  Response response;
  response.content_type = "text/html\r\nEvil: 1";
  CHECK(head_of(response).find("Evil") == std::string::npos);
}

TEST_CASE("framing belongs to the connection, whatever the application sets") {
  for (const auto* name : {"Content-Length", "content-length", "Transfer-Encoding", "Connection",
                           "Keep-Alive", "Date", "Server"}) {
    Response response;
    response.set(name, "7777");
    std::string out;
    CHECK(append_response_head(response, {}, out) == 1);
    CHECK(out.find("7777") == std::string::npos);
  }
}

TEST_CASE("dates have the preferred form") {
  CHECK(http_date(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(http_date(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK(http_date(951782400) == "Tue, 29 Feb 2000 00:00:00 GMT");
  CHECK(http_date(1795348800) == "Sun, 22 Nov 2026 12:00:00 GMT");
}

}  // namespace lumina::http
