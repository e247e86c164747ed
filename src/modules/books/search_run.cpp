#include "modules/books/search_run.hpp"

#include "core/base/text.hpp"
#include "core/search/highlight.hpp"
#include "core/text/fold.hpp"
#include "modules/books/isbn.hpp"
#include "modules/books/search_document.hpp"
#include "modules/books/search_sentence.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <unordered_map>
#include <unordered_set>

namespace lumina::books {
namespace {

using search::Condition;
using search::Filter;
using search::Order;

constexpr std::int64_t exact_total = 10'000;
constexpr std::size_t semantic_depth = 200;  // of each list that is fused
constexpr int availability_facet = 100;      // not one of the index: its filter is on a counter

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> out;
  while (true) {
    const auto bar = text.find('|');
    const auto one = trim(text.substr(0, bar));
    if (!one.empty()) out.emplace_back(one);
    if (bar == std::string_view::npos) return out;
    text.remove_prefix(bar + 1);
  }
}

Condition facet_condition(IndexFacet facet, std::function<bool(std::string_view)> accepts) {
  Condition c;
  c.on = Condition::On::facet;
  c.index = at(facet);
  c.accepts = std::move(accepts);
  return c;
}

Condition one_of(IndexFacet facet, std::string_view text) {
  return facet_condition(facet, [values = split(text)](std::string_view value) {
    return std::ranges::find(values, value) != values.end();
  });
}

// All words of one of the names, wherever they stand: "ursula le guin" is "Le Guin, Ursula K.".
Condition names(std::string_view text) {
  std::vector<std::vector<std::string>> all;
  for (const auto& name : split(text)) {
    auto& words = all.emplace_back();
    for (auto& token : search::tokens_of(name)) words.push_back(std::move(token.text));
  }
  return facet_condition(IndexFacet::author, [all = std::move(all)](std::string_view value) {
    const auto folded = text::fold(value);
    return std::ranges::any_of(all, [&](const auto& words) {
      return !words.empty() && std::ranges::all_of(words, [&](const std::string& w) {
        return folded.find(w) != std::string::npos;
      });
    });
  });
}

Condition is_available(bool yes) {
  Condition c;
  c.on = Condition::On::live;
  c.index = at(IndexLive::available);
  c.least = yes ? 1 : 0;
  c.most = yes ? INT32_MAX : 0;
  return c;
}

Failure fault_at(std::string_view parameter, std::string message, std::string type) {
  return invalid({{{"query", std::string(parameter)}, std::move(message), std::move(type)}});
}

// A query that is no sentence of the query language.
Failure unreadable(std::size_t position, std::string_view message) {
  auto why = fmt::format("cannot be read at position {}: {}", position, message);
  auto detail = "The query " + why;
  return Failure(Error{
      ErrorKind::malformed, "bad_query", std::move(detail), {{{"query", "q"}, std::move(why), "syntax"}}, 0});
}

Result<std::vector<Filter>> filters_of(const SearchQuery& q) {
  std::vector<Filter> out;
  const auto add = [&](Condition c, int facet = -1) { out.push_back({std::move(c), facet}); };
  if (q.genre) add(one_of(IndexFacet::genre, *q.genre), static_cast<int>(at(IndexFacet::genre)));
  if (q.tag) add(one_of(IndexFacet::tag, *q.tag), static_cast<int>(at(IndexFacet::tag)));
  if (q.author) add(names(*q.author), static_cast<int>(at(IndexFacet::author)));
  if (q.language) {
    std::vector<std::string> codes;
    for (const auto& text : split(*q.language)) {
      auto code = language_code(text);
      if (!code)
        return fault_at("language", "must be a language tag such as en or pt-BR (BCP 47)", "language");
      codes.push_back(std::move(*code));
    }
    add(facet_condition(IndexFacet::language,
                        [codes = std::move(codes)](std::string_view value) {
                          return std::ranges::any_of(
                              codes, [&](const auto& code) { return language_is(code).accepts(value); });
                        }),
        static_cast<int>(at(IndexFacet::language)));
  }
  if (q.year_from || q.year_to)
    add(number_between(IndexNumber::year, q.year_from, q.year_to), static_cast<int>(at(IndexFacet::year)));
  if (q.pages_from || q.pages_to) add(number_between(IndexNumber::pages, q.pages_from, q.pages_to));
  if (q.available) add(is_available(*q.available), availability_facet);
  return out;
}

Order order_of(const SearchQuery& q) {
  std::string_view name = q.sort ? std::string_view(*q.sort) : "relevance";
  Order order;
  order.descending = name.starts_with('-');
  if (order.descending) name.remove_prefix(1);
  const auto by = [&](Order::By kind, std::size_t index) {
    order.by = kind;
    order.index = index;
  };
  if (name == "created_at") by(Order::By::number, at(IndexNumber::created_at));
  if (name == "year_published") by(Order::By::number, at(IndexNumber::year));
  if (name == "popularity") by(Order::By::live, at(IndexLive::popularity));
  if (name == "rating") by(Order::By::live, at(IndexLive::rating));
  if (name == "title") by(Order::By::title, 0);
  if (name == "author") by(Order::By::facet, at(IndexFacet::author));
  return order;
}

std::string order_name(const SearchQuery& q) { return q.sort.value_or("relevance"); }

std::string encode_cursor(const SearchQuery& q, const search::Found& f) {
  boost::json::array parts{order_name(q), f.tier, f.score, f.number, f.key, f.id};
  return base64url_encode(boost::json::serialize(parts));
}

std::optional<search::Found> decode_cursor(const SearchQuery& q, const std::string& cursor) {
  const auto text = base64url_decode(cursor);
  if (!text) return std::nullopt;
  boost::system::error_code error;
  const auto value = boost::json::parse(*text, error);
  if (error || !value.is_array() || value.get_array().size() != 6) return std::nullopt;
  const auto& p = value.get_array();
  if (!p[0].is_string() || p[0].get_string() != order_name(q) || !p[1].is_int64() || p[1].get_int64() < 0 ||
      p[1].get_int64() > 2 || !p[2].is_number() || !p[3].is_int64() || !p[4].is_string() || !p[5].is_int64())
    return std::nullopt;
  search::Found f;
  f.tier = static_cast<std::uint8_t>(p[1].get_int64());
  f.score = p[2].to_number<double>();
  f.number = p[3].get_int64();
  f.key = std::string(p[4].get_string());
  f.id = p[5].get_int64();
  return f;
}

std::vector<FacetValue> shown(search::Matches::Counts counts) {
  std::vector<FacetValue> out;
  for (auto& c : counts.values) out.push_back({std::move(c.value), c.documents});
  if (counts.without > 0) out.push_back({std::nullopt, counts.without});
  return out;
}

SearchFacets count_facets(const search::Matches& matches, const SearchQuery& q) {
  SearchFacets out;
  const auto most = static_cast<std::size_t>(q.facet_limit.value_or(20));
  const auto count = [&](IndexFacet f) { return shown(matches.counts(at(f), most)); };
  for (const auto name : q.facets) switch (name) {
      case FacetName::genre:
        out.genre = count(IndexFacet::genre);
        break;
      case FacetName::author:
        out.author = count(IndexFacet::author);
        break;
      case FacetName::language:
        out.language = count(IndexFacet::language);
        break;
      case FacetName::year:
        out.year = count(IndexFacet::year);
        break;
      case FacetName::tag:
        out.tag = count(IndexFacet::tag);
        break;
      case FacetName::availability: {
        std::vector<FacetValue> both;
        for (const bool yes : {true, false})
          if (const auto n = matches.count_with(is_available(yes), availability_facet); n > 0)
            both.push_back({yes ? "available" : "unavailable", n});
        out.availability = std::move(both);
        break;
      }
    }
  return out;
}

ScoreExplanation explanation(const search::Matches& matches, const search::Found& f) {
  ScoreExplanation out;
  for (auto& part : matches.explain(f)) {
    ScorePart shown_part{std::move(part.word), {}, part.idf, part.weight, part.score};
    for (std::size_t i = 0; i < text_field_names.size(); ++i)
      if (part.fields & (1U << i)) shown_part.fields_matched.emplace_back(text_field_names[i]);
    out.words.push_back(std::move(shown_part));
  }
  out.popularity_factor = matches.popularity_factor(f);
  out.all_words = f.tier <= 1;
  return out;
}

struct Reading {
  search::Query query;
  std::string text;
};

// The query, read; an ISBN with hyphens as its digits.
Result<Reading> read(std::string_view typed) {
  Reading out{{}, std::string(trim(typed))};
  if (const auto isbn = parse_isbn(out.text)) out.text = *isbn;
  auto query = search::parse_query(out.text, &is_search_field);
  if (!query) return unreadable(query.error().position, query.error().message);
  // isbn:0-306-40615-2 asks for the digits.
  const std::function<void(search::Node&)> tidy = [&](search::Node& node) {
    if (node.field == "isbn")
      if (const auto isbn = parse_isbn(node.text)) node.text = *isbn;
    for (auto& child : node.children) tidy(child);
  };
  tidy(query->root);
  out.query = std::move(*query);
  return out;
}

Result<search::Plan> plan_for(const search::Snapshot& snapshot, const SearchSettings& settings,
                              const Reading& reading, std::optional<int> slips) {
  search::Rules rules;
  rules.slips = slips;
  rules.vocabulary = &settings.vocabulary;
  rules.field = &text_field;
  rules.special = &field_condition;
  auto plan = search::make_plan(snapshot, reading.query, reading.text, rules);
  if (!plan) return unreadable(plan.error().position, plan.error().message);
  return std::move(*plan);
}

// A filter by a word of one field: it adds nothing to scores and is not marked.
void also_ask(search::Plan& plan, TextField field, search::Alternative::Kind kind, std::string word) {
  search::Leaf leaf;
  leaf.fields = bit_of(field);
  leaf.negative = leaf.optional = leaf.required = true;
  leaf.shown = word;
  leaf.alternatives.push_back({kind, {std::move(word)}, 1});
  search::Expression asked;
  asked.kind = search::Expression::Kind::leaf;
  asked.leaf = plan.leaves.size();
  plan.leaves.push_back(std::move(leaf));
  if (plan.where.kind == search::Expression::Kind::sentence) {
    plan.where.children.push_back(std::move(asked));
    return;
  }
  search::Expression both;
  both.children.push_back(std::move(plan.where));
  both.children.push_back(std::move(asked));
  plan.where = std::move(both);
}

std::optional<int> slips_of(const SearchQuery& q) {
  switch (q.fuzzy.value_or(Fuzzy::automatic)) {
    case Fuzzy::automatic:
      return std::nullopt;
    case Fuzzy::none:
      return 0;
    case Fuzzy::one:
      return 1;
    case Fuzzy::two:
      return 2;
  }
  return std::nullopt;
}

// Nothing was found: a query near this one that has hits.
std::optional<std::string> did_you_mean(const search::SnapshotPtr& snapshot, const SearchSettings& settings,
                                        const Reading& reading, const std::vector<Filter>& filters) {
  const auto has_hits = [&](const std::string& text) {
    const auto again = read(text);
    if (!again) return false;
    auto plan = plan_for(*snapshot, settings, *again, 0);
    return plan && search::Matches(snapshot, std::move(*plan), search_ranking(), filters).total() > 0;
  };
  if (auto bold = plan_for(*snapshot, settings, reading, 2);
      bold && !bold->corrected.empty() && has_hits(bold->corrected))
    return bold->corrected;
  // Only the words that the index has.
  std::string kept;
  const std::function<void(const search::Node&)> gather = [&](const search::Node& node) {
    if (node.kind == search::Node::Kind::none_of) return;
    for (const auto& child : node.children) gather(child);
    if (!node.field.empty() && !text_field(node.field)) return;
    for (const auto& token : search::tokens_of(node.text))
      if (search::is_known(*snapshot, token.text)) kept += (kept.empty() ? "" : " ") + token.text;
  };
  gather(reading.query.root);
  if (!kept.empty() && kept != reading.text && has_hits(kept)) return kept;
  return std::nullopt;
}

void keep_per_author(const search::Snapshot& snapshot, std::vector<search::Found>& found,
                     const std::string& max_per) {
  int most = 0;
  const auto digits = std::string_view(max_per).substr(max_per.find(':') + 1);
  std::from_chars(digits.data(), digits.data() + digits.size(), most);
  std::unordered_map<std::string_view, int> seen;
  std::erase_if(found, [&](const search::Found& f) {
    const auto& facet = snapshot.parts[f.part].segment->facet(at(IndexFacet::author));
    const auto of = facet.of[f.doc];
    return !of.empty() && ++seen[facet.values[of[0]]] > most;
  });
}

void use_interpretation(SearchQuery& q, Interpreted&& read_out, std::vector<UsedFilter>& used) {
  q.q = std::move(read_out.rest);
  const auto take = [](auto& target, auto& given) {
    if (given && !target) target = std::move(given);
  };
  take(q.language, read_out.language);
  take(q.author, read_out.author);
  take(q.year_from, read_out.year_from);
  take(q.year_to, read_out.year_to);
  take(q.pages_from, read_out.pages_from);
  take(q.pages_to, read_out.pages_to);
  take(q.available, read_out.available);
  used = std::move(read_out.filters);
}

Result<SearchOutcome> attempt(const search::SnapshotPtr& snapshot, const SearchSettings& settings,
                              const SearchQuery& q, const std::vector<BookId>* neighbours) {
  auto reading = read(q.q.value_or(""));
  if (!reading) return Failure(std::move(reading.error()));
  auto filters = filters_of(q);
  if (!filters) return Failure(std::move(filters.error()));
  auto plan = plan_for(*snapshot, settings, *reading, slips_of(q));
  if (!plan) return Failure(std::move(plan.error()));
  if (q.publisher)
    for (auto& token : search::tokens_of(*q.publisher))
      also_ask(*plan, TextField::publisher, search::Alternative::Kind::word, std::move(token.text));
  if (q.isbn) {
    const auto isbn = parse_isbn(*q.isbn);
    if (!isbn) return fault_at("isbn", "must be an ISBN-10 or ISBN-13 with a right check digit", "isbn");
    also_ask(*plan, TextField::isbn, search::Alternative::Kind::exact, *isbn);
  }
  if (const auto pinned = settings.pins.find(search::vocabulary_key(reading->text));
      pinned != settings.pins.end())
    plan->pinned = pinned->second;

  SearchOutcome out;
  out.answer.mode = neighbours != nullptr ? q.mode.value_or(SearchMode::keyword) : SearchMode::keyword;
  if (!plan->corrected.empty()) out.answer.corrected_query = plan->corrected;
  const search::Matches matches(snapshot, *plan, search_ranking(), *filters);
  const auto order = order_of(q);
  const auto limit = static_cast<std::size_t>(q.limit.value_or(20));
  const auto skip = static_cast<std::size_t>(q.skip.value_or(0));
  std::optional<search::Found> after;
  if (q.cursor) {
    after = decode_cursor(q, *q.cursor);
    if (!after || q.skip) return fault_at("cursor", "is not a cursor of this search and order", "cursor");
  }
  std::vector<search::Found> page;
  out.answer.total = matches.total();
  bool more = false;
  const auto cut = [&](std::vector<search::Found> all) {
    auto begin = all.begin() + static_cast<std::ptrdiff_t>(std::min(skip, all.size()));
    if (after)
      begin = std::ranges::find_if(all, [&](const auto& f) { return stands_before(*after, f, order); });
    const auto rest = static_cast<std::size_t>(all.end() - begin);
    more = rest > limit;
    page.assign(begin, begin + static_cast<std::ptrdiff_t>(std::min(limit, rest)));
  };
  if (neighbours != nullptr) {
    // The order is that of the fused lists; both are as deep as was asked of the vectors.
    auto all = matches.ordered({});
    std::unordered_map<std::int64_t, search::Found> by_id;
    std::vector<std::vector<std::int64_t>> lists(2);
    for (const auto& f : all) {
      by_id.emplace(f.id, f);
      if (q.mode == SearchMode::hybrid && lists[0].size() < semantic_depth) lists[0].push_back(f.id);
    }
    const search::Matches everything(snapshot, {}, search_ranking(), *filters);
    for (const auto& f : everything.ordered({})) by_id.emplace(f.id, f);
    for (const auto id : *neighbours)
      if (by_id.contains(id.value)) lists[1].push_back(id.value);
    std::vector<search::Found> fused;
    for (const auto& [id, score] : fuse(lists)) {
      auto f = by_id.at(id);
      f.tier = 1;
      f.score = score;
      fused.push_back(std::move(f));
    }
    out.answer.total = static_cast<std::int64_t>(fused.size());
    cut(std::move(fused));
  } else if (q.max_per) {
    auto all = matches.ordered(order);
    keep_per_author(*snapshot, all, *q.max_per);
    out.answer.total = static_cast<std::int64_t>(all.size());
    cut(std::move(all));
  } else {
    auto first = matches.first(order, skip + limit + 1, after ? &*after : nullptr);
    cut(std::move(first));
  }
  out.answer.estimated = out.answer.total > exact_total;
  if (more) out.answer.next_cursor = encode_cursor(q, page.back());
  for (const auto& f : page) {
    FoundBook book{BookId{f.id}, f.score, f.tier == 0, {}};
    if (q.explain.value_or(false)) book.explain = explanation(matches, f);
    out.books.push_back(std::move(book));
  }
  if (!q.facets.empty()) out.answer.facets = count_facets(matches, q);
  if (out.answer.total == 0 && !reading->text.empty() && q.fuzzy != Fuzzy::none)
    out.answer.did_you_mean = did_you_mean(snapshot, settings, *reading, *filters);
  out.plan = std::move(*plan);
  return out;
}

}  // namespace

