// Fuzzes what stands between the socket and the application: scanner, guard, Beast's parser, body reader. The
// first octet of the input seeds how the rest is cut into pieces; the outcome may not depend on it.
//
//   clang++-19 -std=c++23 -fsanitize=fuzzer,address,undefined -Isrc tests/fuzz/head_guard_fuzz.cpp \
//     src/core/http/{head_guard,body_reader,request_parser,message}.cpp
//   ./a.out -max_len=20000 tests/fuzz/corpus/head_guard
#include "core/http/body_reader.hpp"
#include "core/http/head_guard.hpp"
#include "core/http/request_parser.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace {

using namespace lumina::http;

void require(bool condition) {
  if (!condition) std::abort();
}

struct Outcome {
  int status =
      -1;  // 0 served, 1 refused, -1 incomplete; which of several faults is told depends on the pieces
  std::size_t head = 0;
  std::string body;
  std::size_t used = 0;
  bool operator==(const Outcome&) const = default;
};

// `next` gives the size of the next piece.
template <class Next>
Outcome read(std::string_view input, const HeadLimits& limits, Next next) {
  Outcome out;
  HeadScanner scanner;
  auto state = HeadScanner::State::need_more;
  std::size_t seen = 0;
  while (state == HeadScanner::State::need_more && seen < input.size()) {
    seen = std::min(input.size(), seen + next());
    state = scanner.scan(input.substr(0, seen), limits);
  }
  if (state == HeadScanner::State::need_more) return out;
  if (state == HeadScanner::State::refused) {
    out.status = 1;
    return out;
  }
  const auto octets = input.substr(scanner.skipped(), scanner.length());
  const auto guarded = guard_head(octets, limits);
  if (!guarded) {
    require(guarded.error().status >= 400 && guarded.error().status < 600);
    out.status = 1;
    return out;
  }
  Head head;
  require(parse_head(octets, *guarded, head));
  require(head.headers.size() == guarded->fields);
  require(!(head.chunked && head.content_length));
  require(head.target.starts_with('/') || (head.target == "*" && head.method == Method::options));
  out.head = out.used = scanner.skipped() + scanner.length();
  if (!head.has_body()) {
    out.status = 0;
    return out;
  }
  constexpr std::uint64_t limit = 4096;
  auto reader =
      head.chunked ? BodyReader::chunked(limit, {}) : BodyReader::with_length(*head.content_length, limit);
  seen = std::max(seen, out.used);
  for (;;) {
    std::size_t used = 0;
    const auto read = reader.feed(input.substr(out.used, seen - out.used), used, out.body);
    require(used <= seen - out.used && out.body.size() <= limit);
    out.used += used;
    if (read != BodyReader::State::need_more) {
      out.status = read == BodyReader::State::complete ? 0 : 1;
      break;
    }
    if (seen == input.size()) break;
    seen = std::min(input.size(), seen + next());
  }
  if (out.status > 0) {  // how much was looked at before the fault depends on the pieces
    out.body.clear();
    out.used = 0;
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const HeadLimits limits{.head = 2048, .target = 512, .fields = 20};
  std::minstd_rand random(data[0] + 1u);
  const auto whole = read(input, limits, [&] { return input.size(); });
  const auto pieces = read(input, limits, [&] { return 1 + random() % (data[0] % 2 ? 4 : 64); });
  require(whole == pieces);
  return 0;
}
