#include "modules/books/opds_routes.hpp"

#include "core/base/text.hpp"
#include "core/http/cached.hpp"
#include "core/http/handler.hpp"
#include "core/xml/atom.hpp"
#include "modules/books/opds.hpp"
#include "modules/books/routes.hpp"

#include <fmt/format.h>

namespace lumina::books {
namespace {

using namespace http;

struct OpdsQuery {
  std::optional<std::string> q, query, title, author;
  std::optional<std::int64_t> page;
  std::optional<bool> available;
  std::optional<std::string> language, sort;
  static constexpr std::string_view type_name = "OpdsQuery";
  static std::vector<schema::Field> fields() {
    return {{"q", &OpdsQuery::q, "Words of title or author", {schema::length(0, 200)}},
            {"query", &OpdsQuery::query, "The same in OPDS 2.0", {schema::length(0, 200)}},
            {"title", &OpdsQuery::title, "Words of the title", {schema::length(0, 200)}},
            {"author", &OpdsQuery::author, "Part of the author's name", {schema::length(0, 200)}},
            {"page", &OpdsQuery::page, "Page, from 1", {schema::range(1, 1'000'000)}},
            {"available", &OpdsQuery::available, "Only books with a copy free now"},
            {"language", &OpdsQuery::language, "Only this language", {schema::length(1, 35)}},
            {"sort",
             &OpdsQuery::sort,
             "Order",
             {schema::one_of({"-created_at", "title", "author", "-rating", "-popularity"})}}};
  }
};

// A feed of books as it is asked for: where it stands and what narrows it.
struct Wish {
  std::string place, title;  // "/genres/Fiction"
  BookFilter filter;
  std::int64_t page = 1;
};

std::string path_of(const std::string& place, const BookFilter& filter, std::string_view standard_sort) {
  std::string path = place;
  const auto add = [&](std::string_view name, std::string_view value) {
    path += path.contains('?') ? '&' : '?';
    path.append(name).append("=").append(percent_encode(value));
  };
  if (filter.available.value_or(false)) add("available", "true");
  if (filter.language) add("language", *filter.language);
  if (filter.sort && *filter.sort != standard_sort) add("sort", *filter.sort);
  return path;
}

PageRequest request_for(std::int64_t number) {
  PageRequest page;
  page.limit = opds_page_size;
  page.skip = (number - 1) * opds_page_size;
  return page;
}

Timestamp newest_of(const std::vector<Book>& books) {
  Timestamp newest{0};
  for (const Book& book : books) newest = std::max(newest, book.updated_at);
  return newest;
}

Response answer(const OpdsPage& page, OpdsVersion version, std::string_view media) {
  Response response;
  response.content_type = media;
  response.body = opds_text(page, version);
  response.etag = make_etag(response.body);
  if (page.updated.ms > 0) response.set("Last-Modified", xml::http_date(page.updated));
  return response;
}

std::vector<OpdsFacet> facets_of(const Wish& wish, const Facets& counts, std::string_view standard_sort) {
  const auto value = [&](std::string title, BookFilter filter, bool active,
                         std::optional<std::int64_t> count) {
    return OpdsFacetValue{std::move(title), path_of(wish.place, filter, standard_sort), count, active};
  };
  std::vector<OpdsFacet> facets;
  OpdsFacet availability{"Availability", {}};
  auto filter = wish.filter;
  filter.available.reset();
  availability.values.push_back(value("All", filter, !wish.filter.available.value_or(false), {}));
  filter.available = true;
  availability.values.push_back(value("Available now", filter, wish.filter.available.value_or(false), {}));
  facets.push_back(std::move(availability));
  OpdsFacet languages{"Language", {}};
  for (const auto& language : counts.language.values) {
    if (!language.value) continue;
    filter = wish.filter;
    filter.language = language.value;
    languages.values.push_back(
        value(*language.value, filter, wish.filter.language == language.value, language.count));
  }
  if (!languages.values.empty()) facets.push_back(std::move(languages));
  OpdsFacet order{"Sort", {}};
  for (const auto& [sort, title] : std::initializer_list<std::pair<const char*, const char*>>{
           {"-created_at", "Newest"}, {"title", "Title"}, {"author", "Author"}, {"-rating", "Rating"}}) {
    filter = wish.filter;
    filter.sort = sort;
    order.values.push_back(value(title, filter, wish.filter.sort == sort, {}));
  }
  facets.push_back(std::move(order));
  return facets;
}

Task<Result<Response>> feed_of(BookService& books, Wish wish, OpdsVersion version) {
  const std::string standard = wish.place == "/popular" ? "-popularity" : "-created_at";
  if (!wish.filter.sort) wish.filter.sort = standard;
  auto found = co_await books.list(wish.filter, request_for(wish.page));
  if (!found) co_return Failure(std::move(found.error()));
  auto counts = co_await books.facets(wish.filter, 8);
  if (!counts) co_return Failure(std::move(counts.error()));
  OpdsPage page;
  page.path = path_of(wish.place, wish.filter, standard);
  page.title = wish.title;
  page.updated = newest_of(found->items);
  page.books = std::move(found->items);
  page.facets = facets_of(wish, *counts, standard);
  page.total = found->total;
  page.number = wish.page;
  co_return answer(page, version, opds_media_type(page, version));
}

Task<Result<Response>> genres_of(BookService& books, OpdsVersion version) {
  auto counts = co_await books.facets({}, 200);
  if (!counts) co_return Failure(std::move(counts.error()));
  OpdsPage page;
  page.path = "/genres";
  page.title = "Genres";
  for (const auto& genre : counts->genre.values) {
    if (!genre.value) continue;
    page.places.push_back({"/genres/" + percent_encode(*genre.value), *genre.value,
                           fmt::format("{} books", genre.count), true, "subsection", genre.count});
  }
  page.is_root = page.places.empty();
  co_return answer(page, version, opds_media_type(page, version));
}

Result<Response> root_of(OpdsVersion version) {
  OpdsPage page;
  page.title = "LuminaLib";
  page.is_root = true;
  page.places = {
      {"/new", "New books", "What came last", true, "http://opds-spec.org/sort/new", {}},
      {"/popular", "Popular books", "What is borrowed most", true, "http://opds-spec.org/sort/popular", {}},
      {"/available", "Free now", "What can be borrowed at once", true, "subsection", {}},
      {"/genres", "Genres", "Books by genre", false, "subsection", {}}};
  return answer(page, version, opds_media_type(page, version));
}

Task<Result<Response>> found_by(BookService& books, TextSearch search, OpdsQuery query, OpdsVersion version) {
  const std::string words(trim(query.q.value_or(query.query.value_or(""))));
  const std::string title(trim(query.title.value_or(""))), author(trim(query.author.value_or("")));
  OpdsPage page;
  page.number = query.page.value_or(1);
  page.title = "Search: " + words + (title.empty() ? "" : " " + title) + (author.empty() ? "" : " " + author);
  page.path = fmt::format("/search?{}={}", version == OpdsVersion::v1 ? "q" : "query", percent_encode(words));
  if (!title.empty()) page.path += "&title=" + percent_encode(title);
  if (!author.empty()) page.path += "&author=" + percent_encode(author);
  if (!title.empty() || !author.empty()) {
    BookFilter filter;
    const std::string all = words.empty() ? title : title.empty() ? words : words + " " + title;
    if (!all.empty()) filter.q = std::string(utf8_prefix(all, 200));
    if (!author.empty()) filter.author = author;
    filter.sort = "title";
    auto found = co_await books.list(std::move(filter), request_for(page.number));
    if (!found) co_return Failure(std::move(found.error()));
    page.books = std::move(found->items);
    page.total = found->total;
  } else if (!words.empty()) {
    auto hits = co_await search(words, request_for(page.number));
    if (!hits) co_return Failure(std::move(hits.error()));
    page.total = hits->total;
    auto some = co_await books.some(std::move(hits->ids));
    if (!some) co_return Failure(std::move(some.error()));
    page.books = std::move(*some);
  }
  page.updated = newest_of(page.books);
  co_return answer(page, version, opds_media_type(page, version));
}

Task<Result<Response>> one_book(Task<Result<Book>> task, OpdsVersion version) {
  auto book = co_await std::move(task);
  if (!book) co_return Failure(std::move(book.error()));
  Response response;
  response.content_type = version == OpdsVersion::v1 ? opds1_entry : opds2_publication;
  response.body = opds_text(*book, version);
  response.etag = make_etag(response.body, book->version);
  response.set("Last-Modified", xml::http_date(book->updated_at));
  co_return response;
}

Task<Result<Response>> new_books(BookService& books) {
  auto found = co_await books.list({}, request_for(1));
  if (!found) co_return Failure(std::move(found.error()));
  xml::AtomFeed feed;
  feed.id = "urn:luminalib:new-books";
  feed.title = "New books";
  feed.updated = newest_of(found->items);
  feed.links.push_back({"self", "/feeds/books.atom", "application/atom+xml", "", {}, {}});
  for (const Book& book : found->items) {
    xml::AtomEntry entry;
    entry.id = fmt::format("urn:luminalib:book:{}", book.id.value);
    entry.title = book.title;
    entry.updated = book.updated_at;
    entry.published = book.created_at;
    entry.authors = {book.author};
    entry.summary = book.description.value_or("");
    if (book.genre) entry.categories.push_back(*book.genre);
    entry.links.push_back(
        {"alternate", fmt::format("/api/v1/books/{}", book.id.value), "application/json", "", {}, {}});
    feed.entries.push_back(std::move(entry));
  }
  Response response;
  response.content_type = "application/atom+xml";
  response.body = xml::atom_text(feed);
  response.etag = make_etag(response.body);
  if (feed.updated.ms > 0) response.set("Last-Modified", xml::http_date(feed.updated));
  co_return response;
}

Result<Response> described() {
  Response response;
  response.content_type = "application/opensearchdescription+xml";
  response.body = opensearch_description();
  response.etag = make_etag(response.body);
  return response;
}

Result<Response> no_cover() {
  Response response;
  response.content_type = "image/png";
  response.body = opds_no_cover();
  response.etag = make_etag(response.body);
  response.set("Cache-Control", "public, max-age=86400");
  return response;
}

Wish wish_of(std::string place, std::string title, const OpdsQuery& query) {
  Wish wish;
  wish.place = std::move(place);
  wish.title = std::move(title);
  wish.filter.available = query.available;
  wish.filter.language = query.language;
  wish.filter.sort = query.sort;
  wish.page = query.page.value_or(1);
  return wish;
}

}  // namespace

std::vector<Route> opds_routes(BookService& books, TextSearch search, cache::BodyCache& cache) {
  std::vector<Route> routes;
  const auto keep = [&](Route route, std::string_view media) {
    routes.push_back(
        cached(std::move(route).tagged("Feeds").answers_media(media), cache, always(catalogue_tag())));
  };
  for (const auto version : {OpdsVersion::v1, OpdsVersion::v2}) {
    const bool first = version == OpdsVersion::v1;
    const std::string root(opds_root(version)), which = first ? " (OPDS 1.2)" : " (OPDS 2.0)";
    const auto places = first ? opds1_navigation : opds2_feed, shelf = first ? opds1_acquisition : opds2_feed;
    keep(get(first ? root : root + "/catalog", "The catalogue's entrance" + which, Access::anyone(), {},
             [version]() { return root_of(version); }),
         places);
    for (const auto& [place, title] : std::initializer_list<std::pair<const char*, const char*>>{
             {"/new", "New books"}, {"/popular", "Popular books"}, {"/available", "Free now"}})
      keep(get(root + place, title + which, Access::anyone(), {},
               [&books, version, place, title](Query<OpdsQuery> query) {
                 auto wish = wish_of(place, title, *query);
                 if (wish.place == "/available") wish.filter.available = true;
                 return feed_of(books, std::move(wish), version);
               }),
           shelf);
    keep(get(root + "/genres", "Genres" + which, Access::anyone(), {},
             [&books, version]() { return genres_of(books, version); }),
         places);
    keep(get(root + "/genres/{genre}", "The books of a genre" + which, Access::anyone(), {},
             [&books, version](Path<std::string> genre, Query<OpdsQuery> query) {
               auto wish = wish_of("/genres/" + percent_encode(*genre), *genre, *query);
               wish.filter.genre = *genre;
               return feed_of(books, std::move(wish), version);
             }),
         shelf);
    auto searching = get(root + "/search", "Search" + which, Access::anyone(), {},
                         [&books, search, version](Query<OpdsQuery> query) {
                           return found_by(books, search, *query, version);
                         });
    keep(std::move(searching).limited(RateClass::search), shelf);
    keep(get(root + "/books/{id}", "A book" + which, Access::anyone(), {ErrorKind::not_found},
             [&books, version](Path<BookId> id) { return one_book(books.find(*id), version); }),
         first ? opds1_entry : opds2_publication);
  }
  keep(get("/opds/search.xml", "How to search (OpenSearch)", Access::anyone(), {},
           []() { return described(); }),
       "application/opensearchdescription+xml");
  keep(get(std::string(opds_no_cover_path), "A picture for books without a cover", Access::anyone(), {},
           []() { return no_cover(); }),
       "image/png");
  keep(get("/feeds/books.atom", "New books (Atom)", Access::anyone(), {},
           [&books]() { return new_books(books); }),
       "application/atom+xml");
  std::vector<Route> others;
  const auto alias = [&](std::string_view documented, std::initializer_list<std::string_view> more) {
    for (auto& route : also_at(routes, Method::get, documented, more)) others.push_back(std::move(route));
  };
  alias("/opds", {"/opds/v1.2/catalog"});
  alias("/opds/v2/catalog", {"/opds/v2"});
  alias("/opds/search.xml", {"/opds/v1.2/search.xml"});
  for (auto& route : others) routes.push_back(std::move(route));
  return routes;
}

}  // namespace lumina::books
