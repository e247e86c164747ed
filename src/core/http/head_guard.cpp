#include "core/http/head_guard.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstring>
#include <limits>
#include <string>

namespace lumina::http {
namespace {

constexpr Refusal bad_request_line{400, "bad_request_line", "The request line is malformed"};
constexpr Refusal bad_version{505, "http_version_not_supported",
                              "Only HTTP/1.0 and HTTP/1.1 are served here"};
constexpr Refusal unknown_method{501, "method_not_implemented", "This method is not implemented"};
constexpr Refusal bad_target{400, "bad_target", "The request target is malformed"};
constexpr Refusal long_target{414, "target_too_long", "The request target is too long"};
constexpr Refusal bad_line_end{400, "bad_line_ending", "Lines of a request head end with CR LF"};
constexpr Refusal folded{400, "folded_field", "Folded header fields are not accepted"};
constexpr Refusal bad_name{400, "bad_field_name", "A header field name is malformed"};
constexpr Refusal bad_value{400, "bad_field_value", "A header field value has control characters"};
constexpr Refusal large_head{431, "head_too_large", "The request head is too large"};
constexpr Refusal many_fields{431, "too_many_fields", "The request head has too many fields"};
constexpr Refusal no_host{400, "missing_host", "The request has no Host field"};
constexpr Refusal two_hosts{400, "repeated_host", "The request has more than one Host field"};
constexpr Refusal bad_host{400, "bad_host", "The Host field is malformed"};
constexpr Refusal bad_connection{400, "bad_connection_field", "The Connection field is malformed"};
constexpr Refusal bad_length{400, "bad_content_length", "The Content-Length field is malformed"};
constexpr Refusal two_lengths{400, "repeated_content_length",
                              "The request has more than one Content-Length field"};
constexpr Refusal bad_coding{400, "bad_transfer_encoding", "Transfer-Encoding must be exactly: chunked"};
constexpr Refusal two_codings{400, "repeated_transfer_encoding",
                              "The request has more than one Transfer-Encoding field"};
constexpr Refusal unknown_coding{501, "unknown_transfer_coding",
                                 "Of transfer codings only chunked is implemented"};
constexpr Refusal old_coding{400, "transfer_encoding_in_http_1_0", "Transfer-Encoding needs HTTP/1.1"};
constexpr Refusal two_framings{400, "conflicting_framing",
                               "Transfer-Encoding and Content-Length exclude each other"};
constexpr Refusal unknown_expectation{417, "expectation_failed",
                                      "The only known expectation is 100-continue"};

enum Class : std::uint8_t { token = 1, target = 2, host = 4, hex = 8, digit = 16 };

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> classes{};
  const auto mark = [&](std::string_view chars, std::uint8_t as) {
    for (const char c : chars) classes[static_cast<unsigned char>(c)] |= as;
  };
  for (unsigned c = 'a'; c <= 'z'; ++c) classes[c] |= token | target | host;
  for (unsigned c = 'A'; c <= 'Z'; ++c) classes[c] |= token | target | host;
  for (unsigned c = '0'; c <= '9'; ++c) classes[c] |= token | target | host | hex | digit;
  mark("!#$%&'*+-.^_`|~", token);
  mark("-._~", host);
  mark("-._~!$&'()*+,;=:@/?%", target);
  mark("abcdefABCDEF", hex);
  return classes;
}
constexpr auto classes = make_classes();

bool is(char c, Class which) { return (classes[static_cast<unsigned char>(c)] & which) != 0; }

bool all(std::string_view text, Class which) {
  std::uint8_t common = which;
  for (const char c : text) common &= classes[static_cast<unsigned char>(c)];
  return common != 0;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

// `wanted` is lower case.
bool same(std::string_view text, std::string_view wanted) {
  if (text.size() != wanted.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (lower(text[i]) != wanted[i]) return false;
  return true;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Calls `visit` with each trimmed element of a comma-separated list.
template <class Visit>
void for_each_element(std::string_view list, Visit visit) {
  for (;;) {
    const auto comma = list.find(',');
    visit(trim(list.substr(0, comma)));
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

bool is_option_list(std::string_view list) {
  bool valid = true;
  for_each_element(list,
                   [&](std::string_view option) { valid = valid && (option.empty() || is_token(option)); });
  return valid;
}

bool find_method(std::string_view name, Method& method) {
  for (const Method known :
       {Method::get, Method::post, Method::head, Method::put, Method::patch, Method::del, Method::options})
    if (name == to_string(known)) {
      method = known;
      return true;
    }
  return false;
}

bool is_valid_target(std::string_view text) {
  if (!all(text, target)) return false;
  for (auto at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1))
    if (at + 2 >= text.size() || !is(text[at + 1], hex) || !is(text[at + 2], hex)) return false;
  return true;
}

// Cuts "http://authority" off an absolute form.
bool take_authority(RequestLine& line) {
  std::string_view rest = line.target;
  if (same(rest.substr(0, 7), "http://"))
    rest.remove_prefix(7);
  else if (same(rest.substr(0, 8), "https://"))
    rest.remove_prefix(8);
  else
    return false;
  line.authority = rest.substr(0, rest.find_first_of("/?"));
  if (!is_valid_host(line.authority)) return false;
  line.target = rest.substr(line.authority.size());
  line.bare_authority = !line.target.starts_with('/');
  return true;
}

bool parse_length(std::string_view text, std::uint64_t& length) {
  if (text.empty() || !all(text, digit)) return false;
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  length = 0;
  for (const char c : text) {
    const auto value = static_cast<std::uint64_t>(c - '0');
    if (length > (most - value) / 10) return false;
    length = length * 10 + value;
  }
  return true;
}

// 501 when it would be well framed (chunked comes last, once) but with a coding that is not known here; RFC
// 9112 section 6.3 asks for 400 when chunked is not last.
const Refusal& judge_coding(std::string_view value) {
  bool well_formed = true;
  std::size_t chunked = 0;
  std::string_view last;
  for_each_element(value, [&](std::string_view coding) {
    well_formed = well_formed && is_token(coding);
    if (same(coding, "chunked")) ++chunked;
    last = coding;
  });
  return well_formed && chunked == 1 && same(last, "chunked") ? unknown_coding : bad_coding;
}

// What the fields say, gathered one by one.
struct Fields {
  GuardedHead& head;
  bool has_coding = false;
  bool close = false;
  bool keep_alive = false;

  const Refusal* take(std::string_view name, std::string_view value) {
    switch (name.size()) {
      case 4:
        return same(name, "host") ? take_host(value) : nullptr;
      case 6:
        return same(name, "expect") ? take_expectation(value) : nullptr;
      case 10:
        return same(name, "connection") ? take_connection(value) : nullptr;
      case 14:
        return same(name, "content-length") ? take_length(value) : nullptr;
      case 16:
        return same(name, "proxy-connection") && !is_option_list(value) ? &bad_connection : nullptr;
      case 17:
        return same(name, "transfer-encoding") ? take_coding(value) : nullptr;
      default:
        return nullptr;
    }
  }

 private:
  const Refusal* take_host(std::string_view value) {
    if (!head.host.empty()) return &two_hosts;
    if (!is_valid_host(value)) return &bad_host;
    head.host = value;
    return nullptr;
  }
  const Refusal* take_expectation(std::string_view value) {
    if (!same(value, "100-continue")) return &unknown_expectation;
    head.expectation = Expectation::continue_;
    return nullptr;
  }
  const Refusal* take_connection(std::string_view value) {
    if (!is_option_list(value)) return &bad_connection;
    for_each_element(value, [this](std::string_view option) {
      close = close || same(option, "close");
      keep_alive = keep_alive || same(option, "keep-alive");
    });
    return nullptr;
  }
  const Refusal* take_length(std::string_view value) {
    if (head.content_length) return &two_lengths;
    std::uint64_t length = 0;
    if (!parse_length(value, length)) return &bad_length;
    head.content_length = length;
    return nullptr;
  }
  const Refusal* take_coding(std::string_view value) {
    if (has_coding) return &two_codings;
    has_coding = true;
    if (!same(value, "chunked")) return &judge_coding(value);
    head.chunked = true;
    return nullptr;
  }
};

}  // namespace

bool is_token(std::string_view text) { return !text.empty() && all(text, token); }

bool is_field_value(std::string_view text) {
  bool bad = false;
  for (const char octet : text) {
    const auto c = static_cast<unsigned char>(octet);
    bad |= (c < 0x20 && c != '\t') || c == 0x7f;
  }
  return !bad;
}

bool is_valid_host(std::string_view text) {
  std::string_view port;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos || end > 46) return false;
    const std::string address(text.substr(1, end - 1));
    in6_addr parsed{};
    if (address.find('\0') != std::string::npos || inet_pton(AF_INET6, address.c_str(), &parsed) != 1)
      return false;
    const auto rest = text.substr(end + 1);
    if (!rest.empty() && rest.front() != ':') return false;
    if (!rest.empty()) port = rest.substr(1);
  } else {
    const auto colon = text.find(':');
    const auto name = text.substr(0, colon);
    if (colon != std::string_view::npos) port = text.substr(colon + 1);
    if (name.empty() || name.size() > 255 || !all(name, host)) return false;
  }
  unsigned number = 0;
  for (const char c : port) {
    if (!is(c, digit)) return false;
    number = number * 10 + static_cast<unsigned>(c - '0');
    if (number > 65535) return false;
  }
  return true;
}

std::expected<RequestLine, Refusal> guard_request_line(std::string_view line, const HeadLimits& limits) {
  const auto method_end = line.find(' ');
  const auto target_end = line.rfind(' ');
  if (method_end == std::string_view::npos || target_end == method_end)
    return std::unexpected(bad_request_line);
  const auto method = line.substr(0, method_end);
  const auto version = line.substr(target_end + 1);
  RequestLine out;
  out.target = line.substr(method_end + 1, target_end - method_end - 1);
  if (!is_token(method) || out.target.empty() || out.target.find(' ') != std::string_view::npos)
    return std::unexpected(bad_request_line);
  if (version.size() != 8 || !version.starts_with("HTTP/") || !is(version[5], digit) || version[6] != '.' ||
      !is(version[7], digit))
    return std::unexpected(bad_request_line);
  if (version[5] != '1' || version[7] > '1') return std::unexpected(bad_version);
  out.http11 = version[7] == '1';
  if (!find_method(method, out.method)) return std::unexpected(unknown_method);
  if (out.target.size() > limits.target) return std::unexpected(long_target);
  if (out.target == "*") {
    if (out.method != Method::options) return std::unexpected(bad_target);
    return out;
  }
  if (out.target.front() != '/' && !take_authority(out)) return std::unexpected(bad_target);
  if (!is_valid_target(out.target)) return std::unexpected(bad_target);
  return out;
}

std::expected<GuardedHead, Refusal> guard_head(std::string_view head, const HeadLimits& limits) {
  const auto next_line = [&head](std::string_view& line) {
    const auto end = head.find('\n');
    if (end == std::string_view::npos || end == 0 || head[end - 1] != '\r') return false;
    line = head.substr(0, end - 1);
    head.remove_prefix(end + 1);
    return true;
  };
  if (head.size() > limits.head) {
    const auto line = guard_request_line(head.substr(0, head.find('\r')), limits);
    return std::unexpected(line ? large_head : line.error());
  }
  std::string_view line;
  if (!next_line(line)) return std::unexpected(bad_line_end);
  const auto request_line = guard_request_line(line, limits);
  if (!request_line) return std::unexpected(request_line.error());

  GuardedHead out;
  out.line = *request_line;
  Fields fields{out};
  for (;;) {
    if (!next_line(line)) return std::unexpected(bad_line_end);
    if (line.empty()) break;
    if (line.front() == ' ' || line.front() == '\t') return std::unexpected(folded);
    if (++out.fields > limits.fields) return std::unexpected(many_fields);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return std::unexpected(bad_name);
    const auto name = line.substr(0, colon);
    if (!is_token(name)) return std::unexpected(bad_name);
    const auto value = trim(line.substr(colon + 1));
    if (!is_field_value(value)) return std::unexpected(bad_value);
    if (const Refusal* refusal = fields.take(name, value)) return std::unexpected(*refusal);
  }
  if (!head.empty()) return std::unexpected(bad_line_end);
  if (out.host.empty() && out.line.http11) return std::unexpected(no_host);
  if (fields.has_coding && !out.line.http11) return std::unexpected(old_coding);
  if (fields.has_coding && out.content_length) return std::unexpected(two_framings);
  out.keep_alive = !fields.close && (out.line.http11 || fields.keep_alive);
  if (!out.line.http11) out.expectation = Expectation::none;
  return out;
}

HeadScanner::State HeadScanner::refuse(const Refusal& why) {
  refusal_ = why;
  return State::refused;
}

HeadScanner::State HeadScanner::scan(std::string_view input, const HeadLimits& limits) {
  constexpr std::size_t forgiven = 8;
  while (line_begin_ == skipped_ && input.size() > skipped_) {
    const char first = input[skipped_];
    if (first != '\r') {
      if (!is(first, token)) return refuse(first == '\n' ? bad_line_end : bad_request_line);
      break;
    }
    if (input.size() < skipped_ + 2) return State::need_more;
    if (input[skipped_ + 1] != '\n' || skipped_ >= forgiven) return refuse(bad_line_end);
    line_begin_ = searched_ = skipped_ += 2;
  }
  while (searched_ < input.size()) {
    const void* found = std::memchr(input.data() + searched_, '\n', input.size() - searched_);
    if (!found) {
      searched_ = input.size();
      break;
    }
    const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - input.data());
    if (at == line_begin_ || input[at - 1] != '\r') return refuse(bad_line_end);
    if (at - 1 == line_begin_) {
      length_ = at + 1 - skipped_;
      return State::complete;
    }
    line_begin_ = searched_ = at + 1;
  }
  const auto pending = input.substr(std::min(skipped_, input.size()));
  if (line_begin_ == skipped_) {
    if (pending.size() <= limits.target + 32) return State::need_more;
    const auto space = pending.find(' ');
    return refuse(space < 32 ? long_target : bad_request_line);
  }
  if (!line_guarded_) {
    line_guarded_ = true;
    const auto line = guard_request_line(pending.substr(0, pending.find('\r')), limits);
    if (!line) return refuse(line.error());
  }
  return pending.size() > limits.head ? refuse(large_head) : State::need_more;
}

}  // namespace lumina::http
