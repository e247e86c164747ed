#include "core/sip2/message.hpp"

#include "core/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace lumina::sip2 {
namespace {

constexpr std::size_t longest_text = 255;
constexpr std::size_t most_fields = 512;
// "AY" digit "AZ" four digits.
constexpr std::size_t tail_length = 9;

struct Layout {
  std::string_view code;
  std::size_t fixed;
};
constexpr std::array layouts{
    // From a terminal.
    Layout{"01", 19}, Layout{"09", 37}, Layout{"11", 38}, Layout{"15", 19}, Layout{"17", 18},
    Layout{"19", 19}, Layout{"23", 21}, Layout{"25", 18}, Layout{"29", 38}, Layout{"35", 18},
    Layout{"37", 25}, Layout{"63", 31}, Layout{"65", 18}, Layout{"93", 2}, Layout{"97", 0}, Layout{"99", 8},
    // To a terminal.
    Layout{"10", 22}, Layout{"12", 22}, Layout{"16", 20}, Layout{"18", 24}, Layout{"20", 19},
    Layout{"24", 35}, Layout{"26", 35}, Layout{"30", 22}, Layout{"36", 19}, Layout{"38", 19},
    Layout{"64", 59}, Layout{"66", 27}, Layout{"94", 1}, Layout{"96", 0}, Layout{"98", 34}};

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f'); }
bool is_name(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || is_digit(c); }

std::string fit(std::string_view text) {
  std::string out(utf8_prefix(text, longest_text));
  std::ranges::replace_if(out, [](char c) { return c == '|' || is_control(c); }, ' ');
  return out;
}

// Takes the tail of error detection off. Without AY..AZ at the end there is none.
std::expected<std::optional<char>, Fault> take_tail(std::string_view& line) {
  if (line.size() < tail_length) return std::nullopt;
  const auto tail = line.substr(line.size() - tail_length);
  if (!tail.starts_with("AY") || !is_digit(tail[2]) || tail.substr(3, 2) != "AZ" ||
      !std::ranges::all_of(tail.substr(5), is_hex))
    return std::nullopt;
  const auto covered = line.substr(0, line.size() - 4);
  if (!iequals(checksum(covered), tail.substr(5))) return std::unexpected(Fault::checksum);
  line.remove_suffix(tail_length);
  return tail[2];
}

}  // namespace

std::string_view Message::field(std::string_view id) const {
  const auto found = std::ranges::find(fields, id, &Field::id);
  return found == fields.end() ? std::string_view() : std::string_view(found->value);
}
bool Message::has(std::string_view id) const {
  return std::ranges::find(fields, id, &Field::id) != fields.end();
}

std::string_view Message::part(std::size_t from, std::size_t count) const {
  if (from >= fixed.size()) return {};
  return std::string_view(fixed).substr(from, count);
}

Message& Message::add(std::string_view id, std::string_view value) {
  fields.push_back({std::string(id), std::string(value)});
  return *this;
}
Message& Message::add_if(std::string_view id, std::string_view value) {
  return value.empty() ? *this : add(id, value);
}

std::optional<std::size_t> fixed_length(std::string_view code) {
  const auto* found = std::ranges::find(layouts, code, &Layout::code);
  if (found == layouts.end()) return {};
  return found->fixed;
}

std::expected<Message, Fault> parse(std::string_view line) {
  if (line.size() > longest_line || !is_valid_utf8(line) || std::ranges::any_of(line, is_control))
    return std::unexpected(Fault::unreadable);
  auto sequence = take_tail(line);
  if (!sequence) return std::unexpected(sequence.error());
  Message message;
  message.sequence = *sequence;
  const auto fixed = fixed_length(line.substr(0, 2));
  if (!fixed) return std::unexpected(Fault::unknown);
  message.code = line.substr(0, 2);
  line.remove_prefix(2);
  if (line.size() < *fixed) return std::unexpected(Fault::unreadable);
  message.fixed = line.substr(0, *fixed);
  line.remove_prefix(*fixed);
  while (!line.empty()) {
    if (line.size() < 2 || !is_name(line[0]) || !is_name(line[1]) || message.fields.size() == most_fields)
      return std::unexpected(Fault::unreadable);
    const auto end = std::min(line.find('|'), line.size());  // some leave out the last
    if (end < 2) return std::unexpected(Fault::unreadable);
    message.add(line.substr(0, 2), line.substr(2, end - 2));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return message;
}

std::string write(const Message& message) {
  std::string line = message.code + message.fixed;
  for (const Field& field : message.fields) line += field.id + fit(field.value) + '|';
  if (message.sequence) {
    line += fmt::format("AY{}AZ", *message.sequence);
    line += checksum(line);
  }
  return line + '\r';
}

std::string ask_again() { return "96AZ" + checksum("96AZ") + '\r'; }

std::string checksum(std::string_view text) {
  unsigned sum = 0;
  for (const char c : text) sum += static_cast<unsigned char>(c);
  return fmt::format("{:04X}", (0U - sum) & 0xFFFFU);
}

}  // namespace lumina::sip2
