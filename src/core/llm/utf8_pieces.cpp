#include "core/llm/utf8_pieces.hpp"

#include "core/base/text.hpp"

namespace lumina::llm {
namespace {

// Whether more bytes could make a character of these, which are none yet.
bool is_beginning(std::string_view bytes) {
  const auto lead = static_cast<unsigned char>(bytes.front());
  const std::size_t wanted = lead >= 0xF0 && lead <= 0xF4   ? 4
                             : lead >= 0xE0 && lead <= 0xEF ? 3
                             : lead >= 0xC2 && lead <= 0xDF ? 2
                                                            : 0;
  if (wanted == 0 || bytes.size() >= wanted) return false;
  for (const char c : bytes.substr(1))
    if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) return false;
  return true;
}

}  // namespace

std::string Utf8Pieces::add(std::string_view bytes) {
  held_ += bytes;
  std::string out;
  std::string_view rest = held_;
  while (!rest.empty()) {
    const auto next = utf8_prefix(rest, 1);
    if (next.size() > 1 || static_cast<unsigned char>(next.front()) < 0x80) {
      out += next;
      rest.remove_prefix(next.size());
      continue;
    }
    if (is_beginning(rest)) break;
    out += "\xEF\xBF\xBD";
    rest.remove_prefix(1);
  }
  held_ = std::string(rest);
  return out;
}

}  // namespace lumina::llm
