// Identifiers that cannot be swapped: a BookId is not a UserId. Positive 64-bit integers in API and database.
#pragma once
#include <compare>
#include <cstdint>
#include <functional>

namespace lumina {

template <class Tag>
struct Id {
  std::int64_t value = 0;
  auto operator<=>(const Id&) const = default;
};

using UserId = Id<struct UserTag>;
using BookId = Id<struct BookTag>;
using CopyId = Id<struct CopyTag>;
using BorrowId = Id<struct BorrowTag>;
using ReviewId = Id<struct ReviewTag>;
using SessionId = Id<struct SessionTag>;
using ApiKeyId = Id<struct ApiKeyTag>;

}  // namespace lumina

template <class Tag>
struct std::hash<lumina::Id<Tag>> {
  std::size_t operator()(lumina::Id<Tag> id) const noexcept { return std::hash<std::int64_t>{}(id.value); }
};
