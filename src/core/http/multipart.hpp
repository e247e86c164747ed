// multipart/form-data (RFC 7578), as browsers and curl send it: strict about boundaries, bounded in parts.
#pragma once
#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::http {

struct Part {
  std::string name;
  std::string filename;  // last path component only, control characters removed
  std::string content_type;
  std::string_view bytes;  // into the body
};

// At most 32 parts with 8 KiB of headers each. The error says what is wrong.
std::expected<std::vector<Part>, std::string> parse_multipart(std::string_view body,
                                                              std::string_view content_type);

// The same for a body that comes in pieces. Holds back what may be the begin of a boundary and the headers of
// one part, nothing else. One thread at a time.
class MultipartReader {
 public:
  struct Taker {
    std::function<void(Part&&)> begin;            // its headers; `bytes` is empty
    std::function<void(std::string_view)> bytes;  // of the part that began last, in order
  };
  MultipartReader(std::string_view content_type, Taker taker);

  void feed(std::string_view piece);
  // What is wrong with the form, empty when nothing is: after the last piece, also whether it is whole.
  const std::string& fault() const { return fault_; }
  void finish();

 private:
  enum class State : std::uint8_t { first, preamble, boundary, headers, content, done };
  std::size_t step(std::string_view input);
  std::size_t after_boundary(std::string_view input);
  std::size_t header(std::string_view input);
  void refuse(std::string_view why);

  Taker taker_;
  std::string between_;  // CRLF and the line of a boundary
  std::string held_;     // what was fed and not used yet
  std::string fault_;
  Part part_;
  std::size_t parts_ = 0, budget_ = 0;
  State state_ = State::first;
};

}  // namespace lumina::http
