// Cursors of lists that are ordered by id alone, newest first: opaque to clients, "PREFIX:ID" in base64url.
// The prefix says which list, so that a cursor of another list is refused.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lumina::borrows {

std::string encode_id_cursor(char list, std::int64_t id);
// Nothing for what is no cursor of this list.
std::optional<std::int64_t> decode_id_cursor(char list, std::string_view cursor);

}  // namespace lumina::borrows
