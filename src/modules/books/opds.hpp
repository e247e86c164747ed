// The catalogue as OPDS feeds: 1.2 (Atom) and 2.0 (JSON), from one description of a page. Pure, thread-safe.
//
// A page has either places to go or books; books have a link to borrow with what is free, pictures, and
// facets to narrow the list by. Sources: OPDS Catalog 1.2, OPDS Catalog 2.0 (drafts.opds.io).
#pragma once
#include "modules/books/model.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::books {

enum class OpdsVersion : std::uint8_t { v1, v2 };

constexpr int opds_page_size = 50;

struct OpdsPlace {
  std::string path;  // below the root of the version: "/new"
  std::string title, note;
  bool books = true;                    // it leads to books, not to more places
  std::string rel = "subsection";       // or http://opds-spec.org/sort/new
  std::optional<std::int64_t> count{};  // of books there
};
struct OpdsFacetValue {
  std::string title, path;
  std::optional<std::int64_t> count{};
  bool active = false;
};
struct OpdsFacet {
  std::string title;
  std::vector<OpdsFacetValue> values;
};
struct OpdsPage {
  std::string path;   // below the root, without the page: "/genres/Fiction?available=true"
  std::string title;  // of the feed
  Timestamp updated;
  std::vector<OpdsPlace> places;
  std::vector<Book> books;
  std::vector<OpdsFacet> facets;
  std::int64_t total = 0, number = 1;  // of books; the page, from 1
  bool is_root = false;
};

std::string opds_text(const OpdsPage& page, OpdsVersion version);
std::string opds_text(const Book& book, OpdsVersion version);
std::string_view opds_media_type(const OpdsPage& page, OpdsVersion version);
std::string_view opds_root(OpdsVersion version);  // "/opds", "/opds/v2"
// A plain picture for books without a cover.
constexpr std::string_view opds_no_cover_path = "/opds/no-cover.png";
std::string opds_no_cover();
// For readers that look for a search that way (OpenSearch 1.1).
std::string opensearch_description();

constexpr std::string_view opds1_navigation = "application/atom+xml;profile=opds-catalog;kind=navigation";
constexpr std::string_view opds1_acquisition = "application/atom+xml;profile=opds-catalog;kind=acquisition";
constexpr std::string_view opds1_entry = "application/atom+xml;type=entry;profile=opds-catalog";
constexpr std::string_view opds2_feed = "application/opds+json";
constexpr std::string_view opds2_publication = "application/opds-publication+json";

}  // namespace lumina::books
