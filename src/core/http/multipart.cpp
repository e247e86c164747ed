#include "core/http/multipart.hpp"

#include "core/base/text.hpp"

#include <optional>

namespace lumina::http {
namespace {

constexpr std::size_t most_parts = 32, longest_header = 8192, longest_boundary = 70;

// The value of `name` among the parameters of a header value: form-data; name="x"; filename="y".
std::optional<std::string> parameter(std::string_view value, std::string_view name) {
  std::size_t at = value.find(';');
  while (at != std::string_view::npos && at < value.size()) {
    std::string_view rest = trim_ascii(value.substr(at + 1));
    const auto equals = rest.find('=');
    if (equals == std::string_view::npos) return {};
    const auto key = trim_ascii(rest.substr(0, equals));
    rest.remove_prefix(equals + 1);
    std::string text;
    std::size_t used = 0;
    if (!rest.empty() && rest.front() == '"') {
      for (used = 1; used < rest.size() && rest[used] != '"'; ++used) {
        if (rest[used] == '\\' && used + 1 < rest.size()) ++used;
        text += rest[used];
      }
      if (used >= rest.size()) return {};
      ++used;
    } else {
      used = std::min(rest.find(';'), rest.size());
      text = trim_ascii(rest.substr(0, used));
    }
    if (iequals(key, name)) return text;
    const auto next = rest.find(';', used);
    if (next == std::string_view::npos) return {};
    at = static_cast<std::size_t>(rest.data() - value.data()) + next;
  }
  return {};
}

std::string safe_filename(std::string_view given) {
  if (const auto slash = given.find_last_of("/\\"); slash != std::string_view::npos)
    given.remove_prefix(slash + 1);
  std::string out;
  for (char c : given)
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) out += c;
  if (!is_valid_utf8(out)) out = "file";
  return std::string(utf8_prefix(out, 255));
}

}  // namespace

MultipartReader::MultipartReader(std::string_view content_type, Taker taker) : taker_(std::move(taker)) {
  const auto boundary = parameter(content_type, "boundary");
  if (!boundary || boundary->empty() || boundary->size() > longest_boundary)
    refuse("the Content-Type has no usable boundary");
  else
    between_ = "\r\n--" + *boundary;
}

void MultipartReader::refuse(std::string_view why) {
  fault_ = why;
  held_ = {};
}

void MultipartReader::feed(std::string_view piece) {
  if (!fault_.empty() || state_ == State::done) return;
  const bool all_held = !held_.empty();
  if (all_held) held_ += piece;
  auto input = all_held ? std::string_view(held_) : piece;
  std::size_t all = 0;
  for (std::size_t used = 1; used > 0 && state_ != State::done && fault_.empty();) {
    used = step(input.substr(all));
    all += used;
  }
  if (!fault_.empty() || state_ == State::done)
    held_ = {};
  else if (all_held)
    held_.erase(0, all);
  else
    held_ = piece.substr(all);
}

void MultipartReader::finish() {
  if (!fault_.empty() || state_ == State::done) return;
  if (state_ == State::first || state_ == State::preamble)
    refuse("the first boundary is missing");
  else if (state_ == State::boundary)
    refuse("a boundary is not followed by a line end");
  else if (state_ == State::headers)
    refuse("the header of a part is broken");
  else
    refuse("the last boundary is missing");
}

// How much of the input was used; none when more is needed.
std::size_t MultipartReader::step(std::string_view input) {
  const auto line = std::string_view(between_).substr(2);
  switch (state_) {
    case State::first:
      if (input.size() < line.size() && line.starts_with(input)) return 0;
      state_ = input.starts_with(line) ? State::boundary : State::preamble;
      return state_ == State::boundary ? line.size() : step(input);
    case State::preamble:
    case State::content: {
      const auto end = input.find(between_);
      const bool found = end != std::string_view::npos;
      const auto sure = found ? end : input.size() - std::min(input.size(), between_.size() - 1);
      if (state_ == State::content && sure > 0) taker_.bytes(input.substr(0, sure));
      if (!found) return sure;
      state_ = State::boundary;
      return end + between_.size();
    }
    case State::boundary:
      return after_boundary(input);
    case State::headers:
      return header(input);
    case State::done:
      break;
  }
  return 0;
}

std::size_t MultipartReader::after_boundary(std::string_view input) {
  if (input.size() < 2) return 0;
  if (input.starts_with("--")) {
    state_ = State::done;
    return 2;
  }
  auto blanks = std::min(input.find_first_not_of(" \t"), input.size());
  if (blanks > longest_header || (input.size() >= blanks + 2 && input.substr(blanks, 2) != "\r\n")) {
    refuse("a boundary is not followed by a line end");
    return 0;
  }
  if (input.size() < blanks + 2) return 0;
  if (parts_++ == most_parts) {
    refuse("there are too many parts");
    return 0;
  }
  part_ = {};
  budget_ = longest_header;
  state_ = State::headers;
  return blanks + 2;
}

std::size_t MultipartReader::header(std::string_view input) {
  const auto end = input.find("\r\n");
  if (end == 0) {
    state_ = State::content;
    taker_.begin(std::move(part_));
    return 2;
  }
  const auto colon = input.substr(0, end).find(':');
  if (end == std::string_view::npos ? input.size() > budget_ + 1
                                    : end > budget_ || colon == std::string_view::npos) {
    refuse("the header of a part is broken");
    return 0;
  }
  if (end == std::string_view::npos) return 0;
  budget_ -= end;
  const auto name = input.substr(0, colon);
  const auto value = trim_ascii(input.substr(colon + 1, end - colon - 1));
  if (iequals(name, "content-disposition")) {
    part_.name = parameter(value, "name").value_or("");
    part_.filename = safe_filename(parameter(value, "filename").value_or(""));
  } else if (iequals(name, "content-type")) {
    part_.content_type = value;
  }
  return end + 2;
}

std::expected<std::vector<Part>, std::string> parse_multipart(std::string_view body,
                                                              std::string_view content_type) {
  std::vector<Part> parts;
  MultipartReader reader(content_type, {[&](Part&& part) { parts.push_back(std::move(part)); },
                                        // All of a part at once, for the body is fed at once.
                                        [&](std::string_view bytes) { parts.back().bytes = bytes; }});
  reader.feed(body);
  reader.finish();
  if (!reader.fault().empty()) return std::unexpected(reader.fault());
  return parts;
}

}  // namespace lumina::http
