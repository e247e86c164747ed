#include "core/base/text.hpp"
#include "core/search/spelling.hpp"
#include "core/text/fold.hpp"
#include "modules/books/search_document.hpp"
#include "modules/books/search_run.hpp"

#include <algorithm>
#include <iterator>
#include <set>

namespace lumina::books {
namespace {

using search::Alternative;
using search::Expression;
using search::Leaf;
using search::Plan;

// All words in one of the fields, the last one being a beginning.
Plan typed_in(const std::vector<search::Token>& words, std::uint32_t fields) {
  Plan plan;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto kind = i + 1 == words.size() ? Alternative::Kind::prefix : Alternative::Kind::word;
    Leaf leaf;
    leaf.fields = fields;
    leaf.shown = words[i].text;
    leaf.alternatives.push_back({kind, {words[i].text}, 1});
    Expression e;
    e.kind = Expression::Kind::leaf;
    e.leaf = i;
    plan.leaves.push_back(std::move(leaf));
    plan.where.children.push_back(std::move(e));
  }
  return plan;
}

bool begins_something(const search::Snapshot& snapshot, std::string_view word) {
  return std::ranges::any_of(snapshot.parts, [&](const search::Segment::Part& part) {
    const auto [first, last] = part.segment->terms_beginning(word);
    return first < last;
  });
}

// Words that the index lacks, mended; false when nothing had to be.
bool mend(const search::Snapshot& snapshot, std::vector<search::Token>& words) {
  bool mended = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    auto& word = words[i].text;
    const bool last = i + 1 == words.size();
    if (last ? begins_something(snapshot, word) : search::is_known(snapshot, word)) continue;
    const auto near = search::nearest_terms(snapshot, word, std::max(1, search::slips_forgiven(word)), 1);
    if (near.empty() || utf8_length(word) < 4) continue;
    word = near[0].term;
    mended = true;
  }
  return mended;
}

// Whether each word begins one of the text's, in any order.
bool fits(const std::vector<search::Token>& words, std::string_view text) {
  const auto of_text = search::tokens_of(text);
  return std::ranges::all_of(words, [&](const search::Token& word) {
    return std::ranges::any_of(of_text,
                               [&](const search::Token& t) { return t.text.starts_with(word.text); });
  });
}

constexpr std::size_t pool = 80;  // titles looked at: four times as many as anybody may ask for

struct Candidate {
  std::string text;
  std::int64_t weight = 0;
};

std::vector<Candidate> values(const search::SnapshotPtr& snapshot, const std::vector<search::Token>& words,
                              TextField field, IndexFacet facet, std::size_t most) {
  const search::Matches matches(snapshot, typed_in(words, bit_of(field)), {}, {});
  std::vector<Candidate> out;
  // Values of the books found that have the words themselves; a book may have others beside it.
  for (auto& count : matches.counts(at(facet), 400).values) {
    if (!fits(words, count.value)) continue;
    out.push_back({std::move(count.value), count.documents});
    if (out.size() == most) break;
  }
  return out;
}

}  // namespace

std::vector<Suggestion> run_suggest(const search::SnapshotPtr& snapshot, std::string_view typed,
                                    std::size_t most) {
  std::vector<Suggestion> out;
  auto words = search::tokens_of(typed);
  if (words.empty() || words.size() > 12) return out;
  // With a space behind it a word is whole, but its forms may follow as well.
  search::Ranking by_popularity;
  by_popularity.popularity = static_cast<int>(at(IndexLive::popularity));
  by_popularity.popularity_share = 1;
  by_popularity.weight.fill(0);
  by_popularity.weight[at(TextField::title)] = 1;
  by_popularity.b.fill(1);

  const auto gather = [&] {
    const std::string folded = text::fold(trim(typed));
    const search::Matches titles(snapshot, typed_in(words, bit_of(TextField::title)), by_popularity, {});
    auto found = titles.first({}, pool);
    const auto title_of = [&](const search::Found& f) {
      return snapshot->parts[f.part].segment->title(f.doc);
    };
    // Titles that begin with what was typed come first.
    std::vector<Suggestion> by_title;
    std::set<std::string, std::less<>> seen;
    for (const bool beginning : {true, false})
      for (const auto& f : found) {
        auto title = text::fold(title_of(f));
        if (title.starts_with(folded) != beginning || !seen.insert(std::move(title)).second) continue;
        by_title.push_back({std::string(title_of(f)), SuggestionType::title, BookId{f.id}});
      }
    std::vector<Suggestion> others;
    const auto add = [&](TextField field, IndexFacet facet, SuggestionType type, std::size_t count) {
      for (auto& c : values(snapshot, words, field, facet, count))
        others.push_back({std::move(c.text), type, std::nullopt});
    };
    add(TextField::author, IndexFacet::author, SuggestionType::author, 3);
    add(TextField::genre, IndexFacet::genre, SuggestionType::genre, 2);
    add(TextField::subject, IndexFacet::tag, SuggestionType::subject, 2);
    // Names and subjects are few and useful: they have room among the first ten. The order does not ask how
    // many are wanted, so that more of them begin with the same ones.
    constexpr std::size_t usual = 10;
    const auto room = usual - std::min(usual, others.size());
    const auto before = static_cast<std::ptrdiff_t>(std::min(by_title.size(), std::max(room, usual / 2)));
    out.assign(by_title.begin(), by_title.begin() + before);
    std::ranges::move(others, std::back_inserter(out));
    out.insert(out.end(), by_title.begin() + before, by_title.end());
    if (out.size() > most) out.resize(most);
  };
  gather();
  if (out.empty() && mend(*snapshot, words)) gather();
  return out;
}

std::vector<FoundAuthor> run_authors(const search::SnapshotPtr& snapshot, std::string_view query,
                                     std::size_t most) {
  auto words = search::tokens_of(query);
  std::vector<FoundAuthor> out;
  if (words.empty() || words.size() > 12) return out;
  mend(*snapshot, words);
  for (auto& c : values(snapshot, words, TextField::author, IndexFacet::author, most))
    out.push_back({std::move(c.text), c.weight});
  return out;
}

}  // namespace lumina::books
