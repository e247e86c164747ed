#include "modules/ai/passage_index.hpp"

#include "core/telemetry/log.hpp"
#include "core/text/fold.hpp"
#include "core/text/words.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace lumina::ai {
namespace {

using search::Condition;
using search::Expression;

constexpr std::int64_t rows_at_once = 2000;
constexpr std::size_t documents_at_once = 100;
constexpr std::uint32_t text_field = 1, both_fields = 3;
constexpr std::size_t document_facet = 0, audience_facet = 1, book_facet = 2;
constexpr std::size_t most_words = 40;
constexpr double alike_weight = .6;

constexpr std::string_view fillers =
    " a an and are as at be been but by can could did do does for from had has have he her his how i if in "
    "into "
    "is it its me my no not of on or our she should so some than that the their them then there these they "
    "this "
    "those to was we were what when where which who whom whose why will with would you your about after "
    "before "
    "between during many much any all also must shall may might "
    "der die das den dem des ein eine einer eines einem einen und oder ist sind war waren wird wurde wurden "
    "hat "
    "haben hatte in im an am auf aus bei mit nach von vom zu zum zur fur wie was wer wann wo warum welche "
    "welcher welches nicht sich als auch es er sie "
    "le la les un une des du de et ou est sont etait dans en au aux par pour sur avec qui que quoi quel "
    "quelle "
    "quels quelles quand comment pourquoi se sa son ses ce cette il elle ils ne pas "
    "el los las una uno unos unas y o es son fue fueron era en del al por para con que quien quienes cual "
    "cuales "
    "cuando como donde se su sus lo no "
    "il lo gli uno di del della dei e è era erano nel nella per con chi che cosa quale quali quando come "
    "dove "
    "os um uma no na nos nas do da dos das foi foram com quem qual quais onde "
    "het een van op te zijn met voor wie wat waar wanneer hoe "
    "и в во не что он на я с со как а то все она так его но да ты к у же вы за бы по только ее мне было вот "
    "от "
    "меня еще нет о из ему когда кто где какой какая какие каком какую сколько почему какои какое каком был "
    "была были "
    "это для "
    "ve bir bu da de için ile ne kim hangi nasıl ";

// After "how" they ask for a measure; after "at", for a bound.
constexpr std::string_view measures =
    " long often old far soon high tall deep big large wide heavy late early fast quickly ";
constexpr std::string_view bounds = " most least latest earliest more less ";

// What is the same to somebody who asks a library.
constexpr std::array<std::string_view, 7> same_meaning{
    " lend lends lent lending loan loans borrow borrows borrowed borrowing keep kept ",
    " cost costs price prices fee fees charge charges charged pay free ",
    " film films movie movies ",
    " renew renewed renewal renewals extend extended prolong prolonged ",
    " child children kid kids ",
    " late overdue ",
    " mobile phone phones telephone telephones "};

bool is_among(std::string_view words, std::string_view word) {
  std::string key = " ";
  key += word;
  key += ' ';
  return words.find(key) != std::string_view::npos;
}

std::vector<std::string> alike_of(std::string_view word) {
  std::vector<std::string> out;
  for (auto group : same_meaning) {
    if (!is_among(group, word)) continue;
    while (!(group = group.substr(1)).empty()) {
      const auto one = group.substr(0, group.find(' '));
      if (one != word) out.emplace_back(one);
      group.remove_prefix(one.size());
    }
  }
  return out;
}

Condition facet_is(std::size_t facet, std::function<bool(std::string_view)> accepts) {
  Condition c;
  c.on = Condition::On::facet;
  c.index = facet;
  c.accepts = std::move(accepts);
  return c;
}

std::int64_t number_of(std::string_view text) {
  std::int64_t n = 0;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

std::vector<search::Filter> filters_of(const PassageScope& scope) {
  std::vector<search::Filter> out;
  if (!scope.everything)
    out.push_back({facet_is(audience_facet, [&scope](std::string_view value) {
      if (value == "public") return true;
      const auto id = number_of(value.substr(1));
      if (value.front() == 'b') return scope.on_loan.contains(id);
      return scope.user != 0 && id == scope.user;
    })});
  if (scope.documents)
    out.push_back({facet_is(document_facet, [&scope](std::string_view value) {
      return scope.documents->contains(number_of(value));
    })});
  if (scope.books)
    out.push_back({facet_is(
        book_facet, [&scope](std::string_view value) { return scope.books->contains(number_of(value)); })});
  return out;
}

search::Ranking ranking() {
  search::Ranking r;
  r.weight = {1, .4, 1, 1, 1, 1, 1, 1};
  r.partial_share = 0;
  return r;
}

search::Leaf leaf_of(std::string word) {
  search::Leaf leaf;
  leaf.shown = word;
  for (auto& same : alike_of(word))
    leaf.alternatives.push_back({search::Alternative::Kind::word, {std::move(same)}, alike_weight});
  leaf.alternatives.insert(leaf.alternatives.begin(),
                           {search::Alternative::Kind::word, {std::move(word)}, 1});
  leaf.fields = both_fields;
  return leaf;
}

Expression expression(Expression::Kind kind) {
  Expression e;
  e.kind = kind;
  return e;
}

// Han, Hiragana, Katakana: three bytes from E3 to E9.
bool is_of_signs(std::string_view word) {
  const auto first = static_cast<unsigned char>(word.front());
  return first >= 0xE3 && first <= 0xE9;
}

struct Asked {
  std::vector<std::string> words;                 // each once
  std::vector<std::string> measures;              // of them, those that ask for a measure
  std::vector<std::vector<std::string>> phrases;  // what stood in quotation marks
};

Asked read_question(std::string_view query) {
  Asked asked;
  const auto add = [&](std::string_view piece) {
    std::vector<std::string> all;
    for (auto& term : text::terms(piece, "", {.cjk_bigrams = true})) {
      const std::string_view before = all.empty() ? std::string_view() : all.back();
      if ((before == "how" && is_among(measures, term.text)) ||
          (before == "at" && is_among(bounds, term.text)))
        asked.measures.push_back(term.text);
      all.push_back(term.text);
      if (asked.words.size() < most_words && std::ranges::find(asked.words, term.text) == asked.words.end())
        asked.words.push_back(std::move(term.text));
    }
    return all;
  };
  while (!query.empty()) {
    const auto open = query.find('"');
    add(query.substr(0, open));
    if (open == std::string_view::npos) break;
    query.remove_prefix(open + 1);
    const auto close = query.find('"');
    auto phrase = add(query.substr(0, close));
    if (close == std::string_view::npos) break;
    if (!phrase.empty()) asked.phrases.push_back(std::move(phrase));
    query.remove_prefix(close + 1);
  }
  return asked;
}

}  // namespace

bool is_filler(std::string_view word) { return is_among(fillers, word); }

search::Schema passage_schema() { return {{"text", "title"}, {"document", "audience", "book"}, {}, {}}; }

search::Document passage_document(const IndexedChunk& chunk, const std::vector<std::int64_t>& viewers) {
  search::Document d;
  d.id = chunk.id;
  d.language = chunk.language.value_or("");
  d.title = chunk.title;
  d.texts = {{chunk.text}, {chunk.title}};
  std::vector<std::string> audience;
  if (chunk.visibility == Visibility::everyone) audience.emplace_back("public");
  if (chunk.owner) audience.push_back("u" + std::to_string(chunk.owner->value));
  if (chunk.visibility == Visibility::borrowers && chunk.book)
    audience.push_back("b" + std::to_string(chunk.book->value));
  for (const auto user : viewers) audience.push_back("u" + std::to_string(user));
  std::ranges::sort(audience);
  audience.erase(std::ranges::unique(audience).begin(), audience.end());
  d.facets = {{std::to_string(chunk.document.value)}, std::move(audience), {}};
  if (chunk.book) d.facets[book_facet].push_back(std::to_string(chunk.book->value));
  return d;
}

FoundChunks search_passages(const search::SnapshotPtr& snapshot, std::string_view query,
                            const PassageScope& scope, std::size_t most) {
  FoundChunks out;
  const auto filters = filters_of(scope);
  const auto asked = read_question(query);
  search::Plan plan;
  auto any = expression(Expression::Kind::any);
  const auto add_leaf = [&](Expression& to, search::Leaf leaf) {
    auto child = expression(Expression::Kind::leaf);
    child.leaf = plan.leaves.size();
    plan.leaves.push_back(std::move(leaf));
    to.children.push_back(std::move(child));
  };
  // Without the words that only make sentences, unless there are no others.
  auto telling = asked.words;
  std::erase_if(telling, is_filler);
  if (telling.empty()) telling = asked.words;
  for (const auto& word : telling) add_leaf(any, leaf_of(word));
  if (any.children.empty()) return out;
  plan.where = expression(Expression::Kind::all);
  plan.where.children.push_back(std::move(any));
  for (const auto& phrase : asked.phrases) {
    search::Leaf leaf;
    leaf.alternatives.push_back({search::Alternative::Kind::phrase, phrase, 1});
    leaf.fields = text_field;
    add_leaf(plan.where, std::move(leaf));
  }
  const search::Matches matches(snapshot, plan, ranking(), filters);
  out.total = matches.total();
  for (const auto& found : matches.first({}, most)) out.chunks.push_back({found.id, found.score});
  const auto documents = static_cast<double>(snapshot->documents);
  for (std::size_t i = 0; i < telling.size(); ++i) {
    const auto n = static_cast<double>(matches.having(i));
    out.words.push_back({telling[i], std::log(1 + (documents - n + .5) / (n + .5)), n > 0,
                         std::ranges::find(asked.measures, telling[i]) != asked.measures.end(),
                         alike_of(telling[i])});
  }
  // Pairs of signs that cross the borders of words are rare and mean nothing: they weigh no more than those
  // that are known.
  double most_known = 0;
  for (const auto& word : out.words)
    if (word.known) most_known = std::max(most_known, word.idf);
  for (auto& word : out.words)
    if (!word.known && most_known > 0 && is_of_signs(word.word)) word.idf = std::min(word.idf, most_known);
  return out;
}

std::function<bool(std::int64_t)> readable_passages(search::SnapshotPtr snapshot, const PassageScope& scope) {
  struct Rule {
    std::size_t facet = 0;
    std::vector<std::vector<bool>> allowed;  // by part, by value
  };
  std::vector<Rule> rules;
  for (const auto& filter : filters_of(scope)) {
    const auto& condition = filter.condition;
    Rule rule{condition.index, {}};
    for (const auto& part : snapshot->parts) {
      const auto& values = part.segment->facet(condition.index).values;
      auto& allowed = rule.allowed.emplace_back(values.size());
      for (std::size_t v = 0; v < values.size(); ++v) allowed[v] = condition.accepts(values[v]);
    }
    rules.push_back(std::move(rule));
  }
  return [snapshot = std::move(snapshot), rules = std::move(rules)](std::int64_t id) {
    for (std::size_t p = 0; p < snapshot->parts.size(); ++p) {
      const auto& part = snapshot->parts[p];
      const auto doc = part.segment->find(id);
      if (!doc || search::bit(*part.dead, *doc)) continue;
      return std::ranges::all_of(rules, [&](const Rule& rule) {
        return std::ranges::any_of(part.segment->facet(rule.facet).of[*doc],
                                   [&](std::uint32_t value) { return rule.allowed[p][value]; });
      });
    }
    return false;
  };
}

PassageIndex::PassageIndex(db::Database& database, events::Bus& bus)
    : database_(database), index_(passage_schema()) {
  bus.subscribe("document.", [this](const events::Event& event) {
    if (event.type == "document.embedded") return;  // its words are the same
    std::lock_guard lock(marks_mutex_);
    marked_.insert(event.resource_id);
  });
}

PassageIndex::~PassageIndex() { stop(); }

void PassageIndex::start() {
  std::lock_guard lock(starting_);
  if (stopped_ || loader_.joinable()) return;
  loader_ = std::thread([this] {
    if (auto there = catch_up(); !there)
      log::warn("the passages of documents are not loaded yet", {{"why", there.error().detail}});
  });
}

void PassageIndex::stop() {
  std::lock_guard lock(starting_);
  stopped_ = true;
  if (loader_.joinable()) loader_.join();
}

std::int64_t PassageIndex::size() const { return static_cast<std::int64_t>(index_.snapshot()->documents); }

Status PassageIndex::catch_up() {
  std::lock_guard lock(working_);
  if (!loaded_) {
    if (auto done = load(); !done) return done;
    loaded_ = true;
  }
  std::set<std::int64_t> marked;
  {
    std::lock_guard marks(marks_mutex_);
    marked.swap(marked_);
  }
  // Many at once make one piece of the index instead of one each.
  while (!marked.empty()) {
    std::vector<std::int64_t> some;
    for (auto it = marked.begin(); it != marked.end() && some.size() < documents_at_once; ++it)
      some.push_back(*it);
    if (auto done = refresh(some); !done) {
      std::lock_guard marks(marks_mutex_);
      marked_.merge(marked);
      return done;
    }
    for (const auto document : some) marked.erase(document);
  }
  return {};
}

void PassageIndex::put(std::vector<IndexedChunk> rows) {
  std::vector<search::Document> documents;
  documents.reserve(rows.size());
  for (const auto& row : rows) {
    documents.push_back(passage_document(row, viewers_[row.document.value]));
    chunks_[row.document.value].push_back(row.id);
  }
  if (!documents.empty()) index_.put(std::move(documents), false);
}

Status PassageIndex::load() {
  auto look = [](db::Transaction& tx) { return DocumentRepository(tx).all_grants(); };
  const auto grants = database_.read_now(std::move(look));
  if (!grants) return Failure(grants.error());
  viewers_.clear();
  chunks_.clear();
  for (const auto& [document, user] : *grants) viewers_[document.value].push_back(user.value);
  for (std::int64_t after = 0;;) {
    auto more = [after](db::Transaction& tx) {
      return DocumentRepository(tx).chunks_after(after, rows_at_once);
    };
    auto rows = database_.read_now(std::move(more));
    if (!rows) return Failure(std::move(rows.error()));
    if (rows->empty()) break;
    after = rows->back().id;
    put(std::move(*rows));
  }
  index_.settle();
  return {};
}

Status PassageIndex::refresh(std::span<const std::int64_t> documents) {
  struct Now {
    std::vector<IndexedChunk> chunks;
    std::vector<UserId> viewers;
  };
  std::vector<IndexedChunk> rows;
  std::vector<std::int64_t> gone;
  auto look = [documents](db::Transaction& tx) {
    DocumentRepository repository(tx);
    std::vector<Now> all;
    for (const auto id : documents) all.push_back({repository.chunks_of({id}), repository.viewers({id})});
    return all;
  };
  auto all = database_.read_now(std::move(look));
  if (!all) return Failure(std::move(all.error()));
  for (std::size_t i = 0; i < documents.size(); ++i) {
    auto& now = (*all)[i];
    auto& old = chunks_[documents[i]];
    for (const auto id : old)
      if (std::ranges::find(now.chunks, id, &IndexedChunk::id) == now.chunks.end()) gone.push_back(id);
    old.clear();
    auto& viewers = viewers_[documents[i]];
    viewers.clear();
    for (const auto user : now.viewers) viewers.push_back(user.value);
    std::ranges::move(now.chunks, std::back_inserter(rows));
  }
  if (!gone.empty()) index_.remove(gone);
  put(std::move(rows));
  index_.tidy();
  return {};
}

Result<FoundChunks> PassageIndex::search(std::string_view query, const PassageScope& scope,
                                         std::size_t most) {
  if (auto there = catch_up(); !there) return Failure(std::move(there.error()));
  return search_passages(index_.snapshot(), query, scope, most);
}

Result<PassageIndex::Both> PassageIndex::search_and_scope(std::string_view query, const PassageScope& scope,
                                                          std::size_t most) {
  if (auto there = catch_up(); !there) return Failure(std::move(there.error()));
  auto snapshot = index_.snapshot();
  Both out;
  out.found = search_passages(snapshot, query, scope, most);
  out.passages = static_cast<std::int64_t>(snapshot->documents);
  out.readable = readable_passages(std::move(snapshot), scope);
  return out;
}

}  // namespace lumina::ai
