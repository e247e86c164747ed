// What the index knows of a book: its text fields, facets and numbers, and how much each field weighs.
//
// The weights were chosen on the CACM collection and on known items of the Gutenberg catalogue;
// docs/search.md has the figures.
#pragma once
#include "core/search/matcher.hpp"
#include "modules/books/search_repository.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace lumina::books {

enum class TextField : std::uint8_t { title, author, genre, subject, publisher, description, isbn };
enum class IndexFacet : std::uint8_t { genre, author, language, tag, year };
enum class IndexNumber : std::uint8_t { created_at, year, pages };
enum class IndexLive : std::uint8_t { popularity, available, rating };  // rating in hundredths; -1: none
constexpr std::array<std::string_view, 7> text_field_names{"title",     "author",      "genre", "tags",
                                                           "publisher", "description", "isbn"};

constexpr std::size_t at(TextField f) { return static_cast<std::size_t>(f); }
constexpr std::size_t at(IndexFacet f) { return static_cast<std::size_t>(f); }
constexpr std::size_t at(IndexNumber n) { return static_cast<std::size_t>(n); }
constexpr std::size_t at(IndexLive n) { return static_cast<std::size_t>(n); }
constexpr std::uint32_t bit_of(TextField f) { return 1U << at(f); }

search::Schema search_schema();
search::Ranking search_ranking();
search::Document document_of(const IndexedBook& book);
std::array<std::int32_t, 3> live_of(int total_borrows, int copies_available, std::optional<double> rating);

// Parts of the query language that name a field: the bits of text fields, or conditions on the rest. Names
// are in lower case.
bool is_search_field(std::string_view name);
std::optional<std::uint32_t> text_field(std::string_view name);
std::expected<search::Condition, std::string> field_condition(std::string_view name, std::string_view text);
// "fr", "fra", "French", "fr-CA"; nothing for what is no language.
std::optional<std::string> language_code(std::string_view text);
search::Condition language_is(std::string_view tag);
search::Condition number_between(IndexNumber number, std::optional<std::int64_t> least,
                                 std::optional<std::int64_t> most);

}  // namespace lumina::books
