// Questions over documents and the catalogue, and what is answered. Free of HTTP, JSON and SQL.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/ids.hpp"
#include "core/schema/type.hpp"
#include "modules/ai/document_model.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::ai {

struct PassageQuery {
  std::string q;
  std::optional<int> limit;
  std::vector<std::int64_t> document_ids;
  std::optional<BookId> book_id;
  static constexpr std::string_view type_name = "PassageQuery";
  static std::vector<schema::Field> fields();
};

struct Passage {
  std::int64_t chunk_id = 0;
  DocumentId document_id;
  std::string filename, title;
  std::optional<std::int64_t> page;  // of files that have pages
  std::int64_t start = 0, end = 0;   // code points in the text of the page
  double score = 0;
  std::string text, highlight;
  std::optional<std::string> before, after;  // the passages beside it
  static constexpr std::string_view type_name = "Passage";
  static std::vector<schema::Field> fields();
};

struct Question {
  std::string question;
  std::vector<std::int64_t> document_ids;
  std::optional<std::int64_t> collection_id;
  std::optional<BookId> book_id;
  std::optional<int> top_k;
  std::optional<std::string> session_id;
  static constexpr std::string_view type_name = "Question";
  static std::vector<schema::Field> fields();
};

// Where a sentence of an answer stands, word for word.
struct AnswerSource {
  std::optional<DocumentId> document_id;
  std::optional<std::string> filename;
  std::string title;
  std::optional<std::int64_t> page;
  std::optional<std::int64_t> chunk_id;
  double score = 0;
  std::string quote;
  std::optional<std::int64_t> start, end;        // code points in the text of the page
  std::optional<BookId> book_id;                 // of the catalogue
  std::optional<std::int64_t> copies_available;  // now
  static constexpr std::string_view type_name = "AnswerSource";
  static std::vector<schema::Field> fields();
};

// extractive: sentences of the sources as they stand; llm: written by a model, each sentence with its quote.
enum class AnswerMethod : std::uint8_t { llm, extractive };
constexpr std::array<std::string_view, 2> answer_method_names{"llm", "extractive"};
constexpr auto& enum_names(AnswerMethod) { return answer_method_names; }

struct QaAnswer {
  std::string answer;
  std::vector<AnswerSource> sources;
  bool grounded = false, answerable = false;
  AnswerMethod source = AnswerMethod::extractive;
  std::vector<Passage> nearest;  // when it could not be answered
  std::optional<std::string> model;
  std::int64_t took_ms = 0;
  std::string session_id;
  static constexpr std::string_view type_name = "QaAnswer";
  static std::vector<schema::Field> fields();
};

struct QaSession {
  std::string id;
  Timestamp created_at, asked_at;
  std::int64_t turns = 0;
  static constexpr std::string_view type_name = "QaSession";
  static std::vector<schema::Field> fields();
};
struct QaTurn {
  std::string question;
  schema::RawJson answer;
  Timestamp created_at;
  static constexpr std::string_view type_name = "QaTurn";
  static std::vector<schema::Field> fields();
};

}  // namespace lumina::ai
