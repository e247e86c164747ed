#include "modules/ai/qa_service.hpp"

#include "core/base/text.hpp"
#include "core/json/codec.hpp"
#include "core/runtime/run_on.hpp"
#include "core/search/highlight.hpp"
#include "core/security/random.hpp"
#include "core/telemetry/log.hpp"
#include "core/text/sentences.hpp"
#include "core/text/words.hpp"
#include "modules/ai/passage_fusion.hpp"
#include "modules/ai/qa_repository.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <unordered_map>

namespace lumina::ai {
namespace {

constexpr std::size_t usual_passages = 10, usual_evidence = 5, marked_length = 320;
constexpr std::int64_t most_sessions = 100;
constexpr std::chrono::milliseconds patience{2000};  // with the embedding model, while somebody waits
constexpr const char* no_answer = "The documents that you may read hold no answer to this question.";

Passage shown(const StoredPassage& p, double score) {
  Passage out;
  out.chunk_id = p.id;
  out.document_id = p.document;
  out.filename = p.filename;
  out.title = p.title;
  if (p.paged) out.page = p.page;
  out.start = p.begin_at;
  out.end = p.end_at;
  out.score = score;
  out.text = p.text;
  return out;
}

// The words of the question marked in the passage.
std::string marked(const StoredPassage& p, const std::vector<AskedWord>& words) {
  search::Plan plan;
  for (const auto& word : words) {
    search::Leaf leaf;
    leaf.alternatives.push_back({search::Alternative::Kind::word, {word.word}, 1});
    for (const auto& same : word.alike)
      leaf.alternatives.push_back({search::Alternative::Kind::word, {same}, 1});
    plan.leaves.push_back(std::move(leaf));
  }
  auto out =
      search::highlight(plan, p.text, search::language_of(p.language.value_or("")), 1, marked_length).text;
  return out.empty() ? search::escape_html(utf8_prefix(p.text, marked_length)) : out;
}

AnswerSource source_of(const StoredPassage& p, double score, const Claim& claim) {
  AnswerSource s;
  s.document_id = p.document;
  s.filename = p.filename;
  s.title = p.title;
  if (p.paged) s.page = p.page;
  s.chunk_id = p.id;
  s.score = score;
  s.quote = p.text.substr(claim.begin, claim.end - claim.begin);
  s.start =
      p.begin_at + static_cast<std::int64_t>(utf8_length(std::string_view(p.text).substr(0, claim.begin)));
  s.end = *s.start + static_cast<std::int64_t>(utf8_length(s.quote));
  return s;
}

AnswerSource source_of(const BookEvidence& book, const Claim& claim) {
  AnswerSource s;
  s.title = book.title;
  s.book_id = book.id;
  s.copies_available = book.copies_available;
  s.quote = book.text.substr(claim.begin, claim.end - claim.begin);
  return s;
}

std::string with_shelf(const Claim& claim, const BookEvidence& book) {
  std::string where = book.copies_available == 0 ? "none of its copies is on the shelf now"
                      : book.copies_available == 1
                          ? "one copy is on the shelf now"
                          : std::to_string(book.copies_available) + " copies are on the shelf now";
  return claim.sentence + " (" + book.title + " by " + book.author + ": " + where + ".)";
}

// Each book with the sentence that says most of what was asked; `before` texts stand in front of them.
std::vector<Claim> claims_of(const std::vector<BookEvidence>& books, BookEvidence::Kind kind,
                             std::string_view question, std::size_t before) {
  std::vector<Claim> out;
  for (std::size_t i = 0; i < books.size(); ++i) {
    if (books[i].kind != kind) continue;
    const auto best = best_sentence(question, books[i].text);
    if (best.second > best.first)
      out.push_back({flowing(std::string_view(books[i].text).substr(best.first, best.second - best.first)),
                     before + i, best.first, best.second});
  }
  return out;
}

}  // namespace

Task<Result<PassageScope>> QaService::scope_of(std::vector<std::int64_t> documents,
                                               std::optional<BookId> book,
                                               std::optional<std::int64_t> collection, Caller by) {
  auto look = [documents = std::move(documents), book, collection,
               &by](db::Transaction& tx) -> Result<PassageScope> {
    DocumentRepository repository(tx);
    PassageScope scope;
    scope.everything = by.can(Permission::books_write);
    scope.user = by.id().value;
    for (const auto id : repository.on_loan(by.id())) scope.on_loan.insert(id.value);
    if (!documents.empty()) scope.documents.emplace(documents.begin(), documents.end());
    if (book) scope.books.emplace().insert(book->value);
    if (collection) {
      const auto books = repository.collected(*collection, by.id());
      if (!books) return not_found("Collection not found");
      std::set<std::int64_t> of;
      for (const auto id : *books)
        if (!scope.books || scope.books->contains(id.value)) of.insert(id.value);
      scope.books = std::move(of);
    }
    return scope;
  };
  co_return co_await database_.read(std::move(look));
}

Task<std::vector<float>> QaService::vector_of(std::string text) {
  // Passages with what stands in quotation marks are wanted, not some that mean the like.
  if (embedder_ == nullptr || !embedder_->configured() || text.find('"') != std::string::npos)
    co_return std::vector<float>{};
  std::vector<std::string> texts;
  texts.push_back(std::move(text));
  auto made = co_await embedder_->embed(std::move(texts), {llm::Lane::interactive, patience});
  if (!made) {
    log::debug("passages are found by words alone", {{"why", made.error().code}});
    co_return std::vector<float>{};
  }
  co_return std::move(made->front());
}

Result<FoundChunks> QaService::find_chunks(const std::string& text, const PassageScope& scope,
                                           std::size_t most, const std::string& model,
                                           const std::vector<float>& vector, bool& by_meaning) {
  if (vector.empty()) return index_.search(text, scope, most);
  auto both = index_.search_and_scope(text, scope, std::max(most, fusion_depth));
  if (!both) return Failure(std::move(both.error()));
  auto near = vectors_->nearest(model, vector, fusion_depth, both->passages, both->readable);
  if (!near) return Failure(std::move(near.error()));
  auto& found = both->found;
  by_meaning = !near->empty();
  if (by_meaning) found.chunks = fused(found.chunks, std::move(*near), most);
  if (found.chunks.size() > most) found.chunks.resize(most);
  found.total = std::max(found.total, static_cast<std::int64_t>(found.chunks.size()));
  return std::move(found);
}

Task<Result<QaService::Found>> QaService::find(std::string text, PassageScope scope, std::size_t most,
                                               Ranking ranking, Caller by) {
  std::vector<float> vector;
  std::string model;
  if (ranking == Ranking::words_and_meaning && embedder_ != nullptr) {
    model = embedder_->model();
    vector = co_await vector_of(text);
  }
  bool by_meaning = false;
  auto search = [&] { return find_chunks(text, scope, most, model, vector, by_meaning); };
  auto chunks = co_await runtime::run_on(pool_, std::move(search));
  if (!chunks) co_return Failure(std::move(chunks.error()));
  if (by_meaning) ++by_meaning_;
  auto read = [&chunks, &by](db::Transaction& tx) {
    std::vector<std::int64_t> ids;
    std::unordered_map<std::int64_t, double> scores;
    for (const auto& chunk : chunks->chunks) {
      ids.push_back(chunk.id);
      scores.emplace(chunk.id, chunk.score);
    }
    Found found;
    found.passages = DocumentRepository(tx).passages(ids, by);
    for (const auto& passage : found.passages) found.scores.push_back(scores.at(passage.id));
    return found;
  };
  auto found = co_await database_.read(std::move(read));
  if (!found) co_return Failure(std::move(found.error()));
  found->words = std::move(chunks->words);
  found->total = chunks->total;
  found->by_meaning = by_meaning;
  co_return std::move(*found);
}

Task<Result<std::vector<Passage>>> QaService::search(PassageQuery query, Caller by) {
  ++searches_;
  auto scope = co_await scope_of(query.document_ids, query.book_id, {}, by);
  if (!scope) co_return Failure(std::move(scope.error()));
  const auto most = static_cast<std::size_t>(query.limit.value_or(usual_passages));
  auto found = co_await find(query.q, std::move(*scope), most, Ranking::words_and_meaning, by);
  if (!found) co_return Failure(std::move(found.error()));
  std::vector<Passage> out;
  auto read = [&found](db::Transaction& tx) {
    DocumentRepository documents(tx);
    std::vector<std::vector<StoredPassage>> all;
    for (const auto& passage : found->passages) all.push_back(documents.beside(passage));
    return all;
  };
  auto neighbours = co_await database_.read(std::move(read));
  if (!neighbours) co_return Failure(std::move(neighbours.error()));
  for (std::size_t i = 0; i < found->passages.size(); ++i) {
    const auto& passage = found->passages[i];
    auto one = shown(passage, found->scores[i]);
    one.highlight = marked(passage, found->words);
    for (const auto& beside : (*neighbours)[i]) {
      if (beside.ordinal < passage.ordinal) one.before = beside.text;
      if (beside.ordinal > passage.ordinal) one.after = beside.text;
    }
    out.push_back(std::move(one));
  }
  co_return out;
}

Task<Result<std::pair<std::int64_t, std::vector<Passage>>>> QaService::best(std::string q, int limit,
                                                                            Caller by) {
  ++searches_;
  auto scope = co_await scope_of({}, {}, {}, by);
  if (!scope) co_return Failure(std::move(scope.error()));
  constexpr std::size_t deep = 200;
  // How many there are is a matter of words: by meaning everything is found.
  auto found = co_await find(std::move(q), std::move(*scope), deep, Ranking::words, by);
  if (!found) co_return Failure(std::move(found.error()));
  std::pair<std::int64_t, std::vector<Passage>> out;
  std::set<std::int64_t> seen;
  for (std::size_t i = 0; i < found->passages.size(); ++i) {
    if (!seen.insert(found->passages[i].document.value).second) continue;
    if (out.second.size() == static_cast<std::size_t>(limit)) continue;
    out.second.push_back(shown(found->passages[i], found->scores[i]));
    out.second.back().highlight = marked(found->passages[i], found->words);
  }
  out.first = static_cast<std::int64_t>(seen.size());
  co_return out;
}

Task<Result<void>> QaService::answer_from(QaAnswer& answer, const std::string& question, const Found& found,
                                          const std::vector<BookEvidence>& books, UserId by) {
  std::vector<Evidence> texts;
  for (std::size_t i = 0; i < found.passages.size(); ++i) {
    const auto& p = found.passages[i];
    texts.push_back({p.title, p.text, p.language.value_or(""), found.scores[i]});
  }
  for (const auto& book : books) texts.push_back({book.title + " " + book.author, book.text, "", 0});
  auto claims = claims_of(books, BookEvidence::Kind::asked_for, question, found.passages.size());
  if (claims.empty()) {
    auto weigh = [&] {
      EvidenceRules rules;
      rules.asking = asking_of(question);
      const auto passages = static_cast<std::ptrdiff_t>(found.passages.size());
      return compose(found.words, {texts.begin(), texts.begin() + passages}, rules);
    };
    auto composed = co_await runtime::run_on(pool_, std::move(weigh));
    if (!composed) co_return Failure(std::move(composed.error()));
    claims = std::move(composed->claims);
  }
  if (claims.empty())
    claims = claims_of(books, BookEvidence::Kind::holds_all, question, found.passages.size());
  // A model is asked only when there is something to answer from. What was found by meaning may say it in
  // other words than the question's.
  if ((!claims.empty() || found.by_meaning) && writer_) {
    auto written = co_await writer_(question, texts, by);
    if (written) {
      auto kept = verified(written->text, texts);
      if (!kept.empty()) {
        claims = std::move(kept);
        answer.source = AnswerMethod::llm;
        answer.model = std::move(written->model);
      }
    } else {
      log::debug("a question is answered without a model", {{"why", written.error().code}});
    }
  }
  for (const auto& claim : claims) {
    const bool of_document = claim.evidence < found.passages.size();
    std::string sentence = claim.sentence;
    if (of_document) {
      answer.sources.push_back(
          source_of(found.passages[claim.evidence], found.scores[claim.evidence], claim));
    } else {
      const auto& book = books[claim.evidence - found.passages.size()];
      answer.sources.push_back(source_of(book, claim));
      sentence = with_shelf(claim, book);
    }
    if (!answer.answer.empty()) answer.answer += ' ';
    answer.answer += sentence;
  }
  answer.grounded = answer.answerable = !claims.empty();
  co_return Result<void>{};
}

Task<Result<QaAnswer>> QaService::ask(Question question, Caller by) {
  const auto begun = std::chrono::steady_clock::now();
  ++questions_;
  QaAnswer answer;
  std::optional<std::string> before;
  if (question.session_id) {
    auto look = [&](db::Transaction& tx) -> Result<std::optional<std::string>> {
      QaRepository sessions(tx);
      if (!sessions.exists(*question.session_id, by.id())) return not_found("Conversation not found");
      return sessions.last_question(*question.session_id);
    };
    auto last = co_await database_.read(std::move(look));
    if (!last) co_return Failure(std::move(last.error()));
    before = std::move(*last);
  }
  answer.session_id = question.session_id ? *question.session_id : security::opaque_token();
  auto scope = co_await scope_of(question.document_ids, question.book_id, question.collection_id, by);
  if (!scope) co_return Failure(std::move(scope.error()));
  const bool anywhere = !scope->documents && !scope->books;
  const auto most = static_cast<std::size_t>(question.top_k.value_or(usual_evidence));
  auto found = co_await find(question.question, *scope, most, Ranking::words_and_meaning, by);
  if (!found) co_return Failure(std::move(found.error()));
  std::vector<BookEvidence> books;
  if (anywhere && catalogue_) {
    auto more = co_await catalogue_(question.question);
    if (more) books = std::move(*more);
  }
  const auto list = [](const Found& from) {
    std::vector<Passage> out;
    for (std::size_t i = 0; i < from.passages.size(); ++i) {
      out.push_back(shown(from.passages[i], from.scores[i]));
      out.back().highlight = marked(from.passages[i], from.words);
    }
    return out;
  };
  auto passages = list(*found);
  if (auto done = co_await answer_from(answer, question.question, *found, books, by.id()); !done)
    co_return Failure(std::move(done.error()));
  if (!answer.grounded && before) {
    // "And when did she die?" is about what was asked before.
    auto together =
        co_await find(*before + " " + question.question, *scope, most, Ranking::words_and_meaning, by);
    if (!together) co_return Failure(std::move(together.error()));
    if (auto done = co_await answer_from(answer, question.question, *together, {}, by.id()); !done)
      co_return Failure(std::move(done.error()));
  }
  if (!answer.grounded) {
    ++refusals_;
    answer.answer = no_answer;
    answer.nearest = std::move(passages);
  }
  const auto took = std::chrono::steady_clock::now() - begun;
  answer.took_ms = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
  auto keep = [this, &answer, &question, &by](db::Transaction& tx) -> Status {
    QaRepository(tx).add(answer.session_id, by.id(), question.question, json::encode(answer), clock_.now());
    return {};
  };
  if (auto kept = co_await database_.write(std::move(keep)); !kept)
    co_return Failure(std::move(kept.error()));
  co_return answer;
}

Task<Result<std::vector<QaSession>>> QaService::sessions(Caller by) {
  auto look = [id = by.id()](db::Transaction& tx) { return QaRepository(tx).sessions(id, most_sessions); };
  co_return co_await database_.read(std::move(look));
}

Task<Result<std::vector<QaTurn>>> QaService::session(std::string id, Caller by) {
  auto look = [id = std::move(id), user = by.id()](db::Transaction& tx) -> Result<std::vector<QaTurn>> {
    QaRepository sessions(tx);
    if (!sessions.exists(id, user)) return not_found("Conversation not found");
    return sessions.turns(id);
  };
  co_return co_await database_.read(std::move(look));
}

Task<Status> QaService::forget(std::string id, Caller by) {
  auto work = [id = std::move(id), user = by.id()](db::Transaction& tx) -> Status {
    if (!QaRepository(tx).erase(id, user)) return not_found("Conversation not found");
    return {};
  };
  co_return co_await database_.write(std::move(work));
}

Result<std::int64_t> QaService::prune(Timestamp before) {
  auto work = [before](db::Transaction& tx) -> Result<std::int64_t> {
    return QaRepository(tx).prune(before);
  };
  return database_.write_now(std::move(work));
}

}  // namespace lumina::ai
