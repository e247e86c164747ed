// Passages found and questions answered, under the rights of whoever asks.
//
// What may be read is decided before anything is ranked, and again in the statement that reads the passages.
// An answer has no sentence without a quote that stands in the stored text. When the evidence is thin, or a
// model's sentences all fail that check, the answer says so and shows what comes nearest. Models are given
// from outside (use_writer); without one, or when it fails, sentences of the passages answer. Text of
// documents reaches a model only between fences and can cause nothing: answers are text. Public functions are
// awaited on an io thread; searching runs on the pool.
#pragma once
#include "core/base/caller.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/db/database.hpp"
#include "core/llm/embedder.hpp"
#include "core/runtime/pool.hpp"
#include "modules/ai/answer.hpp"
#include "modules/ai/catalogue_question.hpp"
#include "modules/ai/kept_vectors.hpp"
#include "modules/ai/passage_index.hpp"
#include "modules/ai/qa_model.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace lumina::ai {

// What a model wrote and which.
struct Written {
  std::string text, model;
};
class QaService {
 public:
  QaService(db::Database& database, const Clock& clock, PassageIndex& index, runtime::Pool& pool)
      : database_(database), clock_(clock), index_(index), pool_(pool) {}

  // Asks a model: numbered texts and a question in, lines for verified() out. At start-up only.
  using Writer =
      std::function<Task<Result<Written>>(std::string question, std::vector<Evidence> texts, UserId by)>;
  void use_writer(Writer writer) { writer_ = std::move(writer); }
  // Passages are also found by what they mean, where an embedding model is configured and has made vectors of
  // them. When it fails, words alone find them. At start-up only.
  void use_vectors(llm::Embedder& embedder, KeptVectors& vectors) {
    embedder_ = &embedder;
    vectors_ = &vectors;
  }
  // Books that answer a question, none when it is not about the catalogue. At start-up only.
  using Catalogue = std::function<Task<Result<std::vector<BookEvidence>>>(std::string question)>;
  void use_catalogue(Catalogue catalogue) { catalogue_ = std::move(catalogue); }

  Task<Result<std::vector<Passage>>> search(PassageQuery query, Caller by);
  // For searches of several kinds: documents, each with its best passage.
  Task<Result<std::pair<std::int64_t, std::vector<Passage>>>> best(std::string q, int limit, Caller by);

  Task<Result<QaAnswer>> ask(Question question, Caller by);

  Task<Result<std::vector<QaSession>>> sessions(Caller by);
  Task<Result<std::vector<QaTurn>>> session(std::string id, Caller by);
  Task<Status> forget(std::string id, Caller by);
  Result<std::int64_t> prune(Timestamp before);

  std::uint64_t questions() const { return questions_; }
  std::uint64_t refusals() const { return refusals_; }
  std::uint64_t searches() const { return searches_; }
  // Of questions and searches: those that vectors were asked for too.
  std::uint64_t by_meaning() const { return by_meaning_; }

 private:
  struct Found {
    std::vector<StoredPassage> passages;
    std::vector<double> scores;
    std::vector<AskedWord> words;
    std::int64_t total = 0;
    bool by_meaning = false;
  };
  enum class Ranking : std::uint8_t { words, words_and_meaning };
  Task<Result<Found>> find(std::string text, PassageScope scope, std::size_t most, Ranking ranking,
                           Caller by);
  // Empty: words alone.
  Task<std::vector<float>> vector_of(std::string text);
  Result<FoundChunks> find_chunks(const std::string& text, const PassageScope& scope, std::size_t most,
                                  const std::string& model, const std::vector<float>& vector,
                                  bool& by_meaning);
  Task<Result<PassageScope>> scope_of(std::vector<std::int64_t> documents, std::optional<BookId> book,
                                      std::optional<std::int64_t> collection, Caller by);
  Task<Result<void>> answer_from(QaAnswer& answer, const std::string& question, const Found& found,
                                 const std::vector<BookEvidence>& books, UserId by);

  db::Database& database_;
  const Clock& clock_;
  PassageIndex& index_;
  runtime::Pool& pool_;
  llm::Embedder* embedder_ = nullptr;
  KeptVectors* vectors_ = nullptr;
  Writer writer_;
  Catalogue catalogue_;
  std::atomic<std::uint64_t> questions_{0}, refusals_{0}, searches_{0}, by_meaning_{0};
};

}  // namespace lumina::ai
