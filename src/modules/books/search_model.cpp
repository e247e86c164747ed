#include "modules/books/search_model.hpp"

#include "core/base/text.hpp"

namespace lumina::books {
namespace {

using schema::Field;

bool is_max_per(std::string_view text) {
  if (!text.starts_with("author:")) return false;
  text.remove_prefix(7);
  return !text.empty() && text.size() < 4 && text != "0" &&
         text.find_first_not_of("0123456789") == std::string_view::npos && text[0] != '0';
}
bool has_text(std::string_view text) { return !trim(text).empty(); }

}  // namespace

std::vector<Field> SearchQuery::fields() {
  using Q = SearchQuery;
  return {
      {"q",
       &Q::q,
       "Words, \"phrases\", AND OR NOT, parentheses, prefix*, field:term",
       {schema::length(0, 2000)}},
      {"genre", &Q::genre, "One of these genres, separated by |", {schema::length(1, 1000)}},
      {"author", &Q::author, "Part of the author's name; several separated by |", {schema::length(1, 1000)}},
      {"isbn", &Q::isbn, "ISBN-10 or ISBN-13", {schema::length(1, 40)}},
      {"tag", &Q::tag, "One of these tags, separated by |", {schema::length(1, 1000)}},
      {"language",
       &Q::language,
       "Language, or language and region; several separated by |",
       {schema::length(1, 200)}},
      {"publisher", &Q::publisher, "Words of the publisher's name", {schema::length(1, 255)}},
      {"year_from", &Q::year_from, "Published in this year or later", {schema::range(-3000, 9999)}},
      {"year_to", &Q::year_to, "Published in this year or before", {schema::range(-3000, 9999)}},
      {"pages_from", &Q::pages_from, "At least so many pages", {schema::range(1, 100000)}},
      {"pages_to", &Q::pages_to, "At most so many pages", {schema::range(1, 100000)}},
      {"available", &Q::available, "true: only books with a copy free now"},
      {"sort",
       &Q::sort,
       "Order (default relevance); '-' in front for descending",
       {schema::one_of({"relevance", "created_at", "-created_at", "title", "-title", "author", "-author",
                        "year_published", "-year_published", "rating", "-rating", "popularity",
                        "-popularity"})}},
      {"fuzzy", &Q::fuzzy, "Slips of the finger forgiven in a word that is in no book (default auto)"},
      {"mode", &Q::mode, "keyword; semantic and hybrid where the server has vectors"},
      {"facets", &Q::facets, "Counts wanted, separated by commas", {schema::items(0, 6)}},
      {"facet_limit", &Q::facet_limit, "Values of each facet (default 20)", {schema::range(1, 100)}},
      {"highlight", &Q::highlight, "Show where the words stand"},
      {"explain", &Q::explain, "Show the parts of each score"},
      {"natural", &Q::natural, "false: read no filters out of sentences such as \"short french novels\""},
      {"max_per",
       &Q::max_per,
       "author:N, at most N books of an author in the whole list",
       {schema::format("max-per", &is_max_per, "must be author: and a number from 1 to 999")}},
      {"documents",
       &Q::documents,
       "Also so many passages of the documents that one may read",
       {schema::range(1, 20)}},
      {"skip", &Q::skip, "Hits passed over; further than 10,000 only by cursor", {schema::range(0, 10000)}},
      {"limit", &Q::limit, "Hits a page (default 20)", {schema::range(1, 100)}},
      {"cursor", &Q::cursor, "next_cursor of the page before", {schema::length(1, 2000)}}};
}

std::vector<Field> Offset::fields() {
  return {{"start", &Offset::start, "First character, from 0, in code points of the whole field"},
          {"end", &Offset::end, "One past the last"}};
}
std::vector<Field> Highlight::fields() {
  return {
      {"field", &Highlight::field, "Member of the book"},
      {"text", &Highlight::text, "HTML-escaped, with <mark> around what was found; a piece of long texts"},
      {"offsets", &Highlight::offsets, "What is marked"}};
}
std::vector<Field> ScorePart::fields() {
  return {{"word", &ScorePart::word, "As asked for"},
          {"fields_matched", &ScorePart::fields_matched, "Where it stands"},
          {"idf", &ScorePart::idf, "How rare it is"},
          {"weight", &ScorePart::weight, "Times it stands there, by field weight and length"},
          {"score", &ScorePart::score, "What it adds"}};
}
std::vector<Field> ScoreExplanation::fields() {
  return {{"words", &ScoreExplanation::words, "Each word"},
          {"popularity_factor", &ScoreExplanation::popularity_factor, "The sum is multiplied by this"},
          {"all_words", &ScoreExplanation::all_words,
           "It has everything asked for, and stands before what has not"}};
}
std::vector<Field> SearchHit::fields() {
  return {{"book", &SearchHit::book, "The book"},
          {"score", &SearchHit::score, "How well it fits; comparable within one answer"},
          {"pinned", &SearchHit::pinned, "A librarian put it there"},
          Field("highlights", &SearchHit::highlights, "When asked for").hide_when_absent(),
          Field("explain", &SearchHit::explain, "When asked for").hide_when_absent()};
}
std::vector<Field> SearchFacets::fields() {
  const auto f = [](std::string_view name, std::optional<std::vector<FacetValue>> SearchFacets::* member) {
    return Field(name, member, "Books by value, most first, whatever this facet's own filter says")
        .hide_when_absent();
  };
  return {f("genre", &SearchFacets::genre),       f("author", &SearchFacets::author),
          f("language", &SearchFacets::language), f("year", &SearchFacets::year),
          f("tag", &SearchFacets::tag),           f("availability", &SearchFacets::availability)};
}
std::vector<Field> UsedFilter::fields() {
  return {{"name", &UsedFilter::name, "Parameter that does the same"},
          {"value", &UsedFilter::value, "Its value"},
          {"words", &UsedFilter::words, "What it was read from"}};
}
std::vector<Field> FoundDocuments::fields() {
  return {{"total", &FoundDocuments::total, "Number of passages"},
          {"items", &FoundDocuments::items, "As GET /documents/search gives them, best first"}};
}
std::vector<Field> SearchAnswer::fields() {
  return {
      {"items", &SearchAnswer::items, "Hits, best first"},
      {"total", &SearchAnswer::total, "Number of hits"},
      {"estimated", &SearchAnswer::estimated, "More than 10,000: the number is no promise"},
      Field("facets", &SearchAnswer::facets, "When asked for").hide_when_absent(),
      Field("documents", &SearchAnswer::documents, "Passages of documents, when asked for")
          .hide_when_absent(),
      Field("corrected_query", &SearchAnswer::corrected_query, "What was searched for instead, by spelling")
          .hide_when_absent(),
      Field("did_you_mean", &SearchAnswer::did_you_mean, "Nothing was found; this query has hits")
          .hide_when_absent(),
      Field("next_cursor", &SearchAnswer::next_cursor, "For the next page").hide_when_absent(),
      {"filters_used", &SearchAnswer::filters_used, "Filters that were read out of the sentence"},
      {"mode", &SearchAnswer::mode, "How it was searched"},
      {"took_ms", &SearchAnswer::took_ms, "Milliseconds"}};
}

std::vector<Field> SuggestQuery::fields() {
  return {{"q", &SuggestQuery::q, "What was typed so far", {schema::length(1, 200)}},
          {"limit", &SuggestQuery::limit, "At most (default 10)", {schema::range(1, 20)}}};
}
std::vector<Field> Suggestion::fields() {
  return {{"text", &Suggestion::text, "To be shown and searched for"},
          {"type", &Suggestion::type, "What it is"},
          Field("book_id", &Suggestion::book_id, "Of a title").hide_when_absent()};
}

std::vector<Field> OneOfMany::fields() {
  return {{"entity",
           &OneOfMany::entity,
           "What to look for: books, authors, lists, or documents that one may read",
           {schema::length(1, 40)}},
          {"q", &OneOfMany::q, "Query", {schema::length(1, 500)}},
          {"limit", &OneOfMany::limit, "At most (default 5)", {schema::range(1, 20)}}};
}
std::vector<Field> MultiSearch::fields() {
  return {Field("queries", &MultiSearch::queries, "One to ten", {schema::items(1, 10)}).needed()};
}
std::vector<Field> SearchGroup::fields() {
  return {{"entity", &SearchGroup::entity, "What was looked for"},
          {"q", &SearchGroup::q, "Query"},
          {"total", &SearchGroup::total, "Number of hits"},
          {"items", &SearchGroup::items, "The first of them"}};
}
std::vector<Field> MultiSearchAnswer::fields() {
  return {{"groups", &MultiSearchAnswer::groups, "One for each query, in their order"}};
}
std::vector<Field> FoundAuthor::fields() {
  return {{"name", &FoundAuthor::name, "As on the title page"},
          {"books", &FoundAuthor::books, "Number of books"}};
}

std::vector<Field> SynonymSet::fields() {
  return {
      Field("terms", &SynonymSet::terms, "Words or phrases", {schema::items(2, 30), schema::length(1, 100)})
          .needed(),
      {"one_way", &SynonymSet::one_way, "The first also finds the others, but not the other way round"}};
}
std::vector<Field> Synonyms::fields() {
  return {Field("sets", &Synonyms::sets, "All of them", {schema::items(0, 2000)}).needed()};
}
std::vector<Field> StopWords::fields() {
  return {Field("words", &StopWords::words, "All of them, besides the usual ones",
                {schema::items(0, 2000), schema::length(1, 100)})
              .needed()};
}
std::vector<Field> Pin::fields() {
  return {{"query", &Pin::query, "Whoever searches for this", {schema::length(1, 200)}},
          Field("books", &Pin::books, "sees these first, in this order", {schema::items(1, 20)}).needed()};
}
std::vector<Field> Pins::fields() {
  return {Field("pins", &Pins::pins, "All of them", {schema::items(0, 1000)}).needed()};
}

std::vector<Field> Click::fields() {
  return {{"query",
           &Click::query,
           "What was searched for",
           {schema::length(1, 500), schema::format("not-blank", &has_text, "must not be blank")}},
          {"book_id", &Click::book_id, "The hit that was opened"}};
}
std::vector<Field> SearchReportQuery::fields() {
  return {
      {"days", &SearchReportQuery::days, "Days back, today included (default 30)", {schema::range(1, 400)}},
      {"limit", &SearchReportQuery::limit, "Queries a list (default 20)", {schema::range(1, 100)}}};
}
std::vector<Field> QueryFigures::fields() {
  return {{"query", &QueryFigures::query, "Folded words"},
          {"searches", &QueryFigures::searches, "Times searched for"},
          {"clicks", &QueryFigures::clicks, "Times a hit was opened"}};
}
std::vector<Field> ClickFigures::fields() {
  return {{"query", &ClickFigures::query, "Folded words"},
          {"book_id", &ClickFigures::book_id, "The hit"},
          {"clicks", &ClickFigures::clicks, "Times it was opened"}};
}
std::vector<Field> SearchReport::fields() {
  return {{"days", &SearchReport::days, "Days it covers"},
          {"searches", &SearchReport::searches, "First pages asked for"},
          {"without_result", &SearchReport::without_result, "That found nothing"},
          {"clicks", &SearchReport::clicks, "Hits opened"},
          {"top", &SearchReport::top, "Most frequent queries"},
          {"no_result", &SearchReport::no_result, "Most frequent queries that found nothing"},
          {"top_clicks", &SearchReport::top_clicks, "Hits opened most"}};
}
std::vector<Field> IndexFigures::fields() {
  return {{"ready", &IndexFigures::ready, "Loaded"},
          {"rebuilding", &IndexFigures::rebuilding, "Being built anew; the old one answers"},
          {"books", &IndexFigures::books, "Books in it"},
          {"terms", &IndexFigures::terms, "Different words, by segment"},
          {"segments", &IndexFigures::segments, "Pieces"},
          {"bytes", &IndexFigures::bytes, "Memory"},
          {"pending", &IndexFigures::pending, "Changed books that are not in it yet"}};
}

}  // namespace lumina::books
