#include "modules/books/dublin_core.hpp"

#include <fmt/format.h>

namespace lumina::books {
namespace {

void write_elements(const Book& book, xml::Writer& w) {
  w.element("dc:title", book.title);
  w.element("dc:creator", book.author);
  if (book.genre) w.element("dc:subject", *book.genre);
  for (const auto& tag : book.tags) w.element("dc:subject", tag);
  w.some("dc:description", book.description.value_or(""));
  w.some("dc:publisher", book.publisher.value_or(""));
  if (book.year_published) w.element("dc:date", fmt::format("{}", *book.year_published));
  w.element("dc:type", "Text");
  if (book.page_count) w.element("dc:format", fmt::format("{} pages", *book.page_count));
  w.element("dc:identifier", fmt::format("urn:luminalib:book:{}", book.id.value));
  if (book.isbn) w.element("dc:identifier", "urn:isbn:" + *book.isbn);
  w.some("dc:language", book.language.value_or(""));
}

}  // namespace

void write_oai_dc(const Book& book, xml::Writer& w) {
  w.open("oai_dc:dc",
         {{"xmlns:oai_dc", "http://www.openarchives.org/OAI/2.0/oai_dc/"},
          {"xmlns:dc", "http://purl.org/dc/elements/1.1/"},
          {"xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"},
          {"xsi:schemaLocation",
           "http://www.openarchives.org/OAI/2.0/oai_dc/ http://www.openarchives.org/OAI/2.0/oai_dc.xsd"}});
  write_elements(book, w);
  w.close();
}

void write_srw_dc(const Book& book, xml::Writer& w) {
  w.open("srw_dc:dc",
         {{"xmlns:srw_dc", "info:srw/schema/1/dc-schema"}, {"xmlns:dc", "http://purl.org/dc/elements/1.1/"}});
  write_elements(book, w);
  w.close();
}

}  // namespace lumina::books
