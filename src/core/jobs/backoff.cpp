#include "core/jobs/backoff.hpp"

#include <algorithm>
#include <cstdint>

namespace lumina::jobs {

std::chrono::milliseconds backoff(std::span<const std::chrono::seconds> table, int attempt,
                                  std::string_view job_id) {
  if (table.empty()) return {};
  const auto entry =
      std::min<std::size_t>(static_cast<std::size_t>(std::max(1, attempt)) - 1, table.size() - 1);
  // FNV-1a: spread without state, so that a test can say what comes.
  std::uint64_t hash = 14695981039346656037ULL;
  const auto mix = [&](unsigned char byte) { hash = (hash ^ byte) * 1099511628211ULL; };
  for (const char c : job_id) mix(static_cast<unsigned char>(c));
  for (int i = 0; i < 4; ++i) mix(static_cast<unsigned char>(attempt >> (8 * i)));
  const double unit = static_cast<double>(hash >> 11) / static_cast<double>(1ULL << 53);
  const auto pause = std::chrono::duration_cast<std::chrono::milliseconds>(table[entry]);
  return std::chrono::milliseconds(
      static_cast<std::int64_t>(static_cast<double>(pause.count()) * (0.8 + 0.4 * unit)));
}

}  // namespace lumina::jobs
