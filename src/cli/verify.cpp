// luminalib verify: every kept file read and compared with its digest, also while a server runs.
#include "app.hpp"
#include "cli/commands.hpp"
#include "core/blobs/store.hpp"

#include <fmt/format.h>

namespace lumina::cli {

int verify(const config::Config& config) {
  App app(config);
  const auto seen = app.blobs().verify();
  if (!seen) {
    fmt::print(stderr, "luminalib: {}\n", seen.error().detail);
    return 1;
  }
  for (const auto& damage : seen->damages) fmt::print("{} {}\n", damage.sha256, damage.what);
  fmt::print("{} files, {} bytes, {} damaged\n", seen->blobs, seen->bytes, seen->damages.size());
  return seen->damages.empty() ? 0 : 1;
}

}  // namespace lumina::cli
