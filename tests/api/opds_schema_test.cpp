// OPDS feeds against schemas of what the specifications ask: RELAX NG for 1.2 (xmllint), JSON Schema for 2.0
// (script/npm/validate_json.mjs). Each schema is also shown a feed that breaks it.
#include "support/test_app.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

using namespace lumina;
using namespace lumina::test;

namespace {

const std::filesystem::path source = LUMINA_SOURCE_DIR;

class Folder {
 public:
  Folder()
      : path_(std::filesystem::temp_directory_path() /
              fmt::format("lumina-opds-{}", std::random_device{}())) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string file(const std::string& text) {
    const auto path = path_ / fmt::format("{}", ++count_);
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }
  std::string log() const { return (path_ / "log").string(); }

 private:
  std::filesystem::path path_;
  int count_ = 0;
};

bool runs(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()) == 0; }

// Empty: all of them hold; else what is said of the faults.
std::string faults(Folder& folder, const std::string& checker, const std::string& files) {
  const auto log = folder.log();
  if (std::system(fmt::format("{}{} >'{}' 2>&1", checker, files, log).c_str()) == 0) return {};
  std::ifstream in(log);
  return "not valid: " + std::string(std::istreambuf_iterator<char>(in), {});
}

void fill(TestApp& app) {
  app.book("Emma <1>", "Jane Austen",
           R"("isbn":"9780306406157","language":"pt-BR","genre":"Fiction & more","tags":["love","a \"b\""],
              "description":"Line\n\ntwo","publisher":"P","page_count":3,"year_published":1815,
              "cover_url":"https://example.org/c.jpg?a=1&b=2")");
  app.book("Iliad", "Homer", R"("year_published":-750,"copies":0)");
  app.book("Web", "Some Body; Any One", R"("cover_url":"https://example.org/c.webp","year_published":7)");
  for (int i = 0; i < 60; ++i)
    app.book(fmt::format("Volume {}", i), "Author " + std::to_string(i % 7), R"("genre":"Plays")");
}

}  // namespace

TEST_CASE("every OPDS 1.2 feed is valid", "[L5]") {
  if (!runs("xmllint --version")) {
    WARN("not tested: xmllint is not installed");
    return;
  }
  auto app = TestApp::on(GENERATE(from_databases()));
  Folder folder;
  const auto checker =
      fmt::format("xmllint --noout --relaxng '{}'", (source / "tests/data/opds/opds-1.2.rng").string());
  auto reader = app->anybody();
  std::string files;
  const auto take = [&](std::string_view path) {
    const auto feed = reader.get(std::string(path));
    REQUIRE(feed.status == 200);
    files += fmt::format(" '{}'", folder.file(feed.body));
  };
  for (const auto* path : {"/opds", "/opds/new", "/opds/genres"}) take(path);  // an empty library
  fill(*app);
  for (const auto* path :
       {"/opds", "/opds/new", "/opds/new?page=2", "/opds/new?page=9", "/opds/popular", "/opds/available",
        "/opds/genres", "/opds/genres/Fiction%20%26%20more", "/opds/new?language=pt-BR&available=true",
        "/opds/search?q=emma", "/opds/search?q=", "/opds/search?q=%3C%26%3E", "/opds/books/1",
        "/opds/books/2", "/opds/books/3"})
    take(path);
  CHECK(faults(folder, checker, files) == "");
  // What the schema is worth.
  auto broken = reader.get("/opds/new").body;
  const auto at = broken.find("<updated>");
  broken.replace(at, 9, "<updated>x");
  CHECK(faults(folder, checker, fmt::format(" '{}'", folder.file(broken))) != "");
  auto bare = reader.get("/opds/books/1").body;
  const auto rel = bare.find("http://opds-spec.org/acquisition/borrow");
  bare.replace(rel, 39, "related");
  CHECK(faults(folder, checker, fmt::format(" '{}'", folder.file(bare))) != "");
}

TEST_CASE("every OPDS 2.0 feed is valid, and every book in it has a picture", "[L5]") {
  const auto script = source / "script/npm/validate_json.mjs";
  if (!runs("node --version") || !std::filesystem::exists(source / "script/npm/node_modules/@redocly/ajv")) {
    WARN("not tested: node or the packages of script/npm are not installed");
    return;
  }
  auto app = TestApp::on(GENERATE(from_databases()));
  Folder folder;
  const auto checker = fmt::format("node '{}' '{}'", script.string(),
                                   (source / "tests/data/opds/opds-2.0.schema.json").string());
  auto reader = app->anybody();
  std::string files;
  const auto take = [&](std::string_view path) {
    const auto feed = reader.get(std::string(path));
    REQUIRE(feed.status == 200);
    files += fmt::format(" '{}'", folder.file(feed.body));
  };
  for (const auto* path : {"/opds/v2/catalog", "/opds/v2/new", "/opds/v2/genres"}) take(path);
  fill(*app);
  for (const auto* path :
       {"/opds/v2/catalog", "/opds/v2/new", "/opds/v2/new?page=2", "/opds/v2/new?page=9", "/opds/v2/popular",
        "/opds/v2/available", "/opds/v2/genres", "/opds/v2/genres/Fiction%20%26%20more",
        "/opds/v2/search?query=emma", "/opds/v2/search?title=zzz", "/opds/v2/books/1", "/opds/v2/books/2",
        "/opds/v2/books/3"})
    take(path);
  CHECK(faults(folder, checker, files) == "");
  CHECK(faults(folder, checker,
               fmt::format(" '{}'", folder.file(R"({"metadata":{},"links":[],"navigation":[]})"))) != "");
  const auto picture = reader.get("/opds/no-cover.png");
  CHECK(picture.status == 200);
  CHECK(picture.header("Content-Type") == "image/png");
  CHECK(picture.body.starts_with("\x89PNG\r\n"));
  CHECK(picture.body.ends_with("IEND\xAE\x42\x60\x82"));
}
