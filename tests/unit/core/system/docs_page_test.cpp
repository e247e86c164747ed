#include "core/system/docs_page.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

using lumina::system::Asset;
using lumina::system::docs_assets;
using lumina::system::unpack;

namespace {

const Asset& asset(std::string_view path) {
  const auto assets = docs_assets();
  const auto found = std::ranges::find(assets, path, &Asset::path);
  REQUIRE(found != assets.end());
  return *found;
}

// The values of href="..." and src="...".
std::set<std::string> links(const std::string& page) {
  std::set<std::string> found;
  for (const std::string_view attribute : {"href=\"", "src=\""})
    for (auto at = page.find(attribute); at != std::string::npos; at = page.find(attribute, at)) {
      at += attribute.size();
      found.insert(page.substr(at, page.find('"', at) - at));
    }
  return found;
}

}  // namespace

TEST_CASE("the page of /docs loads only what the binary carries", "[A42]") {
  const auto page = unpack(asset("/docs"));
  CHECK(page.starts_with("<!DOCTYPE html>"));
  const auto wanted = links(page);
  CHECK(wanted.contains("docs/swagger-ui-bundle.js"));
  for (const auto& link : wanted) {
    CAPTURE(link);
    if (link == "openapi.json") continue;
    CHECK_FALSE(unpack(asset("/" + link)).empty());
  }
}

TEST_CASE("the page of /docs obeys its own content security policy", "[A42]") {
  const auto page = unpack(asset("/docs"));
  for (const std::string_view inline_code :
       {"<script>", "javascript:", " onload", " onclick", " onerror", " style="})
    CHECK(page.find(inline_code) == std::string::npos);
  for (const auto& link : links(page)) {
    CAPTURE(link);
    CHECK(link.find("//") == std::string::npos);
  }
  const auto policy = lumina::system::docs_content_security_policy;
  CHECK(policy.starts_with("default-src 'none'; script-src 'self'; "));
  CHECK(policy.find("unsafe") == std::string_view::npos);
}

TEST_CASE("the page of /docs shows this server's own document", "[A42]") {
  const auto start = unpack(asset("/docs/start.js"));
  CHECK(start.find("url: \"openapi.json\"") != std::string::npos);
  CHECK(unpack(asset("/docs/swagger-ui-bundle.js")).find("SwaggerUIBundle") != std::string::npos);
}

TEST_CASE("every asset of /docs is one gzip member with a type and an entity tag of its own") {
  std::set<std::string_view> paths;
  std::set<std::string_view> tags;
  for (const Asset& each : docs_assets()) {
    CAPTURE(each.path);
    CHECK(each.bytes.starts_with("\x1f\x8b"));
    CHECK(each.bytes.size() < 600'000);
    CHECK(each.content_type.find('/') != std::string_view::npos);
    CHECK(each.etag.size() > 2);
    CHECK(each.etag.front() == '"');
    CHECK(each.etag.back() == '"');
    CHECK_FALSE(unpack(each).empty());
    paths.insert(each.path);
    tags.insert(each.etag);
  }
  CHECK(paths.size() == docs_assets().size());
  CHECK(tags.size() == docs_assets().size());
}

TEST_CASE("the favicon of /docs survives packing and unpacking") {
  const auto icon = unpack(asset("/docs/favicon.png"));
  CHECK(icon.starts_with("\x89PNG\r\n\x1a\n"));
  CHECK(icon.find("IEND") == icon.size() - 8);
}

TEST_CASE("a damaged asset is an error, not half a page") {
  const Asset& whole = asset("/docs/page.css");
  std::string bytes(whole.bytes);
  SECTION("a byte changed") { bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 0x55); }
  SECTION("the wrong length at the end") { bytes.back() = 1; }
  SECTION("cut short") { bytes.erase(bytes.size() / 2, bytes.size() / 2 - 4); }
  CHECK_THROWS(unpack(Asset{whole.path, whole.content_type, bytes, whole.etag}));
}
