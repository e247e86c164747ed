// The catalogue as others read it: OPDS, Atom, OAI-PMH, SRU, Open Library's shapes, KOReader.
#include "support/test_app.hpp"

#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <chrono>
#include <set>
#include <string>

using namespace lumina;
using namespace lumina::test;

namespace {

bool has(const Answer& answer, std::string_view text) { return answer.body.find(text) != std::string::npos; }

std::size_t count(const std::string& text, std::string_view what) {
  std::size_t n = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

std::string between(const std::string& text, std::string_view before, std::string_view behind) {
  const auto at = text.find(before);
  if (at == std::string::npos) return {};
  const auto from = at + before.size();
  return text.substr(from, text.find(behind, from) - from);
}

// Every start tag has its end tag, in order.
bool well_formed(const std::string& xml) {
  std::vector<std::string> open;
  for (std::size_t at = xml.find('<'); at != std::string::npos; at = xml.find('<', at + 1)) {
    const auto end = xml.find('>', at);
    if (end == std::string::npos) return false;
    const std::string tag = xml.substr(at + 1, end - at - 1);
    if (tag.starts_with('?') || tag.ends_with('/')) continue;
    if (!tag.starts_with('/')) {
      open.push_back(tag.substr(0, tag.find_first_of(" \n")));
    } else {
      if (open.empty() || open.back() != tag.substr(1)) return false;
      open.pop_back();
    }
  }
  return open.empty();
}

void many(TestApp& app, int n) {
  std::string batch;
  for (int i = 0; i < n; ++i)
    batch += fmt::format(
        "{{\"title\":\"Book {:03}\",\"author\":\"Some Body\",\"genre\":\"Fiction & more\"}}\n", i);
  REQUIRE(
      app.librarian().post("/api/v1/books/batch", batch, {{"Content-Type", "application/x-ndjson"}}).status ==
      200);
}

}  // namespace

TEST_CASE("OPDS 1.2 leads from the root to books, page by page", "[L5]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  many(*app, 60);
  const auto id = app->book("Emma <1>", "Jane Austen", R"("isbn":"9780306406157","language":"en")");
  auto reader = app->anybody();
  const auto root = reader.get("/opds");
  CHECK(root.status == 200);
  CHECK(root.header("Content-Type") == "application/atom+xml;profile=opds-catalog;kind=navigation");
  CHECK(well_formed(root.body));
  for (const auto* path : {"/opds/new", "/opds/popular", "/opds/genres", "/opds/search.xml"})
    CHECK(has(root, path));
  CHECK(reader.get("/opds/v1.2/catalog").body == root.body);

  const auto fresh = reader.get("/opds/new");
  CHECK(fresh.header("Content-Type") == "application/atom+xml;profile=opds-catalog;kind=acquisition");
  CHECK(well_formed(fresh.body));
  CHECK(count(fresh.body, "<entry>") == 50);
  CHECK(has(fresh, "Emma &lt;1&gt;"));
  CHECK(has(fresh, "http://opds-spec.org/acquisition/borrow"));
  CHECK(has(fresh, "opds:facetGroup=\"Availability\""));
  CHECK(has(fresh, "<opensearch:totalResults>61</opensearch:totalResults>"));
  CHECK(has(fresh, "rel=\"next\" href=\"/opds/new?page=2\""));
  const auto second = reader.get("/opds/new?page=2");
  CHECK(count(second.body, "<entry>") == 11);
  CHECK(has(second, "rel=\"previous\""));
  CHECK(!has(second, "rel=\"next\""));
  // Kept, with a tag and a date, and right after a change.
  CHECK(reader.get("/opds/new").body == fresh.body);
  CHECK(reader.get("/opds/new").header("Content-Type") == fresh.header("Content-Type"));
  CHECK(reader.get("/opds/new", {{"If-None-Match", fresh.header("ETag")}}).status == 304);
  CHECK(fresh.header("Last-Modified") == "Sun, 22 Nov 2026 10:00:00 GMT");
  app->book("Newer", "N. N.");
  CHECK(has(reader.get("/opds/new"), "Newer"));

  const auto genres = reader.get("/opds/genres");
  CHECK(has(genres, "/opds/genres/Fiction%20%26%20more"));
  CHECK(has(reader.get("/opds/genres/Fiction%20%26%20more"), "Book 059"));
  CHECK(count(reader.get("/opds/new?language=en").body, "<entry>") == 1);
  const auto found = reader.get("/opds/search?q=emma");
  CHECK(count(found.body, "<entry>") == 1);
  CHECK(count(reader.get("/opds/search?q=").body, "<entry>") == 0);
  CHECK(has(reader.get("/opds/search.xml"), "template=\"/opds/search?q={searchTerms}"));
  const auto one = reader.get(fmt::format("/opds/books/{}", id));
  CHECK(one.header("Content-Type") == "application/atom+xml;type=entry;profile=opds-catalog");
  CHECK(has(one, "urn:isbn:9780306406157"));
  CHECK(reader.get("/opds/books/99999").status == 404);
  CHECK(reader.get("/opds/new?page=0").status == 422);
  CHECK(reader.get("/opds/available").status == 200);
}

TEST_CASE("OPDS 2.0 says the same in JSON", "[L5]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  many(*app, 51);
  const auto id =
      app->book("Emma", "Jane Austen", R"("isbn":"9780306406157","cover_url":"https://example.org/e.png")");
  auto reader = app->anybody();
  const auto root = reader.get("/opds/v2/catalog");
  CHECK(root.header("Content-Type") == "application/opds+json");
  CHECK(root["metadata"].at("title") == "LuminaLib");
  CHECK(root["navigation"].as_array().size() == 4);
  CHECK(reader.get("/opds/v2").body == root.body);
  const auto fresh = reader.get("/opds/v2/new");
  CHECK(fresh["metadata"].at("numberOfItems") == 52);
  CHECK(fresh["metadata"].at("currentPage") == 1);
  REQUIRE(fresh["publications"].as_array().size() == 50);
  const auto& emma = fresh["publications"].as_array()[0];
  CHECK(emma.at("metadata").at("identifier") == "urn:isbn:9780306406157");
  CHECK(emma.at("metadata").at("author").at(0).at("name") == "Jane Austen");
  CHECK(emma.at("links").at(1).at("properties").at("availability").at("state") == "available");
  CHECK(emma.at("images").at(0).at("type") == "image/png");
  CHECK(boost::json::serialize(fresh["links"]).find("\"rel\":\"next\"") != std::string::npos);
  CHECK(!fresh["facets"].as_array().empty());
  CHECK(reader.get("/opds/v2/search?query=emma")["publications"].as_array().size() == 1);
  CHECK(reader.get("/opds/v2/search?title=emma&author=austen")["publications"].as_array().size() == 1);
  CHECK(reader.get("/opds/v2/search?title=emma&author=nobody")["publications"].as_array().empty());
  CHECK(reader.get("/opds/v2/genres")["navigation"].as_array().size() == 1);
  CHECK(reader.get("/opds/v2/popular").status == 200);
  CHECK(reader.get("/opds/v2/genres/Nothing")["metadata"].at("numberOfItems") == 0);
  CHECK(reader.get(fmt::format("/opds/v2/books/{}", id))["metadata"].at("title") == "Emma");
}

TEST_CASE("new books and public lists are Atom feeds", "[L10]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto id = app->book("Emma & co", "Jane Austen");
  auto anybody = app->anybody();
  const auto feed = anybody.get("/feeds/books.atom");
  CHECK(feed.header("Content-Type") == "application/atom+xml");
  CHECK(well_formed(feed.body));
  CHECK(has(feed, "<title>Emma &amp; co</title>"));
  CHECK(has(feed, "<updated>2026-11-22T10:00:00Z</updated>"));
  CHECK(anybody.get("/feeds/books.atom", {{"If-None-Match", feed.header("ETag")}}).status == 304);

  auto patron = app->patron();
  const auto open = patron.post("/api/v1/collections", R"({"name":"Open","is_public":true})");
  const auto closed = patron.post("/api/v1/collections", R"({"name":"Closed"})");
  REQUIRE(closed.status == 201);
  REQUIRE(patron.post(fmt::format("/api/v1/collections/{}/books/{}", open.id(), id)).status < 300);
  const auto list = anybody.get(fmt::format("/feeds/lists/{}", open.id()));
  CHECK(list.status == 200);
  CHECK(has(list, "Emma &amp; co"));
  CHECK(well_formed(list.body));
  CHECK(anybody.get(fmt::format("/feeds/lists/{}", closed.id())).status == 404);
  // Public only, whoever asks.
  CHECK(patron.get(fmt::format("/feeds/lists/{}", closed.id())).status == 404);
}

TEST_CASE("harvesters get every book once, what changes meanwhile included, and what is deleted", "[L7]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  many(*app, 250);
  auto anybody = app->anybody();
  auto librarian = app->librarian();
  const auto identify = anybody.get("/oai?verb=Identify");
  CHECK(identify.header("Content-Type") == "text/xml; charset=utf-8");
  CHECK(well_formed(identify.body));
  CHECK(has(identify, "<deletedRecord>persistent</deletedRecord>"));
  CHECK(has(identify, "<baseURL>http://library.example/oai</baseURL>"));
  CHECK(has(anybody.get("/oai?verb=ListMetadataFormats"), "marc21"));
  CHECK(has(anybody.get("/oai?verb=ListSets"), "code=\"noSetHierarchy\""));

  std::set<std::string> seen;
  std::size_t sent = 0, parts = 0;
  std::string target = "/oai?verb=ListRecords&metadataPrefix=oai_dc";
  while (!target.empty()) {
    const auto part = anybody.get(target);
    REQUIRE(part.status == 200);
    CHECK(well_formed(part.body));
    ++parts;
    for (auto at = part.body.find("<identifier>"); at != std::string::npos;
         at = part.body.find("<identifier>", at + 1)) {
      seen.insert(between(part.body.substr(at), "<identifier>", "<"));
      ++sent;
    }
    if (parts == 1) {
      CHECK(has(part, "completeListSize=\"250\" cursor=\"0\""));
      // While the harvest runs: one is deleted, one changed, one added.
      app->clock().advance(std::chrono::seconds(5));
      REQUIRE(librarian.del("/api/v1/books/200").status == 204);
      REQUIRE(librarian.patch("/api/v1/books/1", R"({"title":"Changed"})").status == 200);
      app->book("Late", "L. L.");
    }
    const auto token = between(part.body, "\">", "</resumptionToken>");
    const auto open = part.body.rfind("<resumptionToken");
    const std::string text = open == std::string::npos ? "" : between(part.body.substr(open), ">", "<");
    target = text.empty() ? "" : "/oai?verb=ListRecords&resumptionToken=" + text;
    REQUIRE(parts < 10);
  }
  CHECK(seen.size() == 251);
  CHECK(sent == 252);  // the changed one twice
  const auto deleted =
      anybody.get("/oai?verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:luminalib:book/200");
  CHECK(has(deleted, "<header status=\"deleted\">"));
  CHECK(!has(deleted, "<metadata>"));
  const auto marc = anybody.get("/oai?verb=GetRecord&metadataPrefix=marc21&identifier=oai:luminalib:book/1");
  CHECK(has(marc, "<record xmlns=\"http://www.loc.gov/MARC21/slim\">"));
  CHECK(has(marc, "Changed"));
  CHECK(count(anybody.get("/oai?verb=ListIdentifiers&metadataPrefix=oai_dc&from=2026-11-22T10:00:05Z").body,
              "<header") == 3);
  CHECK(count(anybody.get("/oai?verb=ListIdentifiers&metadataPrefix=oai_dc&until=2026-11-22T10:00:04Z").body,
              "<header") == 100);
  CHECK(
      has(anybody.get("/oai?verb=ListIdentifiers&metadataPrefix=oai_dc&from=2027-01-01"), "noRecordsMatch"));
}

TEST_CASE("faults of a harvest are said in the protocol's words", "[L7]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto anybody = app->anybody();
  const auto error = [&](const std::string& query) {
    const auto answer = anybody.get("/oai" + query);
    CHECK(answer.status == 200);
    CHECK(well_formed(answer.body));
    return between(answer.body, "code=\"", "\"");
  };
  CHECK(error("") == "badVerb");
  CHECK(error("?verb=Nothing") == "badVerb");
  CHECK(error("?verb=Identify&verb=Identify") == "badVerb");
  CHECK(error("?verb=Identify&x=1") == "badArgument");
  CHECK(error("?verb=ListRecords") == "badArgument");
  CHECK(error("?verb=ListRecords&metadataPrefix=mods") == "cannotDisseminateFormat");
  CHECK(error("?verb=ListRecords&metadataPrefix=oai_dc") == "noRecordsMatch");
  CHECK(error("?verb=ListRecords&metadataPrefix=oai_dc&set=a") == "noSetHierarchy");
  CHECK(error("?verb=ListRecords&metadataPrefix=oai_dc&from=yesterday") == "badArgument");
  CHECK(error("?verb=ListRecords&metadataPrefix=oai_dc&from=2026-01-01&until=2025-01-01") == "badArgument");
  CHECK(error("?verb=ListRecords&metadataPrefix=oai_dc&from=2026-01-01&until=2026-01-01T00:00:00Z") ==
        "badArgument");
  CHECK(error("?verb=ListRecords&resumptionToken=xyz") == "badResumptionToken");
  CHECK(error("?verb=ListRecords&resumptionToken=xyz&metadataPrefix=oai_dc") == "badArgument");
  CHECK(error("?verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:luminalib:book/9") == "idDoesNotExist");
  CHECK(error("?verb=GetRecord&metadataPrefix=oai_dc&identifier=%00%ff") == "idDoesNotExist");
  CHECK(error("?verb=ListSets") == "noSetHierarchy");
  CHECK(has(anybody.post("/oai", "verb=Identify", {{"Content-Type", "application/x-www-form-urlencoded"}}),
            "<Identify>"));
}

TEST_CASE("SRU finds books in CQL and explains itself", "[L6]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  app->book("Emma", "Jane Austen",
            R"("isbn":"9780306406157","year_published":1815,"language":"en","tags":["Love"])");
  app->book("Persuasion", "Jane Austen", R"("year_published":1817,"genre":"Fiction")");
  app->book("Die Leiden", "Johann Goethe", R"("year_published":1774,"language":"de")");
  auto anybody = app->anybody();
  const auto explain = anybody.get("/sru");
  CHECK(has(explain, "explainResponse"));
  CHECK(well_formed(explain.body));
  CHECK(has(explain, "<host>library.example</host>"));
  const auto found = [&](const std::string& cql) {
    std::string encoded;
    for (const char c : cql) encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    const auto answer =
        anybody.get("/sru?operation=searchRetrieve&version=1.2&recordSchema=dc&query=" + encoded);
    INFO(answer.body);
    CHECK(well_formed(answer.body));
    CHECK(answer.status == 200);
    return between(answer.body, "<zs:numberOfRecords>", "<") + " " +
           between(answer.body, "info:srw/diagnostic/1/", "<");
  };
  CHECK(found("austen") == "2 ");
  CHECK(found("dc.title = emma") == "1 ");
  CHECK(found("dc.creator all \"jane austen\" and dc.title = persu*") == "1 ");
  CHECK(found("dc.title any \"emma leiden\"") == "2 ");
  CHECK(found("(dc.title = emma or dc.title = persuasion) not dc.date > 1816") == "1 ");
  CHECK(found("dc.date within \"1800 1820\"") == "2 ");
  CHECK(found("dc.date <> 1815") == "2 ");
  CHECK(found("bath.isbn = 0-306-40615-2") == "1 ");
  CHECK(found("dc.language = ger") == "1 ");
  CHECK(found("dc.subject = love") == "1 ");
  CHECK(found("dc.title == emma") == "1 ");
  CHECK(found("dc.title == emm") == "0 ");
  CHECK(found("dc.title = \"100%\"") == "0 ");
  CHECK(found("emma sortBy dc.date/sort.descending") == "1 ");
  CHECK(found("(emma") == "0 10");
  CHECK(found("emma and") == "0 10");
  CHECK(found("\"emma") == "0 10");
  CHECK(found("dc.colour = red") == "0 16");
  CHECK(found("dc.date = old") == "0 24");
  CHECK(found("emma prox austen") == "0 37");
  CHECK(found("emma sortBy dc.colour") == "0 80");
  CHECK(found("dc.title within emma") == "0 19");

  const auto marc = anybody.get("/sru?operation=searchRetrieve&version=1.2&query=austen&maximumRecords=1");
  CHECK(has(marc, "<zs:nextRecordPosition>2</zs:nextRecordPosition>"));
  CHECK(has(marc, "http://www.loc.gov/MARC21/slim"));
  const auto text = anybody.get("/sru?operation=searchRetrieve&version=1.2&query=emma&recordPacking=string");
  CHECK(has(text, "&lt;record"));
  const auto two = anybody.get("/sru?query=emma");
  CHECK(has(two, "http://docs.oasis-open.org/ns/search-ws/sruResponse"));
  CHECK(has(anybody.get("/sru?operation=searchRetrieve&version=1.2"), "diagnostic/1/7<"));
  CHECK(has(anybody.get("/sru?operation=searchRetrieve&version=9&query=a"), "diagnostic/1/5<"));
  std::string many = "a";
  for (int i = 0; i < 20; ++i) many += "%20or%20a*";
  CHECK(anybody.get("/sru?operation=searchRetrieve&version=1.2&query=" + many).status == 200);
  CHECK(has(anybody.get("/sru?operation=searchRetrieve&version=1.2&query=" + many + "%20or%20b"),
            "diagnostic/1/38<"));
  CHECK(has(anybody.get("/sru?operation=scan&version=1.2&query=a"), "diagnostic/1/4<"));
  CHECK(has(anybody.get("/sru?operation=searchRetrieve&version=1.2&query=austen&startRecord=9"),
            "diagnostic/1/61<"));
  CHECK(
      has(anybody.get("/sru?operation=searchRetrieve&version=1.2&query=a&startRecord=x"), "diagnostic/1/6<"));
  CHECK(has(anybody.get("/sru?operation=searchRetrieve&version=1.2&query=a&recordSchema=mods"),
            "diagnostic/1/66<"));
}

TEST_CASE("tools written for Open Library read local books", "[L14]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto id =
      app->book("Emma", "Jane Austen, Fiona Stafford",
                R"("isbn":"9780306406157","year_published":1815,"language":"en","tags":["love"])");
  auto anybody = app->anybody();
  const auto edition = anybody.get("/isbn/0306406152.json");
  CHECK(edition.status == 200);
  CHECK(edition["key"].as_string() == fmt::format("/books/OL{}M", id));
  CHECK(edition["isbn_10"].at(0) == "0306406152");
  CHECK(edition["languages"].at(0).at("key") == "/languages/eng");
  CHECK(anybody.get("/isbn/9780306406157").body == edition.body);
  CHECK(anybody.get(fmt::format("/books/OL{}M.json", id)).body == edition.body);
  CHECK(anybody.get("/books/OL999M.json").status == 404);
  CHECK(anybody.get("/books/x.json").status == 404);
  CHECK(anybody.get("/isbn/1.json").status == 404);
  const auto search = anybody.get("/search.json?q=emma&fields=key,title&limit=5");
  CHECK(search["numFound"] == 1);
  CHECK(search["docs"].at(0).at("author_name").at(1) == "Fiona Stafford");
  CHECK(anybody.get("/search.json?title=emma&author=austen")["num_found"] == 1);
  CHECK(anybody.get("/search.json?isbn=0306406152")["num_found"] == 1);
  CHECK(anybody.get("/search.json")["num_found"] == 0);
  const auto keys = anybody.get(fmt::format(
      "/api/books?bibkeys=ISBN:0306406152,OLID:OL{}M,ISBN:9783161484100&format=json&jscmd=data", id));
  CHECK(keys.json.as_object().size() == 2);
  CHECK(keys["ISBN:0306406152"].at("title") == "Emma");
  CHECK(keys["ISBN:0306406152"].at("authors").at(0).at("name") == "Jane Austen");
}

TEST_CASE("KOReader keeps its place", "[L9]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto device = app->anybody();
  const http::Headers key{{"x-auth-user", "reader"}, {"x-auth-key", "5f4dcc3b5aa765d61d8327deb882cf99"}};
  const std::string account = R"({"username":"reader","password":"5f4dcc3b5aa765d61d8327deb882cf99"})";
  const auto made = device.post("/koreader/users/create", account);
  CHECK(made.status == 201);
  CHECK(made["username"] == "reader");
  CHECK(device.post("/koreader/users/create", account).status == 402);
  CHECK(device.get("/koreader/users/auth", key)["authorized"] == "OK");
  CHECK(device.get("/users/auth", key).status == 200);
  CHECK(device.get("/koreader/users/auth", {{"x-auth-user", "reader"}, {"x-auth-key", "x"}}).status == 401);
  CHECK(device.get("/koreader/users/auth").status == 401);
  CHECK(device.get("/koreader/syncs/progress/abc", key).body == "{}");
  const std::string place =
      R"({"document":"abc","progress":"/body/p[3]","percentage":0.25,"device":"Kobo","device_id":"K1"})";
  const auto put = device.put("/koreader/syncs/progress", place, key);
  CHECK(put["document"] == "abc");
  CHECK(put["timestamp"] == 1795341600);
  const auto read = device.get("/koreader/syncs/progress/abc", key);
  CHECK(read["progress"] == "/body/p[3]");
  CHECK(read["percentage"] == 0.25);
  CHECK(read["device_id"] == "K1");
  app->clock().advance(std::chrono::seconds(10));
  REQUIRE(device
              .put("/koreader/syncs/progress",
                   R"({"document":"abc","progress":"9","percentage":0.5,"device":"Phone","device_id":"P"})",
                   key)
              .status == 200);
  CHECK(device.get("/koreader/syncs/progress/abc", key)["device"] == "Phone");
  CHECK(device.put("/koreader/syncs/progress", place).status == 401);
  CHECK(device.put("/koreader/syncs/progress", R"({"document":"abc"})", key).status == 422);
  CHECK(device.get("/koreader/syncs/progress/abc", {{"x-auth-user", "reader"}, {"x-auth-key", "x"}}).status ==
        401);
}
