// Who may include whom. Each rule is a function, is shown an example that breaks it, and then reads the
// checkout.
#include "architecture/source_tree.hpp"

#include <catch2/catch.hpp>

#include <functional>
#include <map>
#include <set>

namespace lumina::architecture {
namespace {

// Left to right, as the design has it; a module may look left only.
const std::vector<std::string> module_order = {"modules/books",   "modules/borrows", "modules/reviews",
                                               "modules/ai",      "modules/recs",    "modules/lists",
                                               "modules/notices", "modules/reports", "modules/pages"};

// Interfaces that a module owns so that one to its right can implement or use them.
const std::set<std::string> shared_interfaces = {"modules/books/csv_writer.hpp",
                                                 "modules/reviews/sentiment.hpp",
                                                 "modules/ai/language_model.hpp", "modules/ai/embedder.hpp"};

std::vector<std::string> areas_declared_in(std::string_view cmake) {
  std::vector<std::string> areas;
  constexpr std::string_view call = "lumina_area(";
  for (const auto line : lines_of(cmake))
    if (line.starts_with(call)) areas.emplace_back(line.substr(call.size(), line.find(')') - call.size()));
  return areas;
}

std::string_view file_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }
std::string_view stem(std::string_view path) {
  const auto name = file_name(path);
  return name.substr(0, name.find('.'));
}

Findings check_each(const Sources& sources,
                    const std::function<std::string(const SourceFile&, const Include&)>& fault_of) {
  Findings findings;
  for (const auto& file : sources)
    for (const auto& include : includes_of(file))
      if (const auto fault = fault_of(file, include); !fault.empty())
        findings.push_back(at(file, include.line) + fault + " (" + include.target + ")");
  return findings;
}

Findings core_includes_no_module(const Sources& sources) {
  return check_each(sources, [](const SourceFile& file, const Include& include) -> std::string {
    if (file.path.starts_with("src/core/") && include.target.starts_with("modules/"))
      return "core includes a module";
    return {};
  });
}

Findings areas_include_only_earlier_ones(const Sources& sources, const std::vector<std::string>& order) {
  const auto place = [&](const std::string& area) { return std::ranges::find(order, area) - order.begin(); };
  return check_each(sources, [&](const SourceFile& file, const Include& include) -> std::string {
    const auto from = area_of(file.path);
    const auto to = area_of(include.target);
    if (from.empty()) return {};
    if (include.quoted && to.empty() && include.target.ends_with(".hpp"))
      return "an area includes what joins the areas";
    if (!to.empty() && from != to && place(to) >= place(from)) return from + " includes a later area";
    return {};
  });
}

Findings areas_on_disk_are_declared(const Sources& sources, const std::vector<std::string>& order) {
  Findings findings;
  std::set<std::string> seen;
  for (const auto& file : sources) {
    const auto area = area_of(file.path);
    if (!area.empty() && seen.insert(area).second && std::ranges::find(order, area) == order.end())
      findings.push_back(file.path + ": CMakeLists.txt declares no " + area);
  }
  return findings;
}

Findings modules_meet_at_their_front(const Sources& sources) {
  static const std::set<std::string_view> front = {"model.hpp", "service.hpp", "events.hpp"};
  return check_each(sources, [](const SourceFile& file, const Include& include) -> std::string {
    if (!file.path.starts_with("src/modules/") || !include.target.starts_with("modules/")) return {};
    if (area_of(file.path) == area_of(include.target) || shared_interfaces.contains(include.target))
      return {};
    if (front.contains(file_name(include.target))) return {};
    return "a module reaches behind another's model, service and events";
  });
}

// model <- repository <- service <- routes, in modules and in the slices of core.
Findings slices_point_inward(const Sources& sources) {
  static const std::map<std::string_view, int> layers = {
      {"model", 0}, {"events", 1}, {"repository", 2}, {"service", 3}, {"routes", 4}};
  return check_each(sources, [](const SourceFile& file, const Include& include) -> std::string {
    const auto from = layers.find(stem(file.path));
    const auto to = layers.find(stem(include.target));
    if (area_of(file.path).empty() || area_of(file.path) != area_of(include.target)) return {};
    if (from == layers.end() || to == layers.end() || to->second <= from->second) return {};
    return "the " + std::string(from->first) + " of a slice includes its " + std::string(to->first);
  });
}

// What each layer of a module must never know.
Findings layers_stay_ignorant(const Sources& sources) {
  static const std::map<std::string_view, std::vector<std::string_view>> forbidden = {
      {"model", {"core/db/", "core/http/", "core/json/"}},
      {"repository", {"core/http/", "core/json/"}},
      {"service", {"core/http/", "core/json/"}},
      {"routes", {"core/db/"}}};
  return check_each(sources, [](const SourceFile& file, const Include& include) -> std::string {
    const auto layer = forbidden.find(stem(file.path));
    if (!file.path.starts_with("src/modules/") || layer == forbidden.end()) return {};
    for (const auto folder : layer->second)
      if (include.target.starts_with(folder))
        return "a " + std::string(layer->first) + " includes " + std::string(folder);
    if (layer->first == "routes" && stem(include.target) == "repository")
      return "routes include a repository";
    return {};
  });
}

// Libraries that cost much to compile or tie us down: where each may be seen, and by .cpp files only.
struct Wall {
  std::vector<std::string> headers;  // prefixes of what is included
  std::vector<std::string> allowed;  // prefixes of source files; empty: any
  std::string shown_by = {};         // the one internal header that may show it
};
const std::vector<Wall> walls = {
    {{"boost/beast"}, {"src/core/http/", "src/core/base/asio_impl.cpp"}},
    {{"soci/", "sqlite3.h", "libpq-fe.h", "postgresql/"}, {"src/core/db/"}},
    {{"openssl/", "boost/asio/ssl"}, {"src/core/security/", "src/core/http/", "src/core/base/asio_impl.cpp"}},
    {{"crypt.h"}, {"src/core/security/"}},
    {{"toml++/"}, {"src/core/config/"}},
    {{"CLI/"}, {"src/cli/", "src/main.cpp"}},
    {{"libstemmer.h"}, {"src/core/text/"}},
    {{"pugixml.hpp"}, {"src/core/marc/", "src/core/extract/"}},
    {{"zip.h", "seccomp.h", "linux/"}, {"src/core/extract/"}},
    {{"llama.h", "ggml"}, {"src/core/llm/"}, "src/core/llm/llama_library.hpp"},
    {{"unicode/", "zlib.h"}, {}},
};

Findings libraries_stay_behind_their_walls(const Sources& sources) {
  return check_each(sources, [](const SourceFile& file, const Include& include) -> std::string {
    const auto starts = [](const std::string& text) {
      return [&](const std::string& prefix) { return text.starts_with(prefix); };
    };
    for (const auto& wall : walls) {
      if (std::ranges::none_of(wall.headers, starts(include.target))) continue;
      if (!file.path.ends_with(".cpp") && file.path != wall.shown_by)
        return "a header shows a library that only .cpp files may see";
      if (!wall.allowed.empty() && std::ranges::none_of(wall.allowed, starts(file.path)))
        return "a library outside its folder";
    }
    return {};
  });
}

// Quoted includes name a file from src; generated ones end in .inc.
Findings includes_start_at_src(const Sources& sources) {
  std::set<std::string> known;
  for (const auto& file : sources) known.insert(file.path);
  return check_each(sources, [&](const SourceFile&, const Include& include) -> std::string {
    if (!include.quoted || include.target.ends_with(".inc") || known.contains("src/" + include.target))
      return {};
    return "no such file under src";
  });
}

Findings no_cycles(const Sources& sources) {
  std::map<std::string, std::vector<std::string>> graph;
  for (const auto& file : sources)
    for (const auto& include : includes_of(file))
      if (include.quoted) graph[file.path].push_back("src/" + include.target);
  Findings findings;
  std::set<std::string> done;
  std::vector<std::string> path;
  const std::function<void(const std::string&)> visit = [&](const std::string& file) {
    if (const auto seen = std::ranges::find(path, file); seen != path.end()) {
      std::string cycle;
      for (auto it = seen; it != path.end(); ++it) cycle += *it + " -> ";
      findings.push_back(cycle + file);
      return;
    }
    if (!done.insert(file).second) return;
    path.push_back(file);
    if (const auto edges = graph.find(file); edges != graph.end())
      for (const auto& next : edges->second) visit(next);
    path.pop_back();
  };
  for (const auto& [file, edges] : graph) visit(file);
  return findings;
}

Sources one(std::string path, std::string text) { return {{std::move(path), std::move(text)}}; }

const Sources& code() {
  static const Sources sources = read_sources("src", {".hpp", ".cpp"});
  return sources;
}

const std::vector<std::string>& declared_areas() {
  static const auto areas =
      areas_declared_in(read_text(std::filesystem::path(LUMINA_SOURCE_DIR) / "CMakeLists.txt"));
  return areas;
}

void require_none(const Findings& findings) {
  INFO(joined(findings));
  REQUIRE(findings.empty());
}

TEST_CASE("include lines are found wherever the preprocessor finds them") {
  const SourceFile file{
      "src/x.cpp", "#include \"a.hpp\"\n  #  include <b>  // why\n// #include \"c.hpp\"\n#include MACRO\n"};
  const auto found = includes_of(file);
  REQUIRE(found.size() == 2);
  CHECK(found[0].target == "a.hpp");
  CHECK(found[0].quoted);
  CHECK(found[1].target == "b");
  CHECK(found[1].line == 2);
  CHECK_FALSE(found[1].quoted);
}

TEST_CASE("the tests read the whole source tree") {
  CHECK(code().size() > 20);
  CHECK(declared_areas().size() > 10);
  CHECK(std::ranges::find(code(), "src/core/base/error.hpp", &SourceFile::path) != code().end());
}

TEST_CASE("core never includes a module") {
  CHECK(core_includes_no_module(one("src/core/http/server.cpp", "#include \"modules/books/model.hpp\""))
            .size() == 1);
  CHECK(core_includes_no_module(one("src/app.cpp", "#include \"modules/books/model.hpp\"")).empty());
  require_none(core_includes_no_module(code()));
}

TEST_CASE("an area includes only areas declared before it") {
  const std::vector<std::string> order = {"core/base", "core/db", "modules/books", "modules/borrows"};
  const auto check = [&](std::string path, std::string text) {
    return areas_include_only_earlier_ones(one(std::move(path), std::move(text)), order).size();
  };
  CHECK(check("src/core/base/clock.cpp", "#include \"core/db/database.hpp\"") == 1);
  CHECK(check("src/modules/books/service.hpp", "#include \"modules/borrows/model.hpp\"") == 1);
  CHECK(check("src/core/db/database.hpp", "#include \"app.hpp\"") == 1);
  CHECK(check("src/core/db/database.hpp", "#include \"core/unknown/x.hpp\"") == 1);
  CHECK(check("src/core/db/database.cpp",
              "#include \"core/base/clock.hpp\"\n#include \"core/db/value.hpp\"") == 0);
  CHECK(check("src/app.cpp", "#include \"modules/borrows/service.hpp\"") == 0);
  require_none(areas_include_only_earlier_ones(code(), declared_areas()));
}

TEST_CASE("every folder of sources is a declared area, and the modules stand in the design's order") {
  CHECK(areas_on_disk_are_declared(one("src/core/extra/x.hpp", ""), {"core/base"}).size() == 1);
  CHECK(areas_on_disk_are_declared(one("src/core/base/x.hpp", ""), {"core/base"}).empty());
  require_none(areas_on_disk_are_declared(code(), declared_areas()));

  std::vector<std::string> modules;
  std::ranges::copy_if(declared_areas(), std::back_inserter(modules),
                       [](const std::string& area) { return area.starts_with("modules/"); });
  std::vector<std::string> expected;
  std::ranges::copy_if(module_order, std::back_inserter(expected), [&](const std::string& area) {
    return std::ranges::find(modules, area) != modules.end();
  });
  CHECK(modules == expected);
}

TEST_CASE("modules know each other by model, service and events only") {
  const auto check = [](std::string text) {
    return modules_meet_at_their_front(one("src/modules/borrows/service.cpp", std::move(text))).size();
  };
  CHECK(check("#include \"modules/books/repository.hpp\"") == 1);
  CHECK(check("#include \"modules/books/isbn.hpp\"") == 1);
  CHECK(check("#include \"modules/books/service.hpp\"\n#include \"modules/borrows/policy.hpp\"") == 0);
  require_none(modules_meet_at_their_front(code()));
}

TEST_CASE("a slice points inward: model, repository, service, routes") {
  const auto check = [](std::string path, std::string text) {
    return slices_point_inward(one(std::move(path), std::move(text))).size();
  };
  CHECK(check("src/modules/books/model.hpp", "#include \"modules/books/repository.hpp\"") == 1);
  CHECK(check("src/modules/books/repository.cpp", "#include \"modules/books/service.hpp\"") == 1);
  CHECK(check("src/core/auth/service.hpp", "#include \"core/auth/routes.hpp\"") == 1);
  CHECK(check("src/modules/books/events.hpp", "#include \"modules/books/service.hpp\"") == 1);
  CHECK(check("src/modules/books/routes.cpp", "#include \"modules/books/service.hpp\"") == 0);
  CHECK(check("src/modules/borrows/service.cpp", "#include \"modules/books/service.hpp\"") == 0);
  require_none(slices_point_inward(code()));
}

TEST_CASE("models know no storage, services no HTTP, routes no database") {
  const auto check = [](std::string path, std::string text) {
    return layers_stay_ignorant(one(std::move(path), std::move(text))).size();
  };
  CHECK(check("src/modules/books/model.hpp", "#include \"core/json/codec.hpp\"") == 1);
  CHECK(check("src/modules/books/repository.cpp", "#include \"core/http/message.hpp\"") == 1);
  CHECK(check("src/modules/books/service.hpp", "#include \"core/http/route.hpp\"") == 1);
  CHECK(check("src/modules/books/routes.cpp", "#include \"core/db/database.hpp\"") == 1);
  CHECK(check("src/modules/books/routes.cpp", "#include \"modules/books/repository.hpp\"") == 1);
  CHECK(check("src/modules/books/service.cpp", "#include \"core/db/database.hpp\"") == 0);
  require_none(layers_stay_ignorant(code()));
}

TEST_CASE("Beast, SOCI, OpenSSL and their like stay in their folders and out of headers") {
  const auto check = [](std::string path, std::string text) {
    return libraries_stay_behind_their_walls(one(std::move(path), std::move(text))).size();
  };
  CHECK(check("src/core/db/database.cpp", "#include <boost/beast/http.hpp>") == 1);
  CHECK(check("src/core/http/server.hpp", "#include <boost/beast/http.hpp>") == 1);
  CHECK(check("src/modules/books/repository.cpp", "#include <soci/soci.h>") == 1);
  CHECK(check("src/core/auth/service.cpp", "#include <openssl/evp.h>") == 1);
  CHECK(check("src/modules/books/model.hpp", "#include <unicode/unistr.h>") == 1);
  CHECK(check("src/core/http/server.cpp", "#include <boost/beast/http.hpp>\n#include <openssl/ssl.h>") == 0);
  CHECK(check("src/core/db/connection.cpp", "#include <soci/soci.h>") == 0);
  require_none(libraries_stay_behind_their_walls(code()));
}

TEST_CASE("quoted includes name a file from src") {
  CHECK(includes_start_at_src(one("src/core/db/a.cpp", "#include \"../base/error.hpp\"")).size() == 1);
  CHECK(includes_start_at_src(one("src/core/db/a.cpp", "#include \"error.hpp\"")).size() == 1);
  CHECK(includes_start_at_src(one("src/core/db/a.cpp", "#include \"core/db/a.cpp\"\n#include \"made.inc\""))
            .empty());
  require_none(includes_start_at_src(code()));
}

TEST_CASE("no file includes itself, however far around") {
  const Sources ring = {{"src/a.hpp", "#include \"b.hpp\""},
                        {"src/b.hpp", "#include \"c.hpp\""},
                        {"src/c.hpp", "#include \"a.hpp\""},
                        {"src/d.hpp", "#include \"a.hpp\""}};
  const auto found = no_cycles(ring);
  REQUIRE(found.size() == 1);
  CHECK(found.front() == "src/a.hpp -> src/b.hpp -> src/c.hpp -> src/a.hpp");
  CHECK(no_cycles({{"src/a.hpp", "#include \"b.hpp\"\n#include \"c.hpp\""},
                   {"src/b.hpp", "#include \"c.hpp\""},
                   {"src/c.hpp", ""}})
            .empty());
  require_none(no_cycles(code()));
}

}  // namespace
}  // namespace lumina::architecture
