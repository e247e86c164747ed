// The tool server for assistants (Model Context Protocol).
#include "support/test_app.hpp"

#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <string>

using namespace lumina;
using namespace lumina::test;

namespace {

Answer say(Client client, std::string method, std::string params = "{}", http::Headers headers = {}) {
  headers.emplace_back("Content-Type", "application/json");
  return client.post("/mcp",
                     fmt::format(R"({{"jsonrpc":"2.0","id":7,"method":"{}","params":{}}})", method, params),
                     std::move(headers));
}
Answer use(Client client, std::string tool, std::string arguments = "{}") {
  return say(client, "tools/call", fmt::format(R"({{"name":"{}","arguments":{}}})", tool, arguments));
}
bool refused(const Answer& answer) { return answer["result"].at("isError").as_bool(); }
std::string text_of(const Answer& answer) {
  return std::string(answer["result"].at("content").at(0).at("text").as_string());
}
std::int64_t fault(const Answer& answer) {
  return answer["error"].is_object() ? answer["error"].at("code").as_int64() : 0;
}

}  // namespace

TEST_CASE("an assistant finds the tools, of whichever revision it is", "[L13]") {
  auto app = TestApp::on(Database::sqlite);
  auto anybody = app->anybody();
  const auto hello =
      say(anybody, "initialize",
          R"({"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}})");
  REQUIRE(hello.status == 200);
  CHECK(hello.header("Content-Type") == "application/json");
  CHECK(hello["id"] == 7);
  CHECK(hello["result"].at("protocolVersion") == "2025-06-18");
  CHECK(hello["result"].at("capabilities").as_object().contains("tools"));
  CHECK(hello["result"].at("serverInfo").at("name") == "luminalib");
  CHECK(say(anybody, "initialize", R"({"protocolVersion":"1999-01-01"})")["result"].at("protocolVersion") ==
        "2025-11-25");
  const auto noted = anybody.post("/mcp", R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
  CHECK(noted.status == 202);
  CHECK(noted.body.empty());

  const auto found = say(anybody, "server/discover",
                         R"({"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}})");
  CHECK(found["result"].at("supportedVersions").at(0) == "2026-07-28");
  CHECK(found["result"].at("resultType") == "complete");
  const auto unknown =
      say(anybody, "tools/list", R"({"_meta":{"io.modelcontextprotocol/protocolVersion":"2031-01-01"}})");
  CHECK(unknown.status == 400);
  CHECK(fault(unknown) == -32022);
  CHECK(unknown["error"].at("data").at("requested") == "2031-01-01");
  CHECK(say(anybody, "ping", "{}", {{"MCP-Protocol-Version", "2031-01-01"}}).status == 400);
  CHECK(say(anybody, "ping", "{}", {{"MCP-Protocol-Version", "2025-06-18"}})["result"].is_object());

  const auto list = say(anybody, "tools/list");
  std::string names;
  for (const auto& tool : list["result"].at("tools").as_array()) {
    names += std::string(tool.at("name").as_string()) + " ";
    CHECK(tool.at("inputSchema").at("type") == "object");
    CHECK(tool.at("annotations").at("readOnlyHint").is_bool());
  }
  CHECK(
      names ==
      "search_books get_book check_availability get_reviews list_my_loans borrow_book return_book renew_loan "
      "list_my_holds place_hold cancel_hold ");
}

