#include "modules/recs/shelf.hpp"

#include <algorithm>

namespace lumina::recs {
namespace {

std::int64_t page_of(std::int64_t id, std::int64_t size) { return id / size; }

}  // namespace

const ShelfBook* ShelfSnapshot::find(std::int64_t id) const {
  if (id < 0) return nullptr;
  const auto number = page_of(id, page_size);
  const auto at = std::ranges::lower_bound(pages_, number, {}, [](const auto& page) { return page.first; });
  if (at == pages_.end() || at->first != number) return nullptr;
  const auto& book = (*at->second)[static_cast<std::size_t>(id % page_size)];
  return book.facts ? &book : nullptr;
}

void Shelf::apply(std::vector<Change> changes) {
  if (changes.empty()) return;
  std::ranges::sort(changes, {}, &Change::id);
  auto next = std::make_shared<ShelfSnapshot>(*snapshot());
  bool content = false;
  for (std::size_t i = 0; i < changes.size();) {
    const auto number = page_of(changes[i].id, ShelfSnapshot::page_size);
    const auto at =
        std::ranges::lower_bound(next->pages_, number, {}, [](const auto& page) { return page.first; });
    const bool there = at != next->pages_.end() && at->first == number;
    auto page =
        there ? std::make_shared<ShelfSnapshot::Page>(*at->second) : std::make_shared<ShelfSnapshot::Page>();
    for (; i < changes.size() && page_of(changes[i].id, ShelfSnapshot::page_size) == number; ++i) {
      auto& change = changes[i];
      auto& slot = (*page)[static_cast<std::size_t>(change.id % ShelfSnapshot::page_size)];
      if (change.keeps_facts) {
        if (slot.facts) slot.figures = std::move(change.book.figures);
        continue;
      }
      content = true;
      if (slot.facts) --next->size_;
      if (change.book.facts) ++next->size_;
      slot = std::move(change.book);
      if (slot.facts && !slot.figures) slot.figures = std::make_shared<BookFigures>();
    }
    if (there)
      at->second = std::move(page);
    else
      next->pages_.insert(at, {number, std::move(page)});
  }
  ++next->version_;
  if (content) ++next->content_version_;
  std::lock_guard lock(mutex_);
  current_ = std::move(next);
}

}  // namespace lumina::recs
