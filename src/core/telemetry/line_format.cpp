#include "core/telemetry/line_format.hpp"

#include "core/telemetry/redact.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstring>

namespace lumina::log {
namespace {

constexpr std::size_t longest_text = 8 << 10;
constexpr std::string_view replacement = "\xEF\xBF\xBD";

// Bytes that stand for themselves in a JSON string.
constexpr auto plain_bytes = [] {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x7f; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}();

bool is_plain(char c) { return plain_bytes[static_cast<unsigned char>(c)]; }

// Without an early exit, so that it is compiled to vector instructions.
bool is_all_plain(std::string_view text) {
  unsigned special = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    special |= static_cast<unsigned>(byte < 0x20) | static_cast<unsigned>(byte >= 0x7f) |
               static_cast<unsigned>(byte == '"') | static_cast<unsigned>(byte == '\\');
  }
  return special == 0;
}

// Length of the valid UTF-8 sequence at the start of `text`, 0 when there is none. Table 3-7 of the Unicode
// standard.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return byte(i) >= low && byte(i) <= high;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return follows(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const unsigned low = lead == 0xE0 ? 0xA0U : 0x80U;
    const unsigned high = lead == 0xED ? 0x9FU : 0xBFU;
    return follows(1, low, high) && follows(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const unsigned low = lead == 0xF0 ? 0x90U : 0x80U;
    const unsigned high = lead == 0xF4 ? 0x8FU : 0xBFU;
    return follows(1, low, high) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

void append_escape(std::string& out, unsigned code) {
  constexpr std::string_view digits = "0123456789abcdef";
  switch (code) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out += digits[code >> 4];
      out += digits[code & 15];
  }
}

template <class Number>
void append_number(std::string& out, Number number) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

// Milliseconds with three decimals.
void append_duration(std::string& out, std::chrono::nanoseconds duration) {
  const auto micros = std::max<std::int64_t>(duration.count() / 1000, 0);
  append_number(out, micros / 1000);
  const auto rest = micros % 1000;
  out += '.';
  out += static_cast<char>('0' + rest / 100);
  out += static_cast<char>('0' + rest / 10 % 10);
  out += static_cast<char>('0' + rest % 10);
}

// "2026-11-22T10:00:00.123Z"; the part up to the second is kept from one line to the next.
void append_time(std::string& out, std::int64_t ms) {
  struct Second {
    std::int64_t number = -1;
    std::array<char, 20> text{};
  };
  thread_local Second kept;
  const auto second = ms >= 0 ? ms / 1000 : (ms - 999) / 1000;
  if (second != kept.number) {
    using namespace std::chrono;
    const sys_seconds moment{seconds(second)};
    const auto day = floor<days>(moment);
    const year_month_day date(day);
    const hh_mm_ss time(moment - day);
    auto* at = kept.text.data();
    const auto put = [&](unsigned number, unsigned digits, char after) {
      for (unsigned i = digits; i-- > 0; number /= 10) at[i] = static_cast<char>('0' + number % 10);
      at += digits;
      *at++ = after;
    };
    put(static_cast<unsigned>(static_cast<int>(date.year())), 4, '-');
    put(static_cast<unsigned>(date.month()), 2, '-');
    put(static_cast<unsigned>(date.day()), 2, 'T');
    put(static_cast<unsigned>(time.hours().count()), 2, ':');
    put(static_cast<unsigned>(time.minutes().count()), 2, ':');
    put(static_cast<unsigned>(time.seconds().count()), 2, '.');
    kept.number = second;
  }
  out.append(kept.text.data(), kept.text.size());
  const auto rest = ms - second * 1000;
  out += static_cast<char>('0' + rest / 100);
  out += static_cast<char>('0' + rest / 10 % 10);
  out += static_cast<char>('0' + rest % 10);
  out += 'Z';
}

void append_json_member(std::string& out, std::string_view start, std::string_view text) {
  out += start;
  append_json_text(out, text);
  out += '"';
}

struct JsonValue {
  std::string& out;
  std::string_view key;
  void operator()(std::string_view text) const { append_json_member(out, "\"", redact(key, text)); }
  void operator()(std::int64_t number) const { append_number(out, number); }
  void operator()(std::uint64_t number) const { append_number(out, number); }
  void operator()(bool flag) const { out += flag ? "true" : "false"; }
  void operator()(double number) const {
    if (std::isfinite(number)) {
      append_number(out, number);
    } else {
      out += "null";
    }
  }
};

// Quoted when it would not read as one word.
void append_word(std::string& out, std::string_view text) {
  bool word = !text.empty();
  for (const char c : text) word = word && is_plain(c) && c != ' ' && c != '=';
  if (word) {
    out += text.substr(0, longest_text);
  } else {
    append_json_member(out, "\"", text);
  }
}

struct TextValue {
  std::string& out;
  std::string_view key;
  void operator()(std::string_view text) const { append_word(out, redact(key, text)); }
  void operator()(const auto& other) const { JsonValue{out, key}(other); }
};

constexpr std::array<std::string_view, 5> level_names{"trace", "debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 5> level_columns{" TRACE ", " DEBUG ", " INFO  ", " WARN  ",
                                                        " ERROR "};

void append_json_start(std::string& out, std::int64_t ms, LogLevel level) {
  out += R"({"ts":")";
  append_time(out, ms);
  out += R"(","level":")";
  out += to_string(level);
  out += R"(","msg":")";
}

