// Encoded answers in memory: sharded, bounded by bytes, dropped exactly when what they show changes.
//
// Every entry names the things it shows as tags ("book:42", "catalogue"). A change bumps the version of its
// tags; an entry is served only while the versions it was made from still stand. The versions are read before
// the data is loaded, so a fill that raced with a change is never served. Tags share a fixed table of
// versions: two tags that fall on one place only cost a needless refill. Any thread; look-ups take one
// shard's lock for some 100 ns.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/task.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lumina::cache {

struct Body {
  std::string bytes;
  std::string etag;          // without quotes; empty: none
  std::string header_block;  // further header lines, formatted
  Timestamp made_at;         // only where answers have an age

  // The bytes in a content coding, made by `compress` once and kept with them.
  enum class Variant : std::uint8_t { gzip, brotli };
  const std::string& variant(Variant which, std::string (*compress)(std::string_view)) const {
    auto& [once, text] = variants[static_cast<std::size_t>(which)];
    std::call_once(once, [&text, compress, this] { text = compress(bytes); });
    return text;
  }

 private:
  mutable std::array<std::pair<std::once_flag, std::string>, 2> variants;
};
using BodyPtr = std::shared_ptr<const Body>;

// A thing that answers show.
class Tag {
 public:
  explicit Tag(std::string_view name) : hash_(std::hash<std::string_view>{}(name)) {}
  Tag(std::string_view kind, std::int64_t id)
      : hash_(std::hash<std::string_view>{}(kind) * 0x9E3779B97F4A7C15ULL ^
              static_cast<std::uint64_t>(id) * 0xD6E8FEB86659FD93ULL) {}
  std::uint64_t hash() const { return hash_; }

 private:
  std::uint64_t hash_;
};

struct CacheStatistics {
  std::int64_t hits = 0, misses = 0, evictions = 0, bytes = 0, entries = 0;
};

class BodyCache {
 public:
  explicit BodyCache(std::size_t most_bytes);
  ~BodyCache();
  BodyCache(const BodyCache&) = delete;
  BodyCache& operator=(const BodyCache&) = delete;

  // Null when absent or outdated.
  BodyPtr find(std::string_view key);
  // What stands now of the things an answer will show: taken before they are read, handed to put() with the
  // answer.
  using Versions = std::vector<std::pair<std::uint32_t, std::uint64_t>>;
  Versions versions(std::initializer_list<Tag> tags) const;
  // Keeps an answer that nobody asked for yet; it is served only if nothing it shows changed since
  // `made_from`.
  void put(std::string key, Versions made_from, const BodyPtr& body);
  // Whether there is room for what nobody asked for yet.
  bool roomy() const;
  // Drops this answer, unless another one took its place.
  void forget(std::string_view key, const BodyPtr& body);
  // Everything that shows this is outdated from now on.
  void drop(Tag tag);
  void clear();
  CacheStatistics statistics() const;

  using Loader = std::function<Task<Result<BodyPtr>>()>;
  // A hit at once; otherwise runs `load`, once for all that ask for the key meanwhile (single flight).
  // Errors are handed to all of them and not kept; after a null body the others load for themselves.
  Eventual<Result<BodyPtr>> get(std::string key, std::initializer_list<Tag> tags, Loader load);

 private:
  struct State;
  Task<Result<BodyPtr>> fill(std::string key, Versions versions, Loader load);
  std::unique_ptr<State> state_;
};

}  // namespace lumina::cache
