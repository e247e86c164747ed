// How long to wait before a job is tried again.
#pragma once
#include <chrono>
#include <span>
#include <string_view>

namespace lumina::jobs {

// The pause after try number `attempt` (1, 2, ...): the entry of `table` for it, the last one for later
// tries, moved by up to a fifth either way. The same job and try always give the same pause; different jobs
// spread.
std::chrono::milliseconds backoff(std::span<const std::chrono::seconds> table, int attempt,
                                  std::string_view job_id);

}  // namespace lumina::jobs
