#include "modules/books/export_routes.hpp"

#include "core/http/handler.hpp"
#include "core/http/own_address.hpp"
#include "core/http/pulled_body.hpp"
#include "core/http/rate_classes.hpp"
#include "core/marc/writer.hpp"
#include "core/xml/writer.hpp"
#include "modules/books/citation.hpp"
#include "modules/books/export_format.hpp"
#include "modules/books/marc_record.hpp"

#include <fmt/format.h>

#include <charconv>

namespace lumina::books {
namespace {

using namespace http;
using enum ErrorKind;

constexpr int piece_of_books = 250;
constexpr std::int64_t books_of_a_sitemap = 50'000;  // sitemaps.org: at most so many in one file

// A walk over the whole catalogue, a piece of the file at a time.
struct ExportWalk {
  ExportWalk(BookService& service, ExportKind kind) : books(service), writer(BookWriter::make(kind)) {}
  BookService& books;
  std::unique_ptr<BookWriter> writer;
  BookId last{};
  bool begun = false, ended = false;
};

Task<Result<std::string>> next_piece(std::shared_ptr<ExportWalk> walk) {
  std::string out;
  if (!std::exchange(walk->begun, true)) walk->writer->begin(out);
  while (out.empty() && !walk->ended) {
    auto books = co_await walk->books.after(walk->last, piece_of_books);
    if (!books) co_return Failure(std::move(books.error()));
    for (const Book& book : *books) walk->writer->add(book, out);
    if (books->empty()) {
      walk->ended = true;
      walk->writer->end(out);
    } else {
      walk->last = books->back().id;
    }
  }
  co_return out;
}

Task<Result<Response>> export_all(BookService& books, ExportKind kind, Timestamp now) {
  auto walk = std::make_shared<ExportWalk>(books, kind);
  Headers headers{{"Content-Disposition", fmt::format("attachment; filename=\"books-{}{}\"",
                                                      to_rfc3339(now).substr(0, 10), extension_of(kind))}};
  return pulled(std::string(media_type_of(kind)), [walk] { return next_piece(walk); }, std::move(headers));
}

Response document(std::string content_type, std::string body) {
  Response response;
  response.content_type = std::move(content_type);
  response.etag = make_etag(body);
  response.body = std::move(body);
  response.set("Vary", "Accept");
  return response;
}

std::string address_of(const std::string& own, BookId id) {
  return fmt::format("{}/api/v1/books/{}", own, id.value);
}

Response in_form(const Book& book, BookForm form, const std::string& own) {
  switch (form) {
    case BookForm::bibtex:
      return document(media_type_of(Citation::bibtex), cite(book, Citation::bibtex));
    case BookForm::ris:
      return document(media_type_of(Citation::ris), cite(book, Citation::ris));
    case BookForm::csl:
      return document(media_type_of(Citation::csl), cite(book, Citation::csl));
    case BookForm::marcxml: {
      std::string out;
      xml::Writer w(out);
      w.declaration();
      marc::write_marcxml(to_marc(book), w, true);
      return document("application/marcxml+xml", std::move(out));
    }
    case BookForm::jsonld:
    case BookForm::json:
      break;
  }
  return document("application/ld+json", linked_data(book, address_of(own, book.id)));
}

Task<Result<Response>> in_form(Task<Result<Book>> task, BookForm form, std::string own) {
  auto book = co_await std::move(task);
  if (!book) co_return Failure(std::move(book.error()));
  co_return in_form(*book, form, own);
}

Task<Response> other_form(Context& context, BookService& books, BookId id, BookForm form) {
  auto own = own_address(*context.request);
  auto response = co_await in_form(books.find(id), form, std::move(own));
  if (!response) co_return problem(context, std::move(response.error()));
  co_return std::move(*response);
}

// The form that a request asks for, by ?format= or Accept; nothing for JSON and for what is no form.
std::optional<BookForm> form_of(const Context& context) {
  for (const auto& [name, value] : context.query) {
    if (name != "format") continue;
    for (std::size_t i = 1; i < book_form_names.size(); ++i)
      if (value == book_form_names[i]) return static_cast<BookForm>(i);
    return {};
  }
  const auto accept = context.head->header("Accept");
  if (accept.contains("application/ld+json") && !accept.contains("application/json")) return BookForm::jsonld;
  return {};
}

Task<Result<Response>> sitemap_index(BookService& books, std::string own) {
  auto newest = co_await books.newest();
  if (!newest) co_return Failure(std::move(newest.error()));
  std::string out;
  xml::Writer w(out);
  w.declaration();
  w.open("sitemapindex", {{"xmlns", "http://www.sitemaps.org/schemas/sitemap/0.9"}});
  for (std::int64_t n = 1; (n - 1) * books_of_a_sitemap < newest->value; ++n) {
    w.open("sitemap");
    w.element("loc", fmt::format("{}/sitemaps/{}", own, n));
    w.close();
  }
  w.close();
  Response response;
  response.content_type = "application/xml; charset=utf-8";
  response.body = std::move(out);
  co_return response;
}

struct SitemapWalk {
  SitemapWalk(BookService& service, std::string address, BookId from, BookId to)
      : books(service), own(std::move(address)), last(from), end(to) {}
  BookService& books;
  std::string own;
  BookId last, end;
  bool begun = false, ended = false;
};

Task<Result<std::string>> next_addresses(std::shared_ptr<SitemapWalk> walk) {
  std::string out;
  if (walk->ended) co_return out;
  if (!std::exchange(walk->begun, true)) {
    xml::Writer w(out);
    w.declaration();
    out += "<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n";
  }
  auto books = co_await walk->books.after(walk->last, piece_of_books);
  if (!books) co_return Failure(std::move(books.error()));
  xml::Writer w(out);
  for (const Book& book : *books) {
    walk->last = book.id;
    if (book.id > walk->end) break;
    w.open("url");
    w.element("loc", address_of(walk->own, book.id));
    w.element("lastmod", to_rfc3339(book.updated_at));
    w.close();
    out += '\n';
  }
  if (books->empty() || walk->last > walk->end) {
    walk->ended = true;
    out += "</urlset>\n";
  }
  co_return out;
}

Task<Result<Response>> sitemap(BookService& books, std::int64_t number, std::string own) {
  auto newest = co_await books.newest();
  if (!newest) co_return Failure(std::move(newest.error()));
  if (number < 1 || number > newest->value / books_of_a_sitemap + 1)
    co_return lumina::not_found("There is no such sitemap");
  const BookId from{(number - 1) * books_of_a_sitemap}, to{number * books_of_a_sitemap};
  auto walk = std::make_shared<SitemapWalk>(books, std::move(own), from, to);
  co_return co_await pulled("application/xml; charset=utf-8", [walk] { return next_addresses(walk); });
}

}  // namespace

Route in_many_forms(Route route, BookService& books) {
  route.handler = [inner = std::move(route.handler), &books](Context& context) -> Eventual<Response> {
    const auto form = form_of(context);
    if (!form) return inner(context);
    std::int64_t id = 0;
    const auto text = context.path_values[0];
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    // What is no number is told so by the usual way.
    if (error != std::errc{} || end != text.data() + text.size()) return inner(context);
    return other_form(context, books, BookId{id}, *form);
  };
  return route;
}

std::vector<Route> export_routes(BookService& books, const Clock& clock) {
  std::vector<Route> routes;
  const auto add = [&](Route route) { routes.push_back(std::move(route).tagged("Catalogue")); };
  add(get("/api/v1/books/export", "Export all books as a file", Access::needs(Permission::books_write), {},
          [&](Query<ExportRequest> request) {
            return export_all(books, request->format.value_or(ExportKind::csv), clock.now());
          })
          .answers_media("text/csv")
          .limited(download_class)
          .by_itself()
          .explained("CSV, JSON lines, MARC 21 (ISO 2709, UTF-8) or MARCXML, made while it is sent. What is "
                     "exported can be imported again and gives equal books."));
  add(get("/api/v1/books/{id}/citation", "Cite a book", Access::anyone(), {ErrorKind::not_found},
          [&](Path<BookId> id, Query<CitationRequest> request) {
            const auto form =
                static_cast<BookForm>(static_cast<int>(request->format.value_or(Citation::bibtex)) +
                                      static_cast<int>(BookForm::bibtex));
            return in_form(books.find(*id), form, std::string());
          })
          .answers_media("application/x-bibtex")
          .explained("BibTeX, RIS or CSL-JSON."));
  add(get("/sitemap.xml", "The sitemaps of the public catalogue", Access::anyone(), {},
          [&](RawRequest request) { return sitemap_index(books, own_address(*request.request)); })
          .answers_media("application/xml"));
  add(get("/sitemaps/{number}", "The addresses of up to 50,000 books", Access::anyone(),
          {ErrorKind::not_found},
          [&](Path<std::int64_t> number, RawRequest request) {
            return sitemap(books, *number, own_address(*request.request));
          })
          .answers_media("application/xml")
          .by_itself());
  for (auto& alias : also_at(routes, Method::get, "/api/v1/books/export", {"/api/v1/exports/books"}))
    routes.push_back(std::move(alias));
  return routes;
}

}  // namespace lumina::books
