// What recommending knows of every book, in memory: who wrote it, where it stands, who wanted it lately.
//
// A snapshot never changes; a change copies the pages it touches (256 books) and publishes a new one. Readers
// take a pointer and never wait. One writer at a time.
#pragma once
#include "core/base/clock.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace lumina::recs {

// The newest mark that one person left on a book, by one kind of signal.
struct Mark {
  std::uint32_t minute = 0;  // since 1970
  float weight = 0;
  bool loan = false;
};

// What librarians write. Keys are folded.
struct BookFacts {
  std::int64_t id = 0;
  std::string title, author, author_key, genre, genre_key, language;
  std::vector<std::int64_t> branches;  // with copies, sorted
  Timestamp created_at, updated_at;
};
// What readers change.
struct BookFigures {
  bool available = false;
  std::vector<Mark> marks;  // oldest first
};
struct ShelfBook {
  std::shared_ptr<const BookFacts> facts;  // null: no such book
  std::shared_ptr<const BookFigures> figures;
};

class ShelfSnapshot {
 public:
  // Null when the book is not there.
  const ShelfBook* find(std::int64_t id) const;
  template <class F>
  void each(F&& f) const {
    for (const auto& [number, page] : pages_)
      for (const auto& book : *page)
        if (book.facts) f(book);
  }
  std::size_t size() const { return size_; }
  // Grows with every change of facts, and of anything.
  std::uint64_t content_version() const { return content_version_; }
  std::uint64_t version() const { return version_; }

 private:
  friend class Shelf;
  static constexpr std::int64_t page_size = 256;
  using Page = std::array<ShelfBook, page_size>;
  std::vector<std::pair<std::int64_t, std::shared_ptr<const Page>>> pages_;  // by number
  std::size_t size_ = 0;
  std::uint64_t content_version_ = 0, version_ = 0;
};

class Shelf {
 public:
  // Facts that are null stay as they are when `keeps_facts`, else the book goes.
  struct Change {
    std::int64_t id = 0;
    ShelfBook book;
    bool keeps_facts = false;
  };

  Shelf() : current_(std::make_shared<ShelfSnapshot>()) {}
  std::shared_ptr<const ShelfSnapshot> snapshot() const {
    std::lock_guard lock(mutex_);
    return current_;
  }
  void apply(std::vector<Change> changes);

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const ShelfSnapshot> current_;
};

}  // namespace lumina::recs
