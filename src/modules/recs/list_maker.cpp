#include "modules/recs/list_maker.hpp"

#include "core/base/text.hpp"
#include "core/text/fold.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace lumina::recs {
namespace {

constexpr float language_damping = 0.4F;
constexpr double impression_damping = 0.25;

std::string_view primary(std::string_view tag) { return tag.substr(0, tag.find_first_of("-_")); }

bool holds(const std::vector<std::string>& keys, const std::string& key) {
  return std::ranges::find(keys, key) != keys.end();
}

constexpr bool is_collaborative(Part part) {
  return part == Part::neighbours || part == Part::sequence || part == Part::linear || part == Part::factors;
}
// Of the three weights of the API: collaborative, content, popularity.
constexpr std::size_t group_of(Part part) {
  if (is_collaborative(part)) return 0;
  return part == Part::popularity ? 2 : 1;
}

// The learned proportions inside each group, the groups as asked.
Weights grouped(const Weights& learned, const std::vector<double>& asked) {
  std::array<float, 3> sums{};
  for (std::size_t i = 0; i < part_count; ++i) sums[group_of(static_cast<Part>(i))] += learned[i];
  Weights out{};
  for (std::size_t i = 0; i < part_count; ++i) {
    const auto group = group_of(static_cast<Part>(i));
    if (sums[group] > 0) out[i] = static_cast<float>(asked[group]) * learned[i] / sums[group];
  }
  return out;
}

Strategy strategy_of(Method method) {
  switch (method) {
    case Method::hybrid:
      return Strategy::hybrid;
    case Method::collaborative:
      return Strategy::collaborative;
    case Method::content:
      return Strategy::content;
    case Method::popular:
      return Strategy::popular;
  }
  return Strategy::hybrid;
}

std::string title_of(const ShelfSnapshot& shelf, std::int64_t book) {
  const auto* there = shelf.find(book);
  return there ? there->facts->title : std::string();
}

double weight_now(const Mark& mark, std::int64_t now_minute, double half_life_minutes) {
  const auto age = static_cast<double>(std::max<std::int64_t>(0, now_minute - mark.minute));
  return mark.weight * std::exp2(-age / half_life_minutes);
}

}  // namespace

bool Wanted::plain() const {
  return diversity == 0 && exclude_read && weights.empty() && barred.empty() && !filters.genre &&
         !filters.language && !filters.branch && !filters.available.value_or(false) &&
         filters.exclude.empty();
}

Sieve::Sieve(const Filters& filters)
    : genre_key_(text::fold(trim(filters.genre.value_or("")))),
      language_(ascii_lower(filters.language.value_or(""))),
      branch_(filters.branch),
      available_(filters.available.value_or(false)) {
  for (const auto book : filters.exclude) excluded_.insert(book.value);
  open_ = excluded_.empty() && genre_key_.empty() && language_.empty() && !branch_ && !available_;
}

bool Sieve::lets_through(const ShelfBook& book) const {
  if (open_) return true;  // without a look at the book, which lies elsewhere in memory
  const auto& facts = *book.facts;
  if (excluded_.contains(facts.id)) return false;
  if (!genre_key_.empty() && facts.genre_key != genre_key_) return false;
  // "en" lets "en-GB" through, "en-GB" not "en".
  if (!language_.empty() && facts.language != language_ &&
      (primary(language_) != language_ || primary(facts.language) != language_))
    return false;
  if (available_ && !book.figures->available) return false;
  return !branch_ || std::ranges::binary_search(facts.branches, *branch_);
}

std::vector<Ranked> make_list(const Engine& engine, const ShelfSnapshot& shelf, const Person& person,
                              const Wanted& wanted, const PartNames& parts) {
  const Sieve sieve(wanted.filters);
  const auto& wishes = person.wishes;
  RankRequest request;
  request.limit = wanted.limit;
  request.strategy = person.personal ? strategy_of(wanted.method) : Strategy::popular;
  request.diversity = static_cast<float>(wanted.diversity);
  // What was only looked at or liked may come again; the rest is refused below.
  request.exclude_history = false;
  if (person.personal) {
    request.genres = wishes.genres;
    request.authors = wishes.authors;
  }
  const auto learned = engine.weights.at(person.history.size());
  if (wanted.weights.size() == 3) request.weights = grouped(learned, wanted.weights);
  if (!parts.empty() && !request.weights) {
    auto chosen = learned;
    for (std::size_t i = 0; i < part_count; ++i) {
      const auto part = static_cast<Part>(i);
      if (is_collaborative(part) && std::ranges::find(parts, name_of(part)) == parts.end()) chosen[i] = 0;
    }
    request.weights = chosen;
  }
  request.accept = [&](std::int64_t id) {
    const auto* book = shelf.find(id);
    if (!book || !sieve.lets_through(*book)) return false;
    if (person.refused.contains(id) || wanted.barred.contains(id)) return false;
    if (wanted.exclude_read && (person.had.contains(id) || person.at_hand.contains(id))) return false;
    return wishes.disliked_genre_keys.empty() || !holds(wishes.disliked_genre_keys, book->facts->genre_key);
  };
  const bool by_language = !wishes.languages.empty() && !wanted.filters.language;
  if (!person.shown.empty() || by_language)
    request.damping = [&](std::int64_t id) {
      float factor = 1;
      if (const auto it = person.shown.find(id); it != person.shown.end())
        factor /= static_cast<float>(1 + impression_damping * it->second);
      if (by_language)
        if (const auto* book = shelf.find(id); book && !book->facts->language.empty() &&
                                               std::ranges::none_of(wishes.languages, [&](const auto& tag) {
                                                 return primary(tag) == primary(book->facts->language);
                                               }))
          factor *= language_damping;
      return factor;
    };
  return rank(engine.collaborative.get(), engine.weights, *engine.catalogue, person.history, request);
}

