// What searching takes and answers, free of HTTP and SQL.
#pragma once
#include "modules/books/model.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::books {

enum class Fuzzy : std::uint8_t { automatic, none, one, two };
constexpr std::array<std::string_view, 4> fuzzy_names{"auto", "0", "1", "2"};
constexpr auto& enum_names(Fuzzy) { return fuzzy_names; }

enum class SearchMode : std::uint8_t { keyword, semantic, hybrid };
constexpr std::array<std::string_view, 3> search_mode_names{"keyword", "semantic", "hybrid"};
constexpr auto& enum_names(SearchMode) { return search_mode_names; }

enum class FacetName : std::uint8_t { genre, author, language, year, tag, availability };
constexpr std::array<std::string_view, 6> facet_names{"genre", "author", "language",
                                                      "year",  "tag",    "availability"};
constexpr auto& enum_names(FacetName) { return facet_names; }

// The query string of GET /books/search. Several values of a filter are separated by '|'.
struct SearchQuery {
  std::optional<std::string> q;  // query language: docs/search.md; empty: every book
  std::optional<std::string> genre, author, isbn, tag, language, publisher;
  std::optional<int> year_from, year_to, pages_from, pages_to;
  std::optional<bool> available;
  std::optional<std::string> sort;
  std::optional<Fuzzy> fuzzy;
  std::optional<SearchMode> mode;
  std::vector<FacetName> facets;
  std::optional<int> facet_limit;
  std::optional<bool> highlight, explain, natural;
  std::optional<std::string> max_per;
  std::optional<int> documents;
  std::optional<std::int64_t> skip, limit;
  std::optional<std::string> cursor;

  static constexpr std::string_view type_name = "SearchQuery";
  static std::vector<schema::Field> fields();
};

struct Offset {
  std::int64_t start = 0, end = 0;
  static constexpr std::string_view type_name = "HighlightOffset";
  static std::vector<schema::Field> fields();
};
struct Highlight {
  std::string field, text;
  std::vector<Offset> offsets;
  static constexpr std::string_view type_name = "Highlight";
  static std::vector<schema::Field> fields();
};

struct ScorePart {
  std::string word;
  std::vector<std::string> fields_matched;
  double idf = 0, weight = 0, score = 0;
  static constexpr std::string_view type_name = "ScorePart";
  static std::vector<schema::Field> fields();
};
struct ScoreExplanation {
  std::vector<ScorePart> words;
  double popularity_factor = 1;
  bool all_words = false;
  static constexpr std::string_view type_name = "ScoreExplanation";
  static std::vector<schema::Field> fields();
};

struct SearchHit {
  Book book;
  double score = 0;
  bool pinned = false;
  std::optional<std::vector<Highlight>> highlights;
  std::optional<ScoreExplanation> explain;
  static constexpr std::string_view type_name = "SearchHit";
  static std::vector<schema::Field> fields();
};

struct SearchFacets {
  std::optional<std::vector<FacetValue>> genre, author, language, year, tag, availability;
  static constexpr std::string_view type_name = "SearchFacets";
  static std::vector<schema::Field> fields();
};

// A filter that was read out of the words of the query.
struct UsedFilter {
  std::string name, value, words;
  static constexpr std::string_view type_name = "UsedFilter";
  static std::vector<schema::Field> fields();
};

// Passages of documents that the caller may read.
struct FoundDocuments {
  std::int64_t total = 0;
  schema::RawJson items;
  static constexpr std::string_view type_name = "FoundDocuments";
  static std::vector<schema::Field> fields();
};

struct SearchAnswer {
  std::vector<SearchHit> items;
  std::int64_t total = 0;
  bool estimated = false;  // more than 10,000: the number is no promise
  std::optional<SearchFacets> facets;
  std::optional<FoundDocuments> documents;
  std::optional<std::string> corrected_query, did_you_mean, next_cursor;
  std::vector<UsedFilter> filters_used;
  SearchMode mode = SearchMode::keyword;
  std::int64_t took_ms = 0;
  static constexpr std::string_view type_name = "SearchAnswer";
  static std::vector<schema::Field> fields();
};

