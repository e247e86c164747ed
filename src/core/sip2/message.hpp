// Messages of the Standard Interchange Protocol, version 2.00, which self-check machines speak: reading and
// writing one line.
//
//   1120060329    203540                  AO1|AA5678|AB24252|AC|AY3AZEDB7
//
// A message is a code of two digits, a part whose length the code decides, and fields of two characters and a
// text that ends in '|'. With error detection it ends in AY, a digit that counts messages, AZ and a checksum
// of four hexadecimal digits. Lines are up to `longest_line` bytes of UTF-8 without control characters, the
// carriage return at their end not counted. Pure and thread-safe; knows no library. Source: 3M Standard
// Interchange Protocol, version 2.00.
#pragma once
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::sip2 {

constexpr std::size_t longest_line = 4096;

struct Field {
  std::string id;  // two characters
  std::string value;
  bool operator==(const Field&) const = default;
};

struct Message {
  std::string code;              // "63"
  std::string fixed;             // as long as fixed_length(code) says
  std::vector<Field> fields;     // in their order; some may come several times
  std::optional<char> sequence;  // '0'..'9' with error detection

  // The first of that name; empty when there is none.
  std::string_view field(std::string_view id) const;
  bool has(std::string_view id) const;
  // A part of the fixed one.
  std::string_view part(std::size_t from, std::size_t count) const;
  Message& add(std::string_view id, std::string_view value);
  // Only when there is something to say.
  Message& add_if(std::string_view id, std::string_view value);
  bool operator==(const Message&) const = default;
};

enum class Fault : std::uint8_t {
  unreadable,  // too long, no UTF-8, control characters, or not of this shape
  unknown,     // a code that this protocol does not have
  checksum,    // the line was changed on its way
};

// How long the fixed part is; nothing for a code that is not known.
std::optional<std::size_t> fixed_length(std::string_view code);

// A line without its end.
std::expected<Message, Fault> parse(std::string_view line);
// The line with its carriage return. Texts are made fit: '|' and control characters become spaces, and each
// is cut at 255 code points. Error detection is added when the message has a sequence.
std::string write(const Message& message);

// "Say that again", which has a checksum, but no number of its own.
std::string ask_again();

// Four upper-case hexadecimal digits: minus the sum of all bytes, of 16 bits. `text` ends with "AZ".
std::string checksum(std::string_view text);

}  // namespace lumina::sip2
