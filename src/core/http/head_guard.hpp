// Decides on the raw octets of a request head whether a parser may see it at all.
//
// Beast's parser takes heads that another server would read differently (two Hosts, doubled or listed
// Transfer-Encoding, obs-fold, chunked on HTTP/1.0), which is how requests are smuggled. The guard accepts
// only heads that have one meaning. It is stricter than the grammar in two places on purpose: a Host name
// consists of unreserved characters only, and a repeated Content-Length is refused even when both agree.
//
// Sources: RFC 9110 (fields, Host, Expect), RFC 9112 sections 2 to 7 (syntax, framing), RFC 3986 (target,
// host). Pure functions of their input, no allocation; views in the results point into the input.
#pragma once
#include "core/http/limits.hpp"
#include "core/http/message.hpp"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

namespace lumina::http {

// Why a request is not served. The texts are static and safe to show.
struct Refusal {
  int status = 400;
  std::string_view code;
  std::string_view detail;
};

enum class Expectation : std::uint8_t { none, continue_ };

struct RequestLine {
  Method method = Method::get;
  std::string_view target;      // origin form without the authority, or "*"
  bool bare_authority = false;  // absolute form without a path: "/" goes before `target`
  std::string_view authority;   // of an absolute form; it wins over Host
  bool http11 = true;
};

struct GuardedHead {
  RequestLine line;
  std::string_view host;  // empty only for HTTP/1.0
  std::size_t fields = 0;
  bool keep_alive = true;
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  Expectation expectation = Expectation::none;
};

// `line` is the request line without its CRLF.
std::expected<RequestLine, Refusal> guard_request_line(std::string_view line, const HeadLimits&);

// `head` ends with the blank line and starts with the request line.
std::expected<GuardedHead, Refusal> guard_head(std::string_view head, const HeadLimits&);

// host[:port] of RFC 9110 section 7.2 with a non-empty host.
bool is_valid_host(std::string_view host);

// A token of RFC 9110 section 5.6.2.
bool is_token(std::string_view text);
// No control characters but HTAB: RFC 9110 section 5.5 as it goes over the wire.
bool is_field_value(std::string_view text);

// Finds the end of a head in input that arrives in pieces, and refuses early what can no longer become a
// head: bare LF, a request line that is wrong or too long, too many octets.
class HeadScanner {
 public:
  enum class State : std::uint8_t { need_more, complete, refused };

  // `input` is everything unread; between two calls it may only grow at its end.
  State scan(std::string_view input, const HeadLimits&);
  // Octets before the request line (a few CRLFs are forgiven) and of the head, when complete.
  std::size_t skipped() const { return skipped_; }
  std::size_t length() const { return length_; }
  const Refusal& refusal() const { return refusal_; }

 private:
  State refuse(const Refusal& why);

  std::size_t skipped_ = 0;
  std::size_t line_begin_ = 0;
  std::size_t searched_ = 0;
  std::size_t length_ = 0;
  bool line_guarded_ = false;
  Refusal refusal_;
};

}  // namespace lumina::http