enum class SuggestionType : std::uint8_t { title, author, genre, subject };
constexpr std::array<std::string_view, 4> suggestion_type_names{"title", "author", "genre", "subject"};
constexpr auto& enum_names(SuggestionType) { return suggestion_type_names; }

struct SuggestQuery {
  std::string q;
  std::optional<int> limit;
  static constexpr std::string_view type_name = "SuggestQuery";
  static std::vector<schema::Field> fields();
};
struct Suggestion {
  std::string text;
  SuggestionType type = SuggestionType::title;
  std::optional<BookId> book_id;
  static constexpr std::string_view type_name = "Suggestion";
  static std::vector<schema::Field> fields();
};

// Several searches in one call.
struct OneOfMany {
  std::string entity;  // books, authors, lists, documents
  std::string q;
  std::optional<int> limit;
  static constexpr std::string_view type_name = "SearchOfMany";
  static std::vector<schema::Field> fields();
};
struct MultiSearch {
  std::vector<OneOfMany> queries;
  static constexpr std::string_view type_name = "MultiSearch";
  static std::vector<schema::Field> fields();
};
struct SearchGroup {
  std::string entity, q;
  std::int64_t total = 0;
  schema::RawJson items;
  static constexpr std::string_view type_name = "SearchGroup";
  static std::vector<schema::Field> fields();
};
struct MultiSearchAnswer {
  std::vector<SearchGroup> groups;
  static constexpr std::string_view type_name = "MultiSearchAnswer";
  static std::vector<schema::Field> fields();
};
struct FoundAuthor {
  std::string name;
  std::int64_t books = 0;
  static constexpr std::string_view type_name = "FoundAuthor";
  static std::vector<schema::Field> fields();
};

// What librarians decide.
struct SynonymSet {
  std::vector<std::string> terms;
  std::optional<bool> one_way;  // the first stands for the others, not the other way round
  static constexpr std::string_view type_name = "SynonymSet";
  static std::vector<schema::Field> fields();
};
struct Synonyms {
  std::vector<SynonymSet> sets;
  static constexpr std::string_view type_name = "Synonyms";
  static std::vector<schema::Field> fields();
};
struct StopWords {
  std::vector<std::string> words;
  static constexpr std::string_view type_name = "StopWords";
  static std::vector<schema::Field> fields();
};
struct Pin {
  std::string query;
  std::vector<BookId> books;
  static constexpr std::string_view type_name = "SearchPin";
  static std::vector<schema::Field> fields();
};
struct Pins {
  std::vector<Pin> pins;
  static constexpr std::string_view type_name = "SearchPins";
  static std::vector<schema::Field> fields();
};

struct Click {
  std::string query;
  BookId book_id;
  static constexpr std::string_view type_name = "SearchClick";
  static std::vector<schema::Field> fields();
};
struct SearchReportQuery {
  std::optional<int> days, limit;
  static constexpr std::string_view type_name = "SearchReportQuery";
  static std::vector<schema::Field> fields();
};
struct QueryFigures {
  std::string query;
  std::int64_t searches = 0, clicks = 0;
  static constexpr std::string_view type_name = "QueryFigures";
  static std::vector<schema::Field> fields();
};
struct ClickFigures {
  std::string query;
  BookId book_id;
  std::int64_t clicks = 0;
  static constexpr std::string_view type_name = "ClickFigures";
  static std::vector<schema::Field> fields();
};
struct SearchReport {
  std::int64_t days = 0, searches = 0, without_result = 0, clicks = 0;
  std::vector<QueryFigures> top, no_result;
  std::vector<ClickFigures> top_clicks;
  static constexpr std::string_view type_name = "SearchReport";
  static std::vector<schema::Field> fields();
};

struct IndexFigures {
  bool ready = false, rebuilding = false;
  std::int64_t books = 0, terms = 0, segments = 0, bytes = 0, pending = 0;
  static constexpr std::string_view type_name = "SearchIndexFigures";
  static std::vector<schema::Field> fields();
};

}  // namespace lumina::books