TEST_CASE("a tool does what the caller may do through the API, and no more", "[L13]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto reader = app->patron();
  const auto emma = app->book("Emma", "Jane Austen", R"("genre":"Novel")"),
             other = app->book("Persuasion", "Jane Austen");
  const auto found = use(app->anybody(), "search_books", R"({"q":"emma","available":true})");
  REQUIRE(found.status == 200);
  CHECK(!refused(found));
  CHECK(found["result"].at("structuredContent").at("items").at(0).at("book").at("id") == emma);
  CHECK(text_of(found).find("Jane Austen") != std::string::npos);
  CHECK(use(app->anybody(), "get_book", fmt::format(R"({{"book_id":{}}})", emma))["result"]
            .at("structuredContent")
            .at("title") == "Emma");
  const auto availability = fmt::format(R"({{"book_id":{}}})", emma);
  CHECK(!refused(use(app->anybody(), "check_availability", availability)));
  CHECK(!refused(use(app->anybody(), "get_reviews", availability)));

  const auto stranger = use(app->anybody(), "borrow_book", availability);
  CHECK(refused(stranger));
  CHECK(text_of(stranger).find("Sign in") != std::string::npos);
  CHECK(app->number("SELECT count(*) FROM borrows") == 0);
  const auto lent = use(reader, "borrow_book", availability);
  CHECK(!refused(lent));
  CHECK(lent["result"].at("structuredContent").at("book_id") == emma);
  CHECK(app->number("SELECT count(*) FROM borrows") == 1);
  const auto again = use(reader, "borrow_book", availability);
  CHECK(refused(again));
  CHECK(!text_of(again).empty());
  const auto loans = use(reader, "list_my_loans");
  REQUIRE(loans["result"].at("structuredContent").at("items").as_array().size() == 1);
  const auto loan = loans["result"].at("structuredContent").at("items").at(0).at("id").as_int64();
  CHECK(use(reader, "renew_loan", fmt::format(R"({{"loan_id":{}}})", loan)).status == 200);
  auto second = app->patron(2);
  const auto held = use(second, "place_hold", availability);
  REQUIRE(!refused(held));
  CHECK(use(second, "list_my_holds")["result"].at("structuredContent").at("items").as_array().size() == 1);
  const auto hold = held["result"].at("structuredContent").at("id").as_int64();
  CHECK(refused(use(reader, "cancel_hold", fmt::format(R"({{"hold_id":{}}})", hold))));
  CHECK(!refused(use(second, "cancel_hold", fmt::format(R"({{"hold_id":{}}})", hold))));
  CHECK(!refused(use(reader, "return_book", availability)));
  CHECK(app->number("SELECT count(*) FROM borrows WHERE status <> 'returned'") == 0);

  // A key that may only touch the catalogue borrows nothing.
  const auto key =
      app->librarian().post("/api/v1/auth/api-keys", R"({"name":"shelf","scopes":["books:write"]})");
  if (key.status == 201) {
    const auto with_key = app->anybody().post(
        "/mcp",
        fmt::format(
            R"({{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"borrow_book","arguments":{{"book_id":{}}}}}}})",
            other),
        {{"X-API-Key", std::string(key["key"].as_string())}});
    CHECK(refused(with_key));
  }
  CHECK(use(reader, "get_book", R"({"book_id":4242})")["result"].at("isError") == true);
}

TEST_CASE("what is no message of the protocol is told so", "[L13]") {
  auto app = TestApp::on(Database::sqlite);
  auto anybody = app->anybody();
  CHECK(anybody.get("/mcp").status == 405);
  const auto post = [&](std::string body, http::Headers headers = {}) {
    return anybody.post("/mcp", std::move(body), std::move(headers));
  };
  for (const auto* body : {"", "{", "nonsense", "\"\xff\""}) {
    CAPTURE(body);
    CHECK(post(body).status == 400);
    CHECK(fault(post(body)) == -32700);
  }
  for (const auto* body :
       {"[]", "1", R"([{"jsonrpc":"2.0","id":1,"method":"ping"}])", R"({"id":1,"method":"ping"})",
        R"({"jsonrpc":"1.0","id":1,"method":"ping"})", R"({"jsonrpc":"2.0","id":null,"method":"ping"})",
        R"({"jsonrpc":"2.0","id":{},"method":"ping"})", R"({"jsonrpc":"2.0","id":1,"method":5})"}) {
    CAPTURE(body);
    CHECK(post(body).status == 400);
    CHECK(fault(post(body)) == -32600);
  }
  CHECK(fault(say(anybody, "resources/list")) == -32601);
  CHECK(fault(say(anybody, "tools/call", "[]")) == -32602);
  CHECK(fault(use(anybody, "drop_tables")) == -32602);
  CHECK(fault(use(anybody, "get_book")) == -32602);
  CHECK(fault(use(anybody, "get_book", R"({"book_id":"1"})")) == -32602);
  CHECK(fault(use(anybody, "get_book", R"({"book_id":1.5})")) == -32602);
  CHECK(fault(use(anybody, "get_book", R"({"book_id":1,"more":2})")) == -32602);
  CHECK(fault(use(anybody, "search_books", "5")) == -32602);
  CHECK(refused(use(anybody, "search_books", R"({"limit":100000})")));
  CHECK(refused(use(anybody, "get_book", R"({"book_id":-1})")));
  CHECK(refused(use(anybody, "search_books", R"({"q":"title:("})")));
  CHECK(say(anybody, "ping", "{}", {{"Origin", "https://evil.example"}}).status == 403);
  auto own = TestApp::on(Database::sqlite,
                         [](config::Config& c) { c.allowed_origins = {"https://assistant.example"}; });
  CHECK(say(own->anybody(), "ping", "{}", {{"Origin", "https://assistant.example"}}).status == 200);
}

TEST_CASE("a tool counts against the limit of its route", "[L13][A32]") {
  auto app = TestApp::on(Database::sqlite, [](config::Config& c) {
    c.rate_limit = 1'000'000;
    c.search_rate = 2;
  });
  auto anybody = app->anybody();
  CHECK_FALSE(refused(use(anybody, "search_books", R"({"q":"whale"})")));
  CHECK_FALSE(refused(use(anybody, "search_books", R"({"q":"whale"})")));
  const auto third = use(anybody, "search_books", R"({"q":"whale"})");
  CHECK(refused(third));
  CHECK(text_of(third).starts_with("Too many requests"));
}
