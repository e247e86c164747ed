// Summaries as durable jobs: asked for by people, or by themselves for books that are new or have changed.
#pragma once
#include "core/jobs/runner.hpp"
#include "core/jobs/scheduler.hpp"
#include "modules/ai/service.hpp"

namespace lumina::ai {

void handle_summary_jobs(jobs::Runner& runner, SummaryService& summaries);
// Every fifteen seconds, some books at a time, so that an import of many leaves the server room to breathe.
void schedule_summaries(jobs::Scheduler& scheduler, SummaryService& summaries);

}  // namespace lumina::ai
