#include "modules/ai/qa_model.hpp"

#include "core/base/text.hpp"

namespace lumina::ai {
namespace {

using schema::Field;

bool has_text(std::string_view text) { return !trim(text).empty(); }

}  // namespace

std::vector<Field> PassageQuery::fields() {
  return {{"q",
           &PassageQuery::q,
           "Words; what is in quotation marks must stand there as it is",
           {schema::length(1, 500), schema::format("not-blank", &has_text, "must not be blank")}},
          {"limit", &PassageQuery::limit, "1 to 50, default 10", {schema::range(1, 50)}},
          {"document_ids", &PassageQuery::document_ids, "Only in these documents", {schema::items(0, 100)}},
          {"book_id", &PassageQuery::book_id, "Only in documents of this book"}};
}
std::vector<Field> Passage::fields() {
  return {{"chunk_id", &Passage::chunk_id, "Identifier of the passage"},
          {"document_id", &Passage::document_id, "Identifier of the document"},
          {"filename", &Passage::filename, "Its file"},
          {"title", &Passage::title, "Its title"},
          {"page", &Passage::page, "Page, of files that have pages"},
          {"start", &Passage::start, "Where it begins in the text of the page, in characters"},
          {"end", &Passage::end, "Where it ends"},
          {"score", &Passage::score, "How well it fits; comparable within one answer"},
          {"text", &Passage::text, "As it stands in the document"},
          {"highlight", &Passage::highlight, "HTML of a part of it, with what was found marked"},
          {"before", &Passage::before, "The passage before it"},
          {"after", &Passage::after, "The passage behind it"}};
}
std::vector<Field> Question::fields() {
  return {{"question",
           &Question::question,
           "3 to 2,000 characters",
           {schema::length(3, 2000), schema::format("not-blank", &has_text, "must not be blank")}},
          {"document_ids", &Question::document_ids, "Only in these documents", {schema::items(0, 100)}},
          {"collection_id",
           &Question::collection_id,
           "Only in documents of the books of this collection",
           {schema::range(1, 9e15)}},
          {"book_id", &Question::book_id, "Only in documents of this book"},
          {"top_k", &Question::top_k, "Passages to look at, 1 to 20, default 5", {schema::range(1, 20)}},
          {"session_id", &Question::session_id, "The conversation it goes on with", {schema::length(1, 64)}}};
}
std::vector<Field> AnswerSource::fields() {
  return {{"document_id", &AnswerSource::document_id, "Identifier of the document"},
          {"filename", &AnswerSource::filename, "Its file"},
          {"title", &AnswerSource::title, "Its title"},
          {"page", &AnswerSource::page, "Page, of files that have pages"},
          {"chunk_id", &AnswerSource::chunk_id, "Identifier of the passage"},
          {"score", &AnswerSource::score, "How well it fits"},
          {"quote", &AnswerSource::quote, "Word for word from the text; checked"},
          {"start", &AnswerSource::start, "Where the quote begins in the text of the page, in characters"},
          {"end", &AnswerSource::end, "Where it ends"},
          {"book_id", &AnswerSource::book_id, "Of the catalogue"},
          {"copies_available", &AnswerSource::copies_available, "Copies of the book on the shelf now"}};
}
std::vector<Field> QaAnswer::fields() {
  return {{"answer", &QaAnswer::answer, "The answer, or that there is none"},
          {"sources", &QaAnswer::sources, "One for each sentence, in order"},
          {"grounded", &QaAnswer::grounded, "Whether every sentence has a checked quote"},
          {"answerable", &QaAnswer::answerable, "Whether the sources hold an answer"},
          {"source", &QaAnswer::source, "llm or extractive"},
          {"nearest", &QaAnswer::nearest, "Without an answer: the passages that come nearest"},
          {"model", &QaAnswer::model, "The model that wrote it"},
          {"took_ms", &QaAnswer::took_ms, "Milliseconds"},
          {"session_id", &QaAnswer::session_id, "To go on with the conversation"}};
}
std::vector<Field> QaSession::fields() {
  return {{"id", &QaSession::id, "Identifier"},
          {"created_at", &QaSession::created_at, "When it began"},
          {"asked_at", &QaSession::asked_at, "When it was last asked"},
          {"turns", &QaSession::turns, "Questions in it"}};
}
std::vector<Field> QaTurn::fields() {
  return {{"question", &QaTurn::question, "What was asked"},
          {"answer", &QaTurn::answer, "What was answered"},
          {"created_at", &QaTurn::created_at, "When"}};
}

}  // namespace lumina::ai
