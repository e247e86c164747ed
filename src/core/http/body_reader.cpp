#include "core/http/body_reader.hpp"

#include <algorithm>

namespace lumina::http {
namespace {

constexpr Refusal too_large{413, "body_too_large", "The request body is too large"};
constexpr Refusal bad_chunk{400, "bad_chunk", "The chunked body is malformed"};
constexpr Refusal bad_extension{400, "bad_chunk_extension", "A chunk extension is malformed"};
constexpr Refusal long_extension{400, "chunk_extension_too_long", "The chunk extensions are too long"};
constexpr Refusal bad_trailer{400, "bad_trailer", "A trailer field is malformed"};
constexpr Refusal long_trailers{431, "trailers_too_large", "The trailer section is too large"};

constexpr std::size_t most_digits = 16;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void skip_blank(std::string_view& text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
}

bool skip_token(std::string_view& text) {
  std::size_t length = 0;
  while (length < text.size() && is_token(text.substr(length, 1))) ++length;
  text.remove_prefix(length);
  return length > 0;
}

bool skip_quoted(std::string_view& text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

// *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ); the text is free of control characters but
// HTAB.
bool is_valid_extension(std::string_view text) {
  while (!text.empty()) {
    skip_blank(text);
    if (!text.starts_with(';')) return false;
    text.remove_prefix(1);
    skip_blank(text);
    if (!skip_token(text)) return false;
    auto value = text;
    skip_blank(value);
    if (!value.starts_with('=')) continue;
    value.remove_prefix(1);
    skip_blank(value);
    if (value.starts_with('"') ? !skip_quoted(value) : !skip_token(value)) return false;
    text = value;
  }
  return true;
}

}  // namespace

BodyReader BodyReader::with_length(std::uint64_t length, std::uint64_t limit) {
  BodyReader reader(Step::plain, limit, {});
  reader.remaining_ = length;
  return reader;
}

BodyReader BodyReader::chunked(std::uint64_t limit, const ChunkLimits& chunk) {
  return {Step::size_line, limit, chunk};
}

BodyReader::State BodyReader::refuse(const Refusal& why) {
  refused_ = true;
  refusal_ = why;
  return State::refused;
}

void BodyReader::append(std::string_view bytes, std::string& body) const {
  const auto needed = body.size() + bytes.size();
  if (needed > body.capacity()) {
    const auto doubled = std::max<std::uint64_t>(needed, 2 * std::uint64_t{body.capacity()});
    const auto expected = needed + remaining_ - bytes.size();
    body.reserve(static_cast<std::size_t>(step_ == Step::plain ? std::min(doubled, expected) : doubled));
  }
  body.append(bytes);
}

bool BodyReader::take_line(std::string_view& input, std::size_t most, const Refusal& when_longer) {
  const auto end = input.find('\n');
  const auto piece = input.substr(0, end);
  if (line_.size() + piece.size() > most + 1) {
    refuse(when_longer);
    return false;
  }
  line_.append(piece);
  input.remove_prefix(end == std::string_view::npos ? piece.size() : end + 1);
  if (end == std::string_view::npos) return false;
  if (!line_.ends_with('\r')) {
    refuse(bad_chunk);
    return false;
  }
  line_.pop_back();
  return true;
}

bool BodyReader::take_size_line() {
  std::uint64_t size = 0;
  std::size_t digits = 0;
  for (; digits < line_.size() && hex_value(line_[digits]) >= 0; ++digits) {
    if (digits == most_digits) break;
    size = size * 16 + static_cast<std::uint64_t>(hex_value(line_[digits]));
  }
  const auto extension = std::string_view(line_).substr(digits);
  const bool follows =
      extension.empty() || extension.front() == ';' || extension.front() == ' ' || extension.front() == '\t';
  if (digits == 0 || !follows) return refuse(bad_chunk), false;
  extensions_ += extension.size();
  if (extension.size() > chunk_.extension || extensions_ > chunk_.extensions)
    return refuse(long_extension), false;
  if (!is_field_value(extension) || !is_valid_extension(extension)) return refuse(bad_extension), false;
  if (size > limit_ - received_) return refuse(too_large), false;
  remaining_ = size;
  step_ = size == 0 ? Step::trailers : Step::data;
  return true;
}

bool BodyReader::take_trailer() {
  const std::string_view line = line_;
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon)) ||
      !is_field_value(line.substr(colon + 1)))
    return refuse(bad_trailer), false;
  trailers_ += line.size() + 2;
  return true;
}

BodyReader::State BodyReader::feed(std::string_view input, std::size_t& used, std::string& body) {
  const auto whole = input.size();
  const auto state = [&](State s) {
    used = whole - input.size();
    return refused_ ? State::refused : s;
  };
  used = 0;
  if (step_ == Step::plain && remaining_ > limit_) return refuse(too_large);
  for (;;) {
    switch (step_) {
      case Step::plain:
      case Step::data: {
        const auto piece =
            input.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input.size())));
        append(piece, body);
        input.remove_prefix(piece.size());
        remaining_ -= piece.size();
        received_ += piece.size();
        if (remaining_ > 0) return state(State::need_more);
        if (step_ == Step::plain) return state(State::complete);
        step_ = Step::data_end;
        break;
      }
      case Step::data_end:
        if (!take_line(input, 0, bad_chunk)) return state(State::need_more);
        line_.clear();
        step_ = Step::size_line;
        break;
      case Step::size_line:
        if (!take_line(input, most_digits + chunk_.extension, long_extension) || !take_size_line())
          return state(State::need_more);
        line_.clear();
        break;
      case Step::trailers:
        if (!take_line(input, chunk_.trailers - trailers_, long_trailers)) return state(State::need_more);
        if (line_.empty()) return state(State::complete);
        if (!take_trailer()) return state(State::need_more);
        line_.clear();
        if (trailers_ > chunk_.trailers) return refuse(long_trailers);
        break;
    }
  }
}

}  // namespace lumina::http
