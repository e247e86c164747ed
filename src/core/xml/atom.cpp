#include "core/xml/atom.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

namespace lumina::xml {
namespace {

void open_root(Writer& w, std::string_view name) {
  w.open(name, {{"xmlns", "http://www.w3.org/2005/Atom"},
                {"xmlns:dcterms", "http://purl.org/dc/terms/"},
                {"xmlns:opds", "http://opds-spec.org/2010/catalog"},
                {"xmlns:opensearch", "http://a9.com/-/spec/opensearch/1.1/"},
                {"xmlns:thr", "http://purl.org/syndication/thread/1.0"}});
}

void write(Writer& w, const AtomLink& link) {
  std::string tag;
  const auto attribute = [&](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    tag.append(" ").append(name).append("=\"");
    escape(value, tag);
    tag += '"';
  };
  attribute("rel", link.rel);
  attribute("href", link.href);
  attribute("type", link.type);
  attribute("title", link.title);
  for (const auto& [name, value] : link.more) attribute(name, value);
  std::string inside;
  if (link.inside) {
    Writer inner(inside);
    link.inside(inner);
  }
  w.raw(inside.empty() ? "<link" + tag + "/>" : "<link" + tag + ">" + inside + "</link>");
}

void write_content(Writer& w, const AtomEntry& entry) {
  w.element("title", entry.title);
  w.element("id", entry.id);
  w.element("updated", to_rfc3339(entry.updated));
  if (entry.published) w.element("published", to_rfc3339(*entry.published));
  for (const auto& author : entry.authors) {
    w.open("author");
    w.element("name", author);
    w.close();
  }
  for (const auto& category : entry.categories)
    w.open("category", {{"term", category}, {"label", category}}).close();
  if (entry.more) entry.more(w);
  w.some("summary", entry.summary, {{"type", "text"}});
  for (const auto& link : entry.links) write(w, link);
}

}  // namespace

std::string atom_text(const AtomFeed& feed) {
  std::string out;
  Writer w(out);
  w.declaration();
  open_root(w, "feed");
  w.element("id", feed.id);
  w.element("title", feed.title);
  w.element("updated", to_rfc3339(feed.updated));
  w.open("author");
  w.element("name", feed.author);
  w.close();
  if (feed.total) w.element("opensearch:totalResults", std::to_string(*feed.total));
  if (feed.page_size) w.element("opensearch:itemsPerPage", std::to_string(*feed.page_size));
  if (feed.first) w.element("opensearch:startIndex", std::to_string(*feed.first));
  for (const auto& link : feed.links) write(w, link);
  for (const auto& entry : feed.entries) {
    w.open("entry");
    write_content(w, entry);
    w.close();
  }
  w.close();
  out += '\n';
  return out;
}

std::string atom_text(const AtomEntry& entry) {
  std::string out;
  Writer w(out);
  w.declaration();
  open_root(w, "entry");
  write_content(w, entry);
  w.close();
  out += '\n';
  return out;
}

std::string http_date(Timestamp at) {
  return fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(static_cast<std::time_t>(at.ms / 1000)));
}

}  // namespace lumina::xml
