// The API of summaries, of the models' state and of what they cost.
#pragma once
#include "core/http/route.hpp"
#include "core/llm/embedder.hpp"
#include "core/llm/language_model.hpp"
#include "core/llm/prompts.hpp"
#include "modules/ai/service.hpp"
#include "modules/ai/usage.hpp"
#include "modules/ai/vector_jobs.hpp"

namespace lumina::ai {

// All must outlive the routes.
struct RouteParts {
  SummaryService& summaries;
  UsageBook& usage;
  llm::LanguageModel& model;
  llm::Embedder& embedder;
  VectorJobs& embedding;
  const llm::PromptBook& prompts;
};

std::vector<http::Route> ai_routes(RouteParts parts);

}  // namespace lumina::ai
