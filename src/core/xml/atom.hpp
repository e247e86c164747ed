// Atom feeds (RFC 4287), also as OPDS 1.2 shapes them: a description of the feed in, text out.
//
// Addresses may be relative to the feed's own. Times are UTC. Pure, thread-safe.
#pragma once
#include "core/base/clock.hpp"
#include "core/xml/writer.hpp"

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lumina::xml {

struct AtomLink {
  std::string rel, href, type, title;
  std::vector<std::pair<std::string, std::string>> more;  // further attributes: "opds:facetGroup"
  std::function<void(Writer&)> inside{};                  // further elements in the link
};
struct AtomEntry {
  std::string id, title;
  Timestamp updated;
  std::optional<Timestamp> published;
  std::vector<std::string> authors, categories;
  std::string summary;
  std::vector<AtomLink> links;
  std::function<void(Writer&)> more{};  // further elements, with prefixes that the feed declares
};
struct AtomFeed {
  std::string id, title;
  Timestamp updated;
  std::string author = "LuminaLib";
  std::vector<AtomLink> links;
  std::vector<AtomEntry> entries;
  std::optional<std::int64_t> total, page_size, first;  // OpenSearch; `first` counts from 1
};

std::string atom_text(const AtomFeed& feed);
// An entry as a document of its own.
std::string atom_text(const AtomEntry& entry);

// "Sun, 22 Nov 2026 10:00:00 GMT", for Last-Modified (RFC 9110, 5.6.7).
std::string http_date(Timestamp at);

}  // namespace lumina::xml
