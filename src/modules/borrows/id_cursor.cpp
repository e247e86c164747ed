#include "modules/borrows/id_cursor.hpp"

#include "core/base/text.hpp"

#include <fmt/format.h>

#include <charconv>

namespace lumina::borrows {

std::string encode_id_cursor(char list, std::int64_t id) {
  return base64url_encode(fmt::format("{}:{}", list, id));
}

std::optional<std::int64_t> decode_id_cursor(char list, std::string_view cursor) {
  const auto decoded = base64url_decode(cursor);
  if (!decoded || decoded->size() < 3 || (*decoded)[0] != list || (*decoded)[1] != ':') return {};
  std::int64_t id = 0;
  const char* const last = decoded->data() + decoded->size();
  const auto [end, error] = std::from_chars(decoded->data() + 2, last, id);
  if (error != std::errc{} || end != last) return {};
  return id;
}

}  // namespace lumina::borrows
