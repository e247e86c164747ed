// Takes the octets after a head and yields the body, framed by Content-Length or by chunks.
//
// Chunks are read by the letter of RFC 9112 section 7.1: CRLF only, at most 16 hex digits, extensions that
// follow the grammar and have no control characters even when quoted, all within a budget. Trailers are
// checked and dropped. Nothing is reserved for octets that have not arrived: the body grows geometrically, at
// most to twice its size. Pure: no sockets. One per request; not thread-safe.
#pragma once
#include "core/http/head_guard.hpp"
#include "core/http/limits.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace lumina::http {

class BodyReader {
 public:
  enum class State : std::uint8_t { need_more, complete, refused };

  static BodyReader with_length(std::uint64_t length, std::uint64_t limit);
  static BodyReader chunked(std::uint64_t limit, const ChunkLimits&);

  // Appends to `body` and sets `used` to how much of `input` belongs to this request; the rest is the next
  // one's. After `complete` or `refused` it must not be called again.
  State feed(std::string_view input, std::size_t& used, std::string& body);
  // 413 over the limit, 400 for a malformed body.
  const Refusal& refusal() const { return refusal_; }

 private:
  enum class Step : std::uint8_t { plain, size_line, data, data_end, trailers };
  BodyReader(Step step, std::uint64_t limit, const ChunkLimits& chunk)
      : limit_(limit), chunk_(chunk), step_(step) {}

  State refuse(const Refusal& why);
  void append(std::string_view bytes, std::string& body) const;
  // Moves one line without its CRLF from `input` to `line_`; false when it is not whole yet or refused.
  bool take_line(std::string_view& input, std::size_t most, const Refusal& when_longer);
  bool take_size_line();
  bool take_trailer();

  std::uint64_t limit_;
  std::uint64_t remaining_ = 0;  // of the body or of the chunk
  std::uint64_t received_ = 0;
  ChunkLimits chunk_;
  std::size_t extensions_ = 0;
  std::size_t trailers_ = 0;
  std::string line_;
  Step step_;
  bool refused_ = false;
  Refusal refusal_;
};

}  // namespace lumina::http
