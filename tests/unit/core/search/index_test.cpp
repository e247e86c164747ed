// The engine against a slow model of itself: scores by hand, counts by looking at every document.
#include "core/search/index.hpp"

#include "core/search/highlight.hpp"
#include "core/search/matcher.hpp"
#include "core/search/spelling.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <map>
#include <random>
#include <set>
#include <thread>

using namespace lumina::search;

namespace {

Schema two_fields() { return {{"title", "text"}, {"kind", "shelf"}, {"year"}, {"popularity"}}; }

Document document(std::int64_t id, std::string title, std::string text = "",
                  std::vector<std::string> kinds = {}, std::int64_t year = no_number,
                  std::string language = "en") {
  return {id, std::move(language), title, {{title}, {std::move(text)}}, {std::move(kinds), {}}, {year}, {0}};
}

std::optional<std::uint32_t> field(std::string_view name) {
  if (name == "title") return 1U;
  if (name == "text") return 2U;
  return std::nullopt;
}
bool knows(std::string_view name) { return field(name).has_value(); }

Plan plan_of(const Snapshot& snapshot, std::string_view text, const Vocabulary* vocabulary = nullptr,
             std::optional<int> slips = {}) {
  const auto query = parse_query(text, &knows);
  REQUIRE(query);
  Rules rules;
  rules.slips = slips;
  rules.vocabulary = vocabulary;
  rules.field = &field;
  rules.special = [](std::string_view, std::string_view) -> std::expected<Condition, std::string> {
    return std::unexpected("no such field");
  };
  auto plan = make_plan(snapshot, *query, text, rules);
  REQUIRE(plan);
  return std::move(*plan);
}

std::vector<std::int64_t> found(const Index& index, std::string_view text, const Ranking& ranking = {}) {
  const auto snapshot = index.snapshot();
  const Matches matches(snapshot, plan_of(*snapshot, text), ranking, {});
  std::vector<std::int64_t> ids;
  for (const auto& f : matches.ordered({})) ids.push_back(f.id);
  CHECK(static_cast<std::int64_t>(ids.size()) == matches.total());
  return ids;
}
using Ids = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("BM25F gives what its formula gives by hand", "[C3]") {
  Index index(two_fields());
  index.put({document(1, "red apple", "apple apple tree"),
             document(2, "green tree", "a long text without it"), document(3, "apple pie")});
  Ranking ranking;
  ranking.weight = {2, 1};
  ranking.b = {0.5, 0.75};
  const auto snapshot = index.snapshot();
  // Places: each text has one more, the gap behind it; an empty one has the gap alone.
  const double title_length = (3 + 3 + 3) / 3.0, text_length = (4 + 6 + 1) / 3.0;
  CHECK(snapshot->usual_length(0) == Approx(title_length));
  CHECK(snapshot->usual_length(1) == Approx(text_length));
  const double idf = std::log(1 + (3 - 2 + 0.5) / (2 + 0.5));
  const double title_part = 2 * 1 / (0.5 + 0.5 * 3 / title_length);
  const double text_part = 1 * 2 / (0.25 + 0.75 * 4 / text_length);
  const auto score = [&](double w) { return idf * w * 2.2 / (1.2 + w); };
  const Matches matches(snapshot, plan_of(*snapshot, "apple"), ranking, {});
  const auto all = matches.ordered({});
  REQUIRE(all.size() == 2);
  CHECK(all[0].id == 1);
  CHECK(all[0].score == Approx(score(title_part + text_part)).epsilon(1e-5));
  CHECK(all[1].score == Approx(score(title_part)).epsilon(1e-5));
  const auto parts = matches.explain(all[0]);
  REQUIRE(parts.size() == 1);
  CHECK(parts[0].fields == 3);
  CHECK(parts[0].idf == Approx(idf));
  CHECK(parts[0].score == Approx(all[0].score).epsilon(1e-5));
}

TEST_CASE("phrases, prefixes and fields", "[C4]") {
  Index index(two_fields());
  index.put({document(1, "to be or not to be", "hamlet"), document(2, "be to or not", "to be"),
             document(3, "hamlets of england")});
  CHECK(found(index, "\"to be\"") == Ids{1, 2});
  CHECK(found(index, "title:\"to be\"") == Ids{1});
  CHECK(found(index, "\"not to be\"") == Ids{1});
  CHECK(found(index, "\"be hamlet\"").empty());  // no phrase reaches from one field into the next
  CHECK(found(index, "haml*") == Ids{3, 1});
  CHECK(found(index, "hamlet AND title:hamlet") == Ids{3});
  CHECK(found(index, "\"hamlet\"") == Ids{1});
  CHECK(found(index, "\"to be\" hamlet") == Ids{1, 2});  // the phrase must be there, the word comes first
  CHECK(found(index, "hamlet NOT england") == Ids{1});
  CHECK(found(index, "NOT hamlet") == Ids{2});
  CHECK(found(index, "!!").empty());
}

TEST_CASE("words meet by the stem of the record's language", "[C10]") {
  Index index(two_fields());
  index.put(
      {document(1, "walking", "", {}, no_number, "en"), document(2, "les chevaux", "", {}, no_number, "fr"),
       document(3, "walking", "", {}, no_number, "xx"), document(4, "Bücher", "", {}, no_number, "de")});
  CHECK(found(index, "walks") == Ids{1});
  CHECK(found(index, "walking") == Ids{1, 3});
  CHECK(found(index, "cheval") == Ids{2});
  CHECK(found(index, "buch") == Ids{4});
}

TEST_CASE("spelling: one slip from five letters, two from nine, none in numbers", "[C5]") {
  CHECK(slips_forgiven("dune") == 0);
  CHECK(slips_forgiven("dunes") == 1);
  CHECK(slips_forgiven("absolute") == 1);
  CHECK(slips_forgiven("absolutes") == 2);
  CHECK(slips_forgiven("9780306406157") == 0);
  CHECK(distance("tolkein", "tolkien", 2) == 1);
  CHECK(distance("abc", "ca", 3) == 3);  // restricted: no letter is edited twice
  CHECK(distance("kitten", "sitting", 3) == 3);
  CHECK(distance("", "ab", 3) == 2);
  CHECK(distance("école", "ecole", 2) == 1);
}

TEST_CASE("the walk over the dictionary finds what comparing with each word finds", "[C5]") {
  std::mt19937 random(5);
  const auto word = [&](std::size_t most) {
    std::string w;
    for (auto n = 3 + random() % most; n > 0; --n) w += static_cast<char>('a' + random() % 3);
    return w;
  };
  Index index(two_fields());
  std::set<std::string> words;
  for (int i = 1; i <= 12; ++i) {
    std::vector<Document> batch;
    for (int k = 0; k < 40; ++k) {
      const auto w = word(7);
      words.insert(w);
      batch.push_back(document(i * 100 + k, w));
    }
    index.put(std::move(batch));
  }
  const auto snapshot = index.snapshot();
  for (int round = 0; round < 300; ++round) {
    const auto asked = word(8);
    for (const int most : {1, 2}) {
      int least = most + 1;
      std::set<std::string> expected;
      for (const auto& w : words) {
        const int d = distance(asked, w, most);
        if (d == 0 || d > least || d > most) continue;
        if (d < least) expected.clear();
        least = d;
        expected.insert(w);
      }
      std::set<std::string> got;
      for (const auto& near : nearest_terms(*snapshot, asked, most, 1000)) got.insert(near.term);
      CAPTURE(asked, most);
      REQUIRE(got == expected);
    }
  }
}

TEST_CASE("counts of facets are those of looking at every document", "[C7]") {
  std::mt19937 random(7);
  Index index(two_fields());
  std::map<std::int64_t, Document> model;
  const std::vector<std::string> words = {"red", "green", "blue", "sun", "moon"},
                                 kinds = {"a", "b", "c", "d"};
  for (int round = 0; round < 60; ++round) {
    std::vector<Document> batch;
    std::set<std::int64_t> ids;
    for (int i = 0; i < 5; ++i) ids.insert(static_cast<std::int64_t>(random() % 120 + 1));
    for (const auto id : ids) {
      auto d = document(id, words[random() % 5] + " " + words[random() % 5], words[random() % 5], {},
                        static_cast<std::int64_t>(1900 + random() % 5));
      std::set<std::string> some;
      for (auto n = random() % 3; n > 0; --n) some.insert(kinds[random() % 4]);
      d.facets[0].assign(some.begin(), some.end());
      d.facets[1] = {kinds[random() % 4]};
      model[id] = d;
      batch.push_back(std::move(d));
    }
    index.put(std::move(batch), round % 3 != 0);
    if (round % 4 == 0) {
      const Ids gone{static_cast<std::int64_t>(random() % 120 + 1)};
      index.remove(gone);
      model.erase(gone[0]);
    }
    if (round == 40) index.settle();
    const auto snapshot = index.snapshot();
    REQUIRE(snapshot->documents == model.size());

    const auto asked = words[random() % 5];
    const auto kind = kinds[random() % 4], shelf = kinds[random() % 4];
    Condition of_kind{Condition::On::facet, 0, {}, {}, [&](std::string_view v) { return v == kind; }};
    Condition on_shelf{Condition::On::facet, 1, {}, {}, [&](std::string_view v) { return v == shelf; }};
    Condition of_year{Condition::On::number, 0, 1901, 1903, {}};
    const std::vector<Filter> filters{{of_kind, 0}, {on_shelf, 1}, {of_year, -1}};
    const Matches matches(snapshot, plan_of(*snapshot, asked), {}, filters);
    std::int64_t total = 0;
    std::map<std::string, std::int64_t> expected;
    std::int64_t without = 0;
    for (const auto& [id, d] : model) {
      const auto has = [&](const std::string& text) {
        return (" " + text + " ").find(" " + asked + " ") != std::string::npos;
      };
      if (!has(d.texts[0][0]) && !has(d.texts[1][0])) continue;
      const bool year = d.numbers[0] >= 1901 && d.numbers[0] <= 1903;
      const bool k = std::ranges::find(d.facets[0], kind) != d.facets[0].end();
      if (!year || d.facets[1][0] != shelf) continue;
      total += k ? 1 : 0;
      without += d.facets[0].empty() ? 1 : 0;
      for (const auto& value : d.facets[0]) ++expected[value];
    }
    REQUIRE(matches.total() == total);
    std::map<std::string, std::int64_t> got;
    const auto counts = matches.counts(0, 100);
    for (const auto& c : counts.values) got[c.value] = c.documents;
    REQUIRE(got == expected);
    REQUIRE(counts.without == without);
    const auto one = matches.counts(0, 1);
    std::int64_t sum = one.other;
    for (const auto& c : one.values) sum += c.documents;
    std::int64_t whole = 0;
    for (const auto& [value, n] : expected) whole += n;
    REQUIRE(sum == whole);
  }
}

TEST_CASE("scores do not depend on how documents came into the index", "[C1][C15]") {
  std::mt19937 random(1);
  std::vector<Document> documents;
  const std::vector<std::string> words = {"red", "green", "blue", "suns", "sun", "moon", "moons"};
  for (int i = 1; i <= 200; ++i) {
    std::string title, text;
    for (int k = 0; k < 4; ++k) title += words[random() % 7] + " ";
    for (int k = 0; k < 9; ++k) text += words[random() % 7] + " ";
    documents.push_back(document(i, title, text));
  }
  Index whole(two_fields()), pieces(two_fields());
  whole.put(documents);
  auto shuffled = documents;
  std::ranges::shuffle(shuffled, random);
  for (const auto& d : shuffled) pieces.put({document(d.id, "something else", "before")});
  for (const auto& d : shuffled) pieces.put({d});
  CHECK(pieces.snapshot()->parts.size() < 12);
  Ranking ranking;
  ranking.pair_weight = 0.3;
  for (const auto* q : {"sun", "red moon", "\"green sun\"", "mo*", "blue NOT red"}) {
    const auto a = whole.snapshot(), b = pieces.snapshot();
    const Matches left(a, plan_of(*a, q), ranking, {}), right(b, plan_of(*b, q), ranking, {});
    const auto first = left.ordered({}), second = right.ordered({});
    REQUIRE(first.size() == second.size());
    for (std::size_t i = 0; i < first.size(); ++i) {
      REQUIRE(first[i].id == second[i].id);
      REQUIRE(first[i].score == Approx(second[i].score).epsilon(1e-6));
    }
  }
  pieces.settle();
  CHECK(pieces.snapshot()->parts.size() == 1);
  CHECK(pieces.snapshot()->documents == 200);
  CHECK(found(pieces, "red moon") == found(whole, "red moon"));
}

TEST_CASE("synonyms and stop words of a sentence", "[C17]") {
  Index index(two_fields());
  index.put({document(1, "science fiction stories"), document(2, "sci fi tales"),
             document(3, "fiction of science"), document(4, "the stories")});
  const auto snapshot = index.snapshot();
  Vocabulary vocabulary;
  vocabulary.synonyms["sci fi"] = {"science fiction"};
  vocabulary.stop_words.insert("stories");
  const auto ids = [&](std::string_view q) {
    const Matches m(snapshot, plan_of(*snapshot, q, &vocabulary), {}, {});
    std::set<std::int64_t> out;
    for (const auto& f : m.ordered({})) out.insert(f.id);
    return out;
  };
  CHECK(ids("sci-fi") == std::set<std::int64_t>{1, 2});
  CHECK(ids("fiction stories") == std::set<std::int64_t>{1, 3});
  CHECK(ids("stories") == std::set<std::int64_t>{1, 4});   // nothing else was asked
  CHECK(ids("the stories") == std::set<std::int64_t>{4});  // stop words only: they are all there is
}

TEST_CASE("marks never break a text", "[C8]") {
  Index index(two_fields());
  index.put({document(1, "tea & <cake>", "tea")});
  const auto snapshot = index.snapshot();
  const auto plan = plan_of(*snapshot, "tea cake");
  const auto marked = highlight(plan, "tea & <cake>", 0, 1, 100);
  CHECK(marked.text == "<mark>tea</mark> &amp; &lt;<mark>cake</mark>&gt;");
  CHECK(highlight(plan, "nothing here", 0, 1, 100).text.empty());
  std::mt19937 random(8);
  const std::vector<std::string> pieces = {"tea ", "cake", " ", "é", "語", "<", "&", "…", "\xF0\x9F\x8D\xB0",
                                           "long"};
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (auto n = random() % 60; n > 0; --n) text += pieces[random() % pieces.size()];
    const auto m = highlight(plan, text, 0, 1, 30);
    CAPTURE(text, m.text);
    std::string plain = m.text;
    for (const auto* tag : {"<mark>", "</mark>"})
      for (auto at = plain.find(tag); at != std::string::npos; at = plain.find(tag))
        plain.erase(at, std::strlen(tag));
    REQUIRE(plain.find('<') == std::string::npos);
    std::size_t last = 0;
    for (const auto& mark : m.marks) {
      REQUIRE(mark.start >= last);
      REQUIRE(mark.end > mark.start);
      last = mark.end;
    }
  }
}