void append_text_start(std::string& out, std::int64_t ms, LogLevel level) {
  append_time(out, ms);
  out += level_columns[static_cast<std::size_t>(level)];
}

}  // namespace

std::string_view to_string(LogLevel level) { return level_names[static_cast<std::size_t>(level)]; }

void append_json_text(std::string& out, std::string_view text) {
  if (is_all_plain(text) && text.size() <= longest_text) {
    out += text;
    return;
  }
  const bool cut = text.size() > longest_text;
  if (cut) text = text.substr(0, longest_text);
  std::size_t start = 0;
  std::size_t at = 0;
  const auto keep = [&] { out.append(text.data() + start, at - start); };
  while (at < text.size()) {
    if (is_plain(text[at])) {
      ++at;
      continue;
    }
    const auto length = sequence_length(text.substr(at));
    const auto lead = static_cast<unsigned char>(text[at]);
    const bool c1 = length == 2 && lead == 0xC2 && static_cast<unsigned char>(text[at + 1]) < 0xA0;
    if (length > 1 && !c1) {
      at += length;
      continue;
    }
    keep();
    if (length == 0) {
      if (!cut || at + 4 <= text.size())
        out += replacement;  // a sequence we cut ourselves is no fault of the input
      at += 1;
    } else {
      append_escape(out, c1 ? static_cast<unsigned char>(text[at + 1]) : lead);
      at += length;
    }
    start = at;
  }
  keep();
  if (cut) out += "...";
}

void append_json_line(std::string& out, std::int64_t ms, LogLevel level, std::string_view message,
                      Fields fields) {
  append_json_start(out, ms, level);
  append_json_text(out, message);
  out += '"';
  for (const auto& [key, value] : fields) {
    append_json_member(out, ",\"", key);
    out += ':';
    std::visit(JsonValue{out, key}, value.held());
  }
  out += "}\n";
}

void append_text_line(std::string& out, std::int64_t ms, LogLevel level, std::string_view message,
                      Fields fields) {
  append_text_start(out, ms, level);
  append_json_text(out, message);
  for (const auto& [key, value] : fields) {
    out += ' ';
    append_word(out, key);
    out += '=';
    std::visit(TextValue{out, key}, value.held());
  }
  out += '\n';
}

void append_json_access(std::string& out, std::int64_t ms, const AccessLine& line) {
  append_json_start(out, ms, level_of(line));
  append_json_member(out, R"(request","request_id":")", line.request_id);
  append_json_member(out, R"(,"method":")", line.method);
  append_json_member(out, R"(,"route":")", line.route);
  out += R"(,"status":)";
  append_number(out, line.status);
  out += R"(,"duration_ms":)";
  append_duration(out, line.duration);
  out += R"(,"user_id":)";
  if (line.user_id != 0) {
    append_number(out, line.user_id);
  } else {
    out += "null";
  }
  append_json_member(out, R"(,"client_ip":")", line.client_ip);
  if (line.trace_id.empty()) {
    out += R"(,"trace_id":null)";
  } else {
    append_json_member(out, R"(,"trace_id":")", line.trace_id);
  }
  out += "}\n";
}

void append_text_access(std::string& out, std::int64_t ms, const AccessLine& line) {
  append_text_start(out, ms, level_of(line));
  append_word(out, line.method);
  out += ' ';
  append_word(out, line.route);
  out += ' ';
  append_number(out, line.status);
  out += ' ';
  append_duration(out, line.duration);
  out += " ms request_id=";
  append_word(out, line.request_id);
  if (line.user_id != 0) {
    out += " user_id=";
    append_number(out, line.user_id);
  }
  out += " client_ip=";
  append_word(out, line.client_ip);
  if (!line.trace_id.empty()) {
    out += " trace_id=";
    append_word(out, line.trace_id);
  }
  out += '\n';
}

}  // namespace lumina::log
