#include "modules/books/opds.hpp"

#include "core/base/text.hpp"
#include "core/xml/atom.hpp"
#include "modules/books/citation.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace lumina::books {
namespace {

namespace json = boost::json;
using xml::AtomEntry;
using xml::AtomFeed;
using xml::AtomLink;

constexpr std::string_view image = "http://opds-spec.org/image",
                           thumbnail = "http://opds-spec.org/image/thumbnail",
                           borrow = "http://opds-spec.org/acquisition/borrow",
                           facet = "http://opds-spec.org/facet";

std::string with_page(std::string path, std::int64_t number) {
  if (number <= 1) return path;
  path += path.contains('?') ? '&' : '?';
  return path + fmt::format("page={}", number);
}
std::int64_t last_page(const OpdsPage& page) {
  return std::max<std::int64_t>(1, (page.total + opds_page_size - 1) / opds_page_size);
}

// Links that lead around: rel and path.
std::vector<std::pair<std::string, std::string>> paging_of(const OpdsPage& page) {
  std::vector<std::pair<std::string, std::string>> links;
  if (!page.places.empty() || page.is_root) return links;
  const auto last = last_page(page);
  if (page.number < last) links.emplace_back("next", with_page(page.path, page.number + 1));
  if (page.number > 1) links.emplace_back("previous", with_page(page.path, std::min(page.number - 1, last)));
  links.emplace_back("first", page.path);
  links.emplace_back("last", with_page(page.path, last));
  return links;
}

std::string urn_of(const Book& book) { return fmt::format("urn:luminalib:book:{}", book.id.value); }

std::string image_type(std::string_view url) {
  const std::string lower = ascii_lower(url.substr(0, url.find('?')));
  return lower.ends_with(".png") ? "image/png" : lower.ends_with(".webp") ? "image/webp" : "image/jpeg";
}

std::string name_of(const PersonName& name) {
  return name.given.empty() ? name.family : name.given + " " + name.family;
}

AtomEntry entry_of(const Book& book) {
  AtomEntry entry;
  entry.id = urn_of(book);
  entry.title = book.title;
  entry.updated = book.updated_at;
  entry.published = book.created_at;
  for (const auto& name : names_in(book.author)) entry.authors.push_back(name_of(name));
  if (book.genre) entry.categories.push_back(*book.genre);
  entry.categories.insert(entry.categories.end(), book.tags.begin(), book.tags.end());
  entry.summary = book.description.value_or(book.summary.value_or(""));
  entry.more = [&book](xml::Writer& w) {
    if (book.isbn) w.element("dcterms:identifier", "urn:isbn:" + *book.isbn);
    w.some("dcterms:language", book.language.value_or(""));
    w.some("dcterms:publisher", book.publisher.value_or(""));
    if (book.year_published) w.element("dcterms:issued", fmt::format("{:04}", *book.year_published));
    if (book.page_count) w.element("dcterms:extent", fmt::format("{} pages", *book.page_count));
  };
  AtomLink take{std::string(borrow),
                fmt::format("/api/v1/books/{}", book.id.value),
                "application/json",
                "Borrow",
                {},
                {}};
  take.inside = [&book](xml::Writer& w) {
    w.open("opds:availability", {{"status", book.copies_available > 0 ? "available" : "unavailable"}})
        .close();
    w.open("opds:copies", {{"total", std::to_string(book.copies_total)},
                           {"available", std::to_string(book.copies_available)}})
        .close();
  };
  entry.links.push_back(std::move(take));
  // OPDS 1.2 knows PNG, JPEG and GIF.
  if (book.cover_url && image_type(*book.cover_url) != "image/webp") {
    for (const auto rel : {image, thumbnail})
      entry.links.push_back({std::string(rel), *book.cover_url, image_type(*book.cover_url), "", {}, {}});
  }
  entry.links.push_back(
      {"alternate", fmt::format("/opds/books/{}", book.id.value), std::string(opds1_entry), "", {}, {}});
  entry.links.push_back({"describedby",
                         fmt::format("/api/v1/books/{}?format=jsonld", book.id.value),
                         "application/ld+json",
                         "",
                         {},
                         {}});
  return entry;
}

std::string atom_of(const OpdsPage& page) {
  const std::string root(opds_root(OpdsVersion::v1));
  AtomFeed feed;
  feed.id = "urn:luminalib:opds:" + (page.path.empty() ? "root" : percent_encode(page.path));
  feed.title = page.title;
  feed.updated = page.updated;
  const std::string type(opds_media_type(page, OpdsVersion::v1));
  feed.links.push_back({"self", root + with_page(page.path, page.number), type, "", {}, {}});
  feed.links.push_back({"start", root, std::string(opds1_navigation), "", {}, {}});
  if (!page.is_root) feed.links.push_back({"up", root, std::string(opds1_navigation), "", {}, {}});
  feed.links.push_back(
      {"search", root + "/search.xml", "application/opensearchdescription+xml", "Search", {}, {}});
  feed.links.push_back(
      {"search", root + "/search?q={searchTerms}", "application/atom+xml", "Search", {}, {}});
  for (auto& [rel, path] : paging_of(page)) feed.links.push_back({rel, root + path, type, "", {}, {}});
  for (const auto& group : page.facets)
    for (const auto& value : group.values) {
      AtomLink link{
          std::string(facet), root + value.path, type, value.title, {{"opds:facetGroup", group.title}}, {}};
      if (value.active) link.more.emplace_back("opds:activeFacet", "true");
      if (value.count) link.more.emplace_back("thr:count", std::to_string(*value.count));
      feed.links.push_back(std::move(link));
    }
  if (page.places.empty() && !page.is_root) {
    feed.total = page.total;
    feed.page_size = opds_page_size;
    feed.first = (page.number - 1) * opds_page_size + 1;
  }
  for (const auto& place : page.places) {
    AtomEntry entry;
    entry.id = "urn:luminalib:opds:" + percent_encode(place.path);
    entry.title = place.title;
    entry.updated = page.updated;
    entry.summary = place.note;
    AtomLink link{
        place.rel, root + place.path, std::string(place.books ? opds1_acquisition : opds1_navigation), "", {},
        {}};
    if (place.count) link.more.emplace_back("thr:count", std::to_string(*place.count));
    entry.links.push_back(std::move(link));
    feed.entries.push_back(std::move(entry));
  }
  for (const Book& book : page.books) feed.entries.push_back(entry_of(book));
  return xml::atom_text(feed);
}

json::object link_of(std::string_view rel, std::string href, std::string_view type) {
  json::object link{{"href", std::move(href)}, {"type", type}};
  if (!rel.empty()) link["rel"] = rel;
  return link;
}

json::object publication_of(const Book& book) {
  json::object metadata{{"@type", "http://schema.org/Book"},
                        {"title", book.title},
                        {"identifier", book.isbn ? "urn:isbn:" + *book.isbn : urn_of(book)},
                        {"modified", to_rfc3339(book.updated_at)}};
  json::array authors;
  for (const auto& name : names_in(book.author)) authors.push_back(json::object{{"name", name_of(name)}});
  metadata["author"] = std::move(authors);
  if (book.language) metadata["language"] = *book.language;
  if (book.publisher) metadata["publisher"] = *book.publisher;
  if (book.year_published && *book.year_published > 0)
    metadata["published"] = fmt::format("{:04}", *book.year_published);
  if (book.description) metadata["description"] = *book.description;
  if (book.page_count) metadata["numberOfPages"] = *book.page_count;
  json::array subjects;
  if (book.genre) subjects.emplace_back(*book.genre);
  for (const auto& tag : book.tags) subjects.emplace_back(tag);
  if (!subjects.empty()) metadata["subject"] = std::move(subjects);
  auto take = link_of(borrow, fmt::format("/api/v1/books/{}", book.id.value), "application/json");
  take["properties"] = json::object{
      {"availability", json::object{{"state", book.copies_available > 0 ? "available" : "unavailable"}}},
      {"copies", json::object{{"total", book.copies_total}, {"available", book.copies_available}}}};
  json::object publication{
      {"metadata", std::move(metadata)},
      {"links",
       json::array{link_of("self", fmt::format("/opds/v2/books/{}", book.id.value), opds2_publication),
                   std::move(take)}}};
  json::array images;
  if (book.cover_url) images.push_back(link_of({}, *book.cover_url, image_type(*book.cover_url)));
  // A publication has an image, and one that every reader can show.
  if (!book.cover_url || image_type(*book.cover_url) == "image/webp")
    images.push_back(link_of({}, std::string(opds_no_cover_path), "image/png"));
  publication["images"] = std::move(images);
  return publication;
}

std::string json_of(const OpdsPage& page) {
  const std::string root(opds_root(OpdsVersion::v2));
  json::object metadata{{"title", page.title}, {"modified", to_rfc3339(page.updated)}};
  json::array links{
      link_of("self", page.is_root ? root + "/catalog" : root + with_page(page.path, page.number),
              opds2_feed),
      link_of("start", root + "/catalog", opds2_feed)};
  auto search = link_of("search", root + "/search{?query,title,author}", opds2_feed);
  search["templated"] = true;
  links.push_back(std::move(search));
  for (auto& [rel, path] : paging_of(page)) links.push_back(link_of(rel, root + path, opds2_feed));
  json::object feed;
  if (page.places.empty() && !page.is_root) {
    metadata["numberOfItems"] = page.total;
    metadata["itemsPerPage"] = opds_page_size;
    metadata["currentPage"] = page.number;
    json::array publications;
    for (const Book& book : page.books) publications.push_back(publication_of(book));
    json::array facets;
    for (const auto& group : page.facets) {
      json::array values;
      for (const auto& value : group.values) {
        auto link = link_of(value.active ? "self" : "", root + value.path, opds2_feed);
        link["title"] = value.title;
        if (value.count) link["properties"] = json::object{{"numberOfItems", *value.count}};
        values.push_back(std::move(link));
      }
      facets.push_back(
          json::object{{"metadata", json::object{{"title", group.title}}}, {"links", std::move(values)}});
    }
    if (!facets.empty()) feed["facets"] = std::move(facets);
    feed["publications"] = std::move(publications);
  } else {
    json::array navigation;
    for (const auto& place : page.places) {
      auto link = link_of(place.rel, root + place.path, opds2_feed);
      link["title"] = place.title;
      if (place.count) link["properties"] = json::object{{"numberOfItems", *place.count}};
      navigation.push_back(std::move(link));
    }
    feed["navigation"] = std::move(navigation);
  }
  feed["metadata"] = std::move(metadata);
  feed["links"] = std::move(links);
  return json::serialize(feed);
}

}  // namespace