std::vector<vector::Hit> make_similar(const Engine& engine, const ShelfSnapshot& shelf, std::int64_t book,
                                      std::size_t limit, const Filters& filters,
                                      const std::vector<vector::Hit>& meant) {
  const Sieve sieve(filters);
  const auto accept = [&](std::int64_t id) {
    const auto* there = shelf.find(id);
    return id != book && there && sieve.lets_through(*there);
  };
  auto hits = engine.catalogue->similar(book, limit, accept);
  if (!meant.empty()) {
    for (auto& hit : hits) hit.score /= 2;
    for (const auto& near : meant) {
      if (!accept(near.id)) continue;
      const auto known = std::ranges::find(hits, near.id, &vector::Hit::id);
      if (known != hits.end())
        known->score += near.score / 2;
      else
        hits.push_back({near.id, near.score / 2});
    }
    std::ranges::sort(hits, [](const vector::Hit& a, const vector::Hit& b) {
      return a.score != b.score ? a.score > b.score : a.id < b.id;
    });
    if (hits.size() > limit) hits.resize(limit);
  }
  const auto* self = shelf.find(book);
  std::unordered_set<std::int64_t> taken;
  for (const auto& hit : hits) taken.insert(hit.id);
  for (const bool same_genre : {true, false}) {
    if (hits.size() >= limit) break;
    const auto more = engine.catalogue->popular(limit - hits.size(), [&](std::int64_t id) {
      if (taken.contains(id) || !accept(id)) return false;
      return !same_genre || (self && !self->facts->genre_key.empty() &&
                             shelf.find(id)->facts->genre_key == self->facts->genre_key);
    });
    for (const auto& hit : more) {
      taken.insert(hit.id);
      hits.push_back({hit.id, same_genre ? 0.1F : 0.0F});
    }
  }
  return hits;
}

std::vector<Popular> make_popular(const ShelfSnapshot& shelf, Timestamp from, Timestamp now,
                                  std::optional<double> half_life_days, std::size_t limit,
                                  const Filters& filters) {
  const Sieve sieve(filters);
  const std::int64_t from_minute = from.ms / 60'000, now_minute = now.ms / 60'000;
  std::vector<Popular> all;
  shelf.each([&](const ShelfBook& book) {
    if (book.figures->marks.empty() || !sieve.lets_through(book)) return;
    Popular one{book.facts->id, 0, 0};
    for (const auto& mark : book.figures->marks) {
      if (mark.minute < from_minute) continue;
      one.readers += mark.loan ? 1 : 0;
      if (half_life_days)
        one.score += weight_now(mark, now_minute, *half_life_days * 24 * 60);
      else if (mark.loan)
        one.score += 1;
    }
    if (one.score > 0) all.push_back(one);
  });
  const auto better = [](const Popular& a, const Popular& b) {
    return std::tuple(-a.score, -a.readers, a.book) < std::tuple(-b.score, -b.readers, b.book);
  };
  const auto kept = std::min(limit, all.size());
  std::ranges::partial_sort(all, all.begin() + static_cast<std::ptrdiff_t>(kept), better);
  all.resize(kept);
  const double best = all.empty() ? 1 : all.front().score;
  for (auto& one : all) one.score /= best;
  return all;
}

void explain(Recommended& book, const Ranked& ranked, const Person& person, const ShelfSnapshot& shelf) {
  book.score = shown_score(static_cast<double>(ranked.score));
  const auto& reason = ranked.reason;
  const auto deed = person.deeds.find(reason.book);
  const auto title = reason.book == 0 ? std::string() : title_of(shelf, reason.book);
  const bool named = deed != person.deeds.end() && !title.empty();
  if (named) book.similar_to = Because{BookId{reason.book}, title};
  const auto because = named ? fmt::format("Because {} {}", wording_of(deed->second), title) : std::string();
  const auto say = [&](Source source, std::string_view with_book, std::string_view without) {
    book.source = source;
    book.reason = named ? because + std::string(with_book) : std::string(without);
  };
  switch (reason.kind) {
    case ReasonKind::readers:
      return say(Source::collaborative, ", whose readers chose this too", "Chosen by readers like you");
    case ReasonKind::next:
      return say(Source::content, ": the next of its series", "The next of a series that you read");
    case ReasonKind::series:
      return say(Source::content, ", of the same series", "Of a series that you read");
    case ReasonKind::author:
      return say(Source::content, ", by the same author", "By an author whom you read");
    case ReasonKind::content:
      return say(Source::content, ", which is about similar things", "Like books that you read");
    case ReasonKind::genre:
      return say(Source::content, ", of the same genre", "Of a genre that you read");
    case ReasonKind::preference: {
      book.source = Source::preferences;
      const bool by_author = holds(person.wishes.author_keys, text::fold(book.author));
      book.reason =
          fmt::format("Because you like {}", by_author ? book.author : book.genre.value_or(book.author));
      return;
    }
    case ReasonKind::popular: {
      const auto* there = shelf.find(book.id.value);
      const bool known = there && !there->figures->marks.empty();
      book.source = known ? Source::popular : Source::undiscovered;
      book.reason = known ? "Popular with readers" : "Not discovered by other readers yet";
      return;
    }
  }
}

}  // namespace lumina::recs
