#include "modules/books/exchange_routes.hpp"

#include "core/base/text.hpp"
#include "core/http/handler.hpp"
#include "core/http/own_address.hpp"
#include "modules/books/isbn.hpp"
#include "modules/books/oai.hpp"
#include "modules/books/open_library_shape.hpp"
#include "modules/books/sru.hpp"

#include <fmt/format.h>

namespace lumina::books {
namespace {

using namespace http;
using enum ErrorKind;

constexpr std::size_t most_keys = 100;

// What the document says of the arguments. They are read from the request as it is: these protocols answer
// faults of their own kind.
struct OaiArguments {
  std::optional<std::string> verb, identifier, metadata_prefix, from, until, set, resumption_token;
  static constexpr std::string_view type_name = "OaiArguments";
  static std::vector<schema::Field> fields() {
    return {{"verb", &OaiArguments::verb,
             "Identify, ListMetadataFormats, ListSets, ListIdentifiers, ListRecords, GetRecord"},
            {"identifier", &OaiArguments::identifier, "oai:luminalib:book/12"},
            {"metadataPrefix", &OaiArguments::metadata_prefix, "oai_dc or marc21"},
            {"from", &OaiArguments::from, "Changed at or after this UTC date"},
            {"until", &OaiArguments::until, "Changed at or before this UTC date"},
            {"set", &OaiArguments::set, "There are no sets"},
            {"resumptionToken", &OaiArguments::resumption_token, "Where a list goes on"}};
  }
};
struct SruArguments {
  std::optional<std::string> operation, version, query, start_record, maximum_records, record_schema,
      record_packing;
  static constexpr std::string_view type_name = "SruArguments";
  static std::vector<schema::Field> fields() {
    return {{"operation", &SruArguments::operation, "searchRetrieve or explain"},
            {"version", &SruArguments::version, "1.1, 1.2 or 2.0"},
            {"query", &SruArguments::query, "CQL"},
            {"startRecord", &SruArguments::start_record, "First record, from 1"},
            {"maximumRecords", &SruArguments::maximum_records, "At most 100; 10 when not said"},
            {"recordSchema", &SruArguments::record_schema, "marcxml or dc"},
            {"recordPacking", &SruArguments::record_packing, "xml or string"}};
  }
};

std::vector<std::pair<std::string, std::string>> arguments_of(const Request& request) {
  auto pairs = parse_form(request.head.query()).value_or(Pairs{});
  if (request.head.method == Method::post)
    if (auto more = parse_form(request.body)) std::ranges::move(*more, std::back_inserter(pairs));
  for (auto& [name, value] : pairs) {
    if (!is_valid_utf8(name) || name.contains('\0')) name = "?";
    if (!is_valid_utf8(value) || value.contains('\0')) value = "?";
  }
  return pairs;
}

Task<Result<Response>> as_xml(Task<Result<std::string>> task) {
  auto text = co_await std::move(task);
  if (!text) co_return Failure(std::move(text.error()));
  Response response;
  response.content_type = "text/xml; charset=utf-8";
  response.body = std::move(*text);
  co_return response;
}

Task<Result<Response>> harvest(db::Database& database, const Request& request, Timestamp now) {
  return as_xml(oai_answer(database, {arguments_of(request), own_address(request) + "/oai", now}));
}
Task<Result<Response>> search_retrieve(db::Database& database, const Request& request) {
  std::string host(request.head.header("Host")), port = request.tls ? "443" : "80";
  if (const auto colon = host.rfind(':'); colon != std::string::npos && !host.ends_with(']')) {
    port = host.substr(colon + 1);
    host.resize(colon);
  }
  return as_xml(sru_answer(database, {arguments_of(request), std::move(host), std::move(port)}));
}

Response json_of(std::string body, bool etag) {
  Response response;
  if (etag) response.etag = make_etag(body);
  response.body = std::move(body);
  return response;
}

Task<Result<Response>> edition(BookService& books, std::optional<BookId> id) {
  if (!id) co_return lumina::not_found("Book not found");
  auto book = co_await books.find(*id);
  if (!book) co_return Failure(std::move(book.error()));
  co_return json_of(open_library_edition(*book), true);
}

Task<Result<std::optional<Book>>> by_isbn(BookService& books, std::string isbn) {
  BookFilter filter;
  filter.isbn = std::move(isbn);
  PageRequest page;
  page.limit = 1;
  auto found = co_await books.list(std::move(filter), page);
  if (!found) co_return Failure(std::move(found.error()));
  if (found->items.empty()) co_return std::optional<Book>{};
  co_return std::optional(std::move(found->items.front()));
}

Task<Result<Response>> edition_by_isbn(BookService& books, std::string text) {
  if (text.ends_with(".json")) text.resize(text.size() - 5);
  const auto isbn = parse_isbn(text);
  if (!isbn) co_return lumina::not_found("Book not found");
  auto book = co_await by_isbn(books, *isbn);
  if (!book) co_return Failure(std::move(book.error()));
  if (!*book) co_return lumina::not_found("Book not found");
  co_return json_of(open_library_edition(**book), true);
}

struct OpenLibrarySearch {
  std::optional<std::string> q, title, author, isbn, fields_wanted, sort, lang, mode;
  std::optional<std::int64_t> page, limit, offset;
  static constexpr std::string_view type_name = "OpenLibrarySearch";
  static std::vector<schema::Field> fields() {
    return {{"q", &OpenLibrarySearch::q, "Words", {schema::length(0, 200)}},
            {"title", &OpenLibrarySearch::title, "Words of the title", {schema::length(0, 200)}},
            {"author", &OpenLibrarySearch::author, "Part of the author's name", {schema::length(0, 200)}},
            {"isbn", &OpenLibrarySearch::isbn, "ISBN-10 or ISBN-13", {schema::length(0, 40)}},
            {"page", &OpenLibrarySearch::page, "Page, from 1", {schema::range(1, 1'000'000)}},
            {"limit", &OpenLibrarySearch::limit, "Books a page", {schema::range(1, 100)}},
            {"offset", &OpenLibrarySearch::offset, "Books to pass over", {schema::range(0, 100'000'000)}},
            {"fields", &OpenLibrarySearch::fields_wanted, "Taken and passed over: all members are given"},
            {"sort", &OpenLibrarySearch::sort, "Taken and passed over"},
            {"lang", &OpenLibrarySearch::lang, "Taken and passed over"},
            {"mode", &OpenLibrarySearch::mode, "Taken and passed over"}};
  }
};

Task<Result<Response>> searched(BookService& books, TextSearch search, OpenLibrarySearch wish) {
  PageRequest page;
  page.limit = wish.limit.value_or(100);
  page.skip = wish.offset.value_or((wish.page.value_or(1) - 1) * page.limit);
  const std::string words(trim(wish.q.value_or("")));
  const std::string title(trim(wish.title.value_or(""))), author(trim(wish.author.value_or("")));
  const std::string isbn(trim(wish.isbn.value_or("")));
  std::vector<Book> found;
  std::int64_t total = 0;
  if (title.empty() && author.empty() && isbn.empty()) {
    if (!words.empty()) {
      auto hits = co_await search(words, page);
      if (!hits) co_return Failure(std::move(hits.error()));
      total = hits->total;
      auto some = co_await books.some(std::move(hits->ids));
      if (!some) co_return Failure(std::move(some.error()));
      found = std::move(*some);
    }
  } else {
    BookFilter filter;
    const std::string all = words.empty() ? title : title.empty() ? words : words + " " + title;
    if (!all.empty()) filter.q = std::string(utf8_prefix(all, 200));
    if (!author.empty()) filter.author = author;
    if (!isbn.empty()) filter.isbn = isbn;
    filter.sort = "title";
    auto list = co_await books.list(std::move(filter), page);
    if (!list) co_return Failure(std::move(list.error()));
    total = list->total;
    found = std::move(list->items);
  }
  co_return json_of(open_library_search(found, total, page.skip, words.empty() ? title : words), false);
}

struct BooksByKey {
  std::optional<std::string> bibkeys, format, jscmd, callback;
  static constexpr std::string_view type_name = "OpenLibraryKeys";
  static std::vector<schema::Field> fields() {
    return {{"bibkeys",
             &BooksByKey::bibkeys,
             "ISBN:9780306406157,OLID:OL12M; at most 100",
             {schema::length(0, 4000)}},
            {"format", &BooksByKey::format, "json", {schema::one_of({"json"})}},
            {"jscmd",
             &BooksByKey::jscmd,
             "data, details or viewapi",
             {schema::one_of({"data", "details", "viewapi"})}},
            {"callback", &BooksByKey::callback, "Not supported: answers are JSON", {schema::length(0, 0)}}};
  }
};

Task<Result<Response>> by_keys(BookService& books, BooksByKey wish, std::string own) {
  std::string out = "{";
  const std::string keys = wish.bibkeys.value_or("");
  std::string_view rest = keys;
  for (std::size_t n = 0; !rest.empty() && n < most_keys; ++n) {
    const auto end = std::min(rest.find(','), rest.size());
    const std::string key(trim(rest.substr(0, end)));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    std::string_view number = key;
    if (const auto colon = number.find(':'); colon != std::string_view::npos) number.remove_prefix(colon + 1);
    std::optional<Book> book;
    if (const auto id = id_of_open_library_key(number)) {
      auto found = co_await books.find(*id);
      if (found)
        book = std::move(*found);
      else if (found.error().kind != ErrorKind::not_found)
        co_return Failure(std::move(found.error()));
    } else if (const auto isbn = parse_isbn(number)) {
      auto found = co_await by_isbn(books, *isbn);
      if (!found) co_return Failure(std::move(found.error()));
      book = std::move(*found);
    }
    if (!book) continue;
    if (out.size() > 1) out += ',';
    json::append_string(out, key);
    out += ':';
    out += open_library_member(*book, wish.jscmd == "data", own);
  }
  co_return json_of(out + "}", false);
}

}  // namespace

std::vector<Route> exchange_routes(db::Database& database, BookService& books, TextSearch search,
                                   const Clock& clock) {
  std::vector<Route> routes;
  const auto add = [&](Route route) { routes.push_back(std::move(route).tagged("Exchange")); };
  // The parameters are documented, and read by the protocol.
  const auto own_parameters = [](Route route, const schema::Type& type) {
    route.query = &type;
    return route;
  };
  add(own_parameters(get("/oai", "Harvest the catalogue (OAI-PMH 2.0)", Access::anyone(), {},
                         [&](RawRequest raw) { return harvest(database, *raw.request, clock.now()); }),
                     schema::type_of<OaiArguments>())
          .answers_media("text/xml"));
  auto posted =
      own_parameters(post("/oai", "Harvest the catalogue (OAI-PMH 2.0)", Access::anyone(), {},
                          [&](RawRequest raw) { return harvest(database, *raw.request, clock.now()); }),
                     schema::type_of<OaiArguments>());
  posted.body = posted.query;
  posted.body_media = {"application/x-www-form-urlencoded"};
  add(std::move(posted).answers_media("text/xml").repeats(Repeat::served));
  add(own_parameters(get("/sru", "Search the catalogue in CQL (SRU 1.2 and 2.0)", Access::anyone(), {},
                         [&](RawRequest raw) { return search_retrieve(database, *raw.request); }),
                     schema::type_of<SruArguments>())
          .answers_media("text/xml")
          .limited(RateClass::search));
  add(get("/isbn/{isbn}", "Read an edition by ISBN (as Open Library)", Access::anyone(), {not_found},
          [&](Path<std::string> isbn) { return edition_by_isbn(books, *isbn); }));
  add(get("/books/{key}", "Read an edition by key (as Open Library)", Access::anyone(), {not_found},
          [&](Path<std::string> key) { return edition(books, id_of_open_library_key(*key)); }));
  add(get("/search.json", "Search (as Open Library)", Access::anyone(), {},
          [&books, search](Query<OpenLibrarySearch> wish) { return searched(books, search, *wish); })
          .limited(RateClass::search));
  add(get("/api/books", "Read books by their keys (as Open Library)", Access::anyone(), {},
          [&](Query<BooksByKey> wish, RawRequest raw) {
            return by_keys(books, *wish, own_address(*raw.request));
          }));
  return routes;
}

}  // namespace lumina::books
