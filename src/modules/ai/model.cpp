#include "modules/ai/model.hpp"

#include "core/base/text.hpp"
#include "core/text/language_tag.hpp"

#include <algorithm>

namespace lumina::ai {
namespace {

using schema::Field;

bool has_text(std::string_view text) { return !trim(text).empty(); }
// Not the tags that name no language by themselves (x-..., i-...).
bool is_language(std::string_view given) {
  const auto tag = text::parse_language_tag(given);
  return tag && std::min(tag->find('-'), tag->size()) >= 2;
}
std::vector<schema::Rule> language_rules() {
  return {schema::format("language", &is_language, "must be a language tag (BCP 47) such as en or pt-BR")};
}

}  // namespace

Trace trace_of(const llm::Generated& written, std::string prompt_version) {
  return {written.provider,          written.model,       std::move(prompt_version), written.prompt_tokens,
          written.completion_tokens, written.took.count()};
}

std::vector<Field> Trace::fields() {
  return {{"provider", &Trace::provider, "Who wrote it; builtin: no model took part"},
          {"model", &Trace::model, "Its model"},
          {"prompt_version", &Trace::prompt_version, "Which wording it was asked with"},
          {"prompt_tokens", &Trace::prompt_tokens, "Tokens read"},
          {"completion_tokens", &Trace::completion_tokens, "Tokens written"},
          {"took_ms", &Trace::took_ms, "Milliseconds, waiting included"}};
}
std::vector<Field> BookSummary::fields() {
  return {{"book_id", &BookSummary::book_id, "Of which book"},
          {"language", &BookSummary::language, "What it is written in, BCP 47"},
          {"requested_language", &BookSummary::requested_language,
           "What was asked for. Another language than that of the text where no model took part: the "
           "built-in method takes sentences as they stand"},
          {"summary", &BookSummary::summary, "At most 200 words unless a person wrote it"},
          {"source", &BookSummary::source, "Who wrote it"},
          {"model", &BookSummary::model, "The model; empty when none took part"},
          {"locked", &BookSummary::locked, "Whether a person wrote it, so that nothing overwrites it"},
          {"generated_at", &BookSummary::generated_at, "When it was written"},
          {"average_rating", &BookSummary::average_rating, "Of the book's reviews"},
          {"review_count", &BookSummary::review_count, "Reviews of the book"},
          {"ai", &BookSummary::ai, "How it came about"}};
}
std::vector<Field> SummaryChoice::fields() {
  return {{"lang", &SummaryChoice::lang, "Language, BCP 47 (default: that of the book)", language_rules()}};
}
std::vector<Field> SummaryWish::fields() {
  return {{"lang", &SummaryWish::lang, "Language, BCP 47 (default: that of the book)", language_rules()},
          {"refresh", &SummaryWish::refresh, "Also when nothing has changed since the last one"}};
}
std::vector<Field> SummaryEdit::fields() {
  return {{"summary",
           &SummaryEdit::summary,
           "1 to 5000 characters",
           {schema::length(1, 5000), schema::format("not-blank", &has_text, "must not be blank")}}};
}
std::vector<Field> SummaryRequest::fields() {
  return {{"content",
           &SummaryRequest::content,
           "1 to 400000 characters; 413 beyond",
           {schema::format("not-blank", &has_text, "must not be blank")}},
          {"max_words", &SummaryRequest::max_words, "20 to 500 (default 200)", {schema::range(20, 500)}},
          {"language", &SummaryRequest::language, "BCP 47 (default en)", language_rules()}};
}
std::vector<Field> TextSummary::fields() {
  return {{"summary", &TextSummary::summary, "The summary"},
          {"language", &TextSummary::language, "What it is written in, BCP 47"},
          {"source", &TextSummary::source, "Who wrote it"},
          {"model", &TextSummary::model, "The model; empty when none took part"},
          {"parts", &TextSummary::parts, "Parts that a long text was read in"},
          {"ai", &TextSummary::ai, "How it came about"}};
}
std::vector<Field> ProviderLine::fields() {
  return {{"provider", &ProviderLine::provider, "llama, ollama, openai or huggingface"},
          {"model", &ProviderLine::model, "Name of its model"},
          {"available", &ProviderLine::available, "Whether it is asked at the moment"},
          {"circuit", &ProviderLine::circuit, "closed, open or half_open"},
          {"detail", &ProviderLine::detail, "Why it is not available"},
          {"path", &ProviderLine::path, "Of its model file"},
          {"sha256", &ProviderLine::sha256, "Of its model file"},
          {"bytes", &ProviderLine::bytes, "Of its model file"},
          {"running", &ProviderLine::running, "Prompts it works on"},
          {"requests", &ProviderLine::requests, "Calls since it was set up"},
          {"failures", &ProviderLine::failures, "Of these, failed"}};
}
ProviderLine line_of(const llm::ProviderStatus& p) {
  ProviderLine line{p.provider, p.model, p.available,
                    std::string(llm::circuit_names[static_cast<std::size_t>(p.circuit)]), p.detail};
  if (!p.path.empty()) line.path = p.path;
  if (!p.sha256.empty()) line.sha256 = p.sha256;
  if (p.bytes > 0) line.bytes = p.bytes;
  line.running = p.running;
  line.requests = p.requests;
  line.failures = p.failures;
  return line;
}
std::vector<Field> EmbeddingLine::fields() {
  return {{"state", &EmbeddingLine::state, "off, working, ready or unavailable"},
          {"model", &EmbeddingLine::model, "Empty without one: words alone find passages"},
          {"dimensions", &EmbeddingLine::dimensions, "Length of a vector; 0 until the first"},
          {"passages", &EmbeddingLine::passages, "Of documents that are ready"},
          {"embedded", &EmbeddingLine::embedded, "Of these, with a vector of this model"},
          {"in_memory", &EmbeddingLine::in_memory, "Passages whose vectors this instance searches"},
          {"books", &EmbeddingLine::books, "Of the catalogue"},
          {"books_embedded", &EmbeddingLine::books_embedded, "Of these, with a vector of this model"},
          {"providers", &EmbeddingLine::providers, "In the order in which they are asked"}};
}
std::vector<Field> QueueLine::fields() {
  return {{"interactive", &QueueLine::interactive, "Prompts that people wait for"},
          {"bulk", &QueueLine::bulk, "Prompts nobody waits for"},
          {"running", &QueueLine::running, "Prompts being worked on"},
          {"limit", &QueueLine::limit, "Prompts that may wait"}};
}
std::vector<Field> PromptLine::fields() {
  return {{"name", &PromptLine::name, "Task"}, {"version", &PromptLine::version, "Version and checksum"}};
}
std::vector<Field> AiStatus::fields() {
  return {{"tier", &AiStatus::tier, "llm or extractive"},
          {"model", &AiStatus::model, "The model that is asked first"},
          {"providers", &AiStatus::providers, "In the order in which they are asked"},
          {"queue", &AiStatus::queue, "Who waits"},
          {"embedding_model", &AiStatus::embedding_model, "Of vectors; empty without one"},
          {"embedding", &AiStatus::embedding, "Vectors of passages and books"},
          {"prompts", &AiStatus::prompts, "Their versions"},
          {"cache_hits", &AiStatus::cache_hits, "Texts that were there already"},
          {"cache_misses", &AiStatus::cache_misses, "Texts that had to be written"},
          {"cache_hit_rate", &AiStatus::cache_hit_rate, "0 to 1"},
          {"calls_today", &AiStatus::calls_today, "Calls since midnight UTC"},
          {"daily_calls", &AiStatus::daily_calls, "Allowed a day; 0: any number"}};
}
std::vector<Field> UsageFilter::fields() {
  return {{"from", &UsageFilter::from, "First day (default: 30 days ago)"},
          {"to", &UsageFilter::to, "Last day (default: today)"}};
}
std::vector<Field> UsageLine::fields() {
  return {{"day", &UsageLine::day, "Of UTC"},
          {"user_id", &UsageLine::user_id, "For whom; 0: the library's own work"},
          {"task", &UsageLine::task, "What for"},
          {"provider", &UsageLine::provider, "Who was asked"},
          {"model", &UsageLine::model, "Its model"},
          {"calls", &UsageLine::calls, "Calls"},
          {"failures", &UsageLine::failures, "Of these, failed"},
          {"prompt_tokens", &UsageLine::prompt_tokens, "Tokens read"},
          {"completion_tokens", &UsageLine::completion_tokens, "Tokens written"},
          {"took_ms", &UsageLine::took_ms, "Milliseconds, waiting included"}};
}
std::vector<Field> Usage::fields() {
  return {{"calls", &Usage::calls, "Calls"},
          {"failures", &Usage::failures, "Of these, failed"},
          {"prompt_tokens", &Usage::prompt_tokens, "Tokens read"},
          {"completion_tokens", &Usage::completion_tokens, "Tokens written"},
          {"took_ms", &Usage::took_ms, "Milliseconds, waiting included"},
          {"lines", &Usage::lines, "By day, person, task and model, the newest day first; at most 1000"}};
}

}  // namespace lumina::ai