TEST_CASE("readers and writers at once: every snapshot is whole", "[C15]") {
  Index index(two_fields());
  std::atomic<bool> done{false};
  std::atomic<int> broken{0};
  // Documents come and go in pairs: whoever sees one sees the other.
  std::thread writer([&] {
    for (int i = 0; i < 300; ++i) {
      const std::int64_t id = 2 * (i % 20) + 1;
      const auto word = i % 2 == 0 ? "left" : "right";
      index.put({document(id, word), document(id + 1, word)});
      if (i % 7 == 0) {
        const Ids gone{id, id + 1};
        index.remove(gone);
      }
    }
    done = true;
  });
  std::vector<std::thread> readers;
  for (int t = 0; t < 2; ++t)
    readers.emplace_back([&] {
      while (!done) {
        const auto snapshot = index.snapshot();
        for (const auto* word : {"left", "right"}) {
          Plan plan;
          plan.leaves.push_back({{{Alternative::Kind::word, {word}, 1}}, ~0U, false, false, false, word});
          plan.where.children.emplace_back();
          plan.where.children[0].kind = Expression::Kind::leaf;
          const Matches matches(snapshot, plan, {}, {});
          if (matches.total() % 2 != 0) ++broken;
        }
      }
    });
  writer.join();
  for (auto& r : readers) r.join();
  CHECK(broken == 0);
}

TEST_CASE("a pasted page asks for its first words", "[C4]") {
  Index index(two_fields());
  index.put({document(1, "apple")});
  std::string page = "apple";
  for (int i = 0; i < 400; ++i) page += " abcdefgh" + std::to_string(i);
  CHECK(plan_of(*index.snapshot(), page.substr(0, most_query_length)).leaves.size() <= most_query_words);
}
