#include "support/test_app.hpp"

#include <catch2/catch.hpp>

#include <regex>
#include <string>

using namespace lumina;
using namespace lumina::test;

TEST_CASE("mails lead to pages that this server serves whole", "[A12][A13]") {
  auto app = TestApp::on(Database::sqlite);
  for (const std::string path : {"/reset-password", "/confirm-email"}) {
    INFO(path);
    const auto page = app->anybody().get(path);
    REQUIRE(page.status == 200);
    CHECK(app->anybody().get(path + "?token=x&utm_source=mail").body == page.body);
    CHECK(page.header("Content-Type") == "text/html; charset=utf-8");
    const auto policy = page.header("Content-Security-Policy");
    CHECK(policy.find("default-src 'none'") == 0);
    CHECK(policy.find("unsafe") == std::string::npos);
    CHECK(page.header("Referrer-Policy") == "no-referrer");
    // Nothing from elsewhere, and nothing inline that the policy would stop.
    CHECK(page.body.find("//") == std::string::npos);
    CHECK(page.body.find("style=") == std::string::npos);
    CHECK_FALSE(std::regex_search(page.body, std::regex("<script(?![^>]*src=)|\\son[a-z]+=")));
    // What it names is there, relative to it, so that a path before it does not matter.
    const std::regex named("(href|src|data-action)=\"([^\"]+)\"");
    int found = 0;
    for (auto it = std::sregex_iterator(page.body.begin(), page.body.end(), named);
         it != std::sregex_iterator(); ++it) {
      const auto target = "/" + (*it)[2].str();
      INFO(target);
      ++found;
      if ((*it)[1] == "data-action")
        CHECK(app->anybody().post(target, R"({"token":"nothing","new_password":"a quiet room"})").status <
              500);
      else
        CHECK(app->anybody().get(target).status == 200);
    }
    CHECK(found == 3);
    CHECK(app->anybody().get(path, {{"If-None-Match", page.header("ETag")}}).status == 304);
  }
}

TEST_CASE("the pages send what the API takes", "[A12][A13]") {
  auto app = TestApp::on(Database::sqlite);
  const auto script = app->anybody().get("/account/page.js");
  REQUIRE(script.status == 200);
  CHECK(script.header("Content-Type") == "text/javascript; charset=utf-8");
  for (const auto* part : {"{ token }", "new_password", "location.hash", "replaceState"})
    CHECK(script.body.find(part) != std::string::npos);
  const auto action = [&](const std::string& page) {
    std::smatch found;
    const auto body = app->anybody().get(page).body;
    REQUIRE(std::regex_search(body, found, std::regex("data-action=\"([^\"]+)\"")));
    return "/" + found[1].str();
  };
  CHECK(app->anybody()
            .post(action("/reset-password"), R"({"token":"x","new_password":"a quiet room"})")
            .code() == "invalid_reset_token");
  const auto confirmed = app->anybody().post(action("/confirm-email"), R"({"token":"x"})");
  CHECK(confirmed.status == 400);
}