std::string_view opds_root(OpdsVersion version) { return version == OpdsVersion::v1 ? "/opds" : "/opds/v2"; }

std::string_view opds_media_type(const OpdsPage& page, OpdsVersion version) {
  if (version == OpdsVersion::v2) return opds2_feed;
  return page.places.empty() && !page.is_root ? opds1_acquisition : opds1_navigation;
}

std::string opds_text(const OpdsPage& page, OpdsVersion version) {
  return version == OpdsVersion::v1 ? atom_of(page) : json_of(page);
}

std::string opds_text(const Book& book, OpdsVersion version) {
  if (version == OpdsVersion::v1) return xml::atom_text(entry_of(book));
  return json::serialize(publication_of(book));
}

std::string opds_no_cover() {
  constexpr std::string_view png =
      "iVBORw0KGgoAAAANSUhEUgAAAHgAAAC0AQMAAABlgHpeAAAABlBMVEVba3vm6ewanWreAAAAIklEQVR42u3HoQEAAAgDoP3_"
      "tFabcQUa"
      "Sdtc7u7u7u7PuxZu1Ewlai7M2AAAAABJRU5ErkJggg";
  return base64url_decode(png).value();
}

std::string opensearch_description() {
  std::string out;
  xml::Writer w(out);
  w.declaration();
  w.open("OpenSearchDescription", {{"xmlns", "http://a9.com/-/spec/opensearch/1.1/"}});
  w.element("ShortName", "LuminaLib");
  w.element("Description", "Search the catalogue by words of title and author");
  w.element("InputEncoding", "UTF-8");
  w.element("OutputEncoding", "UTF-8");
  w.open("Url", {{"type", opds1_acquisition}, {"template", "/opds/search?q={searchTerms}&page={startPage?}"}})
      .close();
  w.open("Url", {{"type", opds2_feed}, {"template", "/opds/v2/search?query={searchTerms}"}}).close();
  w.close();
  out += '\n';
  return out;
}

}  // namespace lumina::books