std::vector<std::pair<std::int64_t, double>> fuse(const std::vector<std::vector<std::int64_t>>& lists) {
  constexpr double k = 60;
  std::map<std::int64_t, double> scores;
  for (const auto& list : lists)
    for (std::size_t i = 0; i < list.size(); ++i) scores[list[i]] += 1 / (k + static_cast<double>(i) + 1);
  std::vector<std::pair<std::int64_t, double>> out(scores.begin(), scores.end());
  std::ranges::sort(out, [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  return out;
}

Result<SearchOutcome> run_search(const search::SnapshotPtr& snapshot, const SearchSettings& settings,
                                 const SearchQuery& query, const std::vector<BookId>* neighbours) {
  if (query.natural.value_or(true) && query.q) {
    const auto reading = read(*query.q);
    // A pinned query means what the librarian meant by it.
    if (reading && reading->query.plain && !settings.pins.contains(search::vocabulary_key(*query.q)))
      if (auto meant = interpret(*query.q)) {
        SearchQuery narrowed = query;
        std::vector<UsedFilter> used;
        use_interpretation(narrowed, std::move(*meant), used);
        auto found = attempt(snapshot, settings, narrowed, neighbours);
        if (found && found->answer.total > 0) {
          found->answer.filters_used = std::move(used);
          return found;
        }
      }
  }
  return attempt(snapshot, settings, query, neighbours);
}

std::vector<Highlight> highlights_of(const search::Plan& plan, const Book& book) {
  std::vector<Highlight> out;
  const auto language = search::language_of(book.language.value_or(""));
  const auto add = [&](TextField field, const std::string& text) {
    auto marked = search::highlight(plan, text, language, bit_of(field), 240);
    if (marked.marks.empty()) return;
    Highlight h{std::string(text_field_names[at(field)]), std::move(marked.text), {}};
    for (const auto& m : marked.marks)
      h.offsets.push_back({static_cast<std::int64_t>(m.start), static_cast<std::int64_t>(m.end)});
    out.push_back(std::move(h));
  };
  add(TextField::title, book.title);
  add(TextField::author, book.author);
  if (book.genre) add(TextField::genre, *book.genre);
  for (const auto& tag : book.tags) add(TextField::subject, tag);
  if (book.publisher) add(TextField::publisher, *book.publisher);
  if (book.description) add(TextField::description, *book.description);
  return out;
}

}  // namespace lumina::books
