// What language models do for the library, free of HTTP, JSON and SQL.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/ids.hpp"
#include "core/llm/language_model.hpp"
#include "core/schema/type.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::ai {

// Who wrote it: a model, the built-in method, or a person.
enum class Source : std::uint8_t { llm, extractive, human };
constexpr std::array<std::string_view, 3> source_names{"llm", "extractive", "human"};
constexpr auto& enum_names(Source) { return source_names; }

// What every reply of the mind tells of itself.
struct Trace {
  std::string provider = "builtin", model, prompt_version;
  int prompt_tokens = 0, completion_tokens = 0;
  std::int64_t took_ms = 0;
  static constexpr std::string_view type_name = "AiTrace";
  static std::vector<schema::Field> fields();
};
Trace trace_of(const llm::Generated& written, std::string prompt_version);

struct BookSummary {
  BookId book_id;
  std::string language;            // it is written in; BCP 47
  std::string requested_language;  // it was asked for; another where no model could translate
  std::string summary;
  Source source = Source::extractive;
  std::string model;
  bool locked = false;  // a person wrote it: nothing overwrites it
  Timestamp generated_at;
  std::optional<double> average_rating;
  int review_count = 0;
  Trace ai;
  std::string key;  // of what it was made from; not shown
  static constexpr std::string_view type_name = "BookSummary";
  static std::vector<schema::Field> fields();
};

struct SummaryChoice {
  std::optional<std::string> lang;
  static constexpr std::string_view type_name = "SummaryChoice";
  static std::vector<schema::Field> fields();
};
struct SummaryWish {
  std::optional<std::string> lang;
  std::optional<bool> refresh;
  static constexpr std::string_view type_name = "SummaryWish";
  static std::vector<schema::Field> fields();
};
struct SummaryEdit {
  std::string summary;  // 1..5000 code points
  static constexpr std::string_view type_name = "SummaryEdit";
  static std::vector<schema::Field> fields();
};

struct SummaryRequest {
  std::string content;  // 1..400,000 code points
  std::optional<int> max_words;
  std::optional<std::string> language;
  static constexpr std::string_view type_name = "SummaryRequest";
  static std::vector<schema::Field> fields();
};
struct TextSummary {
  std::string summary;
  std::string language;  // it is written in
  Source source = Source::extractive;
  std::string model;
  int parts = 1;  // that a long text was read in
  Trace ai;
  static constexpr std::string_view type_name = "TextSummary";
  static std::vector<schema::Field> fields();
};

// Of GET /ai/status.
struct ProviderLine {
  std::string provider, model;
  bool available = false;
  std::string circuit, detail;
  std::optional<std::string> path, sha256;
  std::optional<std::int64_t> bytes;
  std::int64_t running = 0, requests = 0, failures = 0;
  static constexpr std::string_view type_name = "AiProvider";
  static std::vector<schema::Field> fields();
};
// Of the vectors of passages and books.
struct EmbeddingLine {
  std::string state;  // off, working, ready, unavailable
  std::string model;
  std::int64_t dimensions = 0;
  std::int64_t passages = 0, embedded = 0;
  std::int64_t in_memory = 0;  // of this instance
  std::int64_t books = 0, books_embedded = 0;
  std::vector<ProviderLine> providers;
  static constexpr std::string_view type_name = "AiEmbedding";
  static std::vector<schema::Field> fields();
};
ProviderLine line_of(const llm::ProviderStatus& provider);
struct QueueLine {
  std::int64_t interactive = 0, bulk = 0, running = 0, limit = 0;
  static constexpr std::string_view type_name = "AiQueue";
  static std::vector<schema::Field> fields();
};
struct PromptLine {
  std::string name, version;
  static constexpr std::string_view type_name = "AiPrompt";
  static std::vector<schema::Field> fields();
};
struct AiStatus {
  std::string tier;  // llm: a model is set up; extractive: the built-in methods work
  std::string model;
  std::vector<ProviderLine> providers;
  QueueLine queue;
  std::string embedding_model;
  EmbeddingLine embedding;
  std::vector<PromptLine> prompts;
  std::int64_t cache_hits = 0, cache_misses = 0;
  double cache_hit_rate = 0;
  std::int64_t calls_today = 0, daily_calls = 0;
  static constexpr std::string_view type_name = "AiStatus";
  static std::vector<schema::Field> fields();
};

struct UsageFilter {
  std::optional<Timestamp> from, to;
  static constexpr std::string_view type_name = "AiUsageFilter";
  static std::vector<schema::Field> fields();
};
struct UsageLine {
  std::string day;  // of UTC: 2026-11-22
  std::int64_t user_id = 0;
  std::string task, provider, model;
  std::int64_t calls = 0, failures = 0, prompt_tokens = 0, completion_tokens = 0, took_ms = 0;
  static constexpr std::string_view type_name = "AiUsageLine";
  static std::vector<schema::Field> fields();
};
struct Usage {
  std::int64_t calls = 0, failures = 0, prompt_tokens = 0, completion_tokens = 0, took_ms = 0;
  std::vector<UsageLine> lines;  // the newest day first
  static constexpr std::string_view type_name = "AiUsage";
  static std::vector<schema::Field> fields();
};

}  // namespace lumina::ai
