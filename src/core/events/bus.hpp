// Events: what happened, told after it is durable.
//
// Subscribers inside the process are called on the database thread that committed, in the order of commits on
// SQLite and per connection on PostgreSQL, before the caller's request goes on. They must be quick, must not
// throw, must not use the database, and must bear hearing of an event twice.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/ids.hpp"

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lumina::events {

struct Event {
  std::string type;  // "book.created", "borrow.returned", ...
  std::int64_t resource_id = 0;
  std::optional<UserId> user;  // whom it concerns
  std::optional<BookId> book;  // the book whose answers it changes
  std::string payload = "{}";  // JSON
  Timestamp at;
};

class Bus {
 public:
  using Subscriber = std::function<void(const Event&)>;
  // Every event whose type starts with `prefix`: "book." or "" for all. At start-up only.
  void subscribe(std::string prefix, Subscriber subscriber) {
    std::unique_lock lock(mutex_);
    subscribers_.emplace_back(std::move(prefix), std::move(subscriber));
  }
  void publish(const Event& event) const {
    std::shared_lock lock(mutex_);
    for (const auto& [prefix, subscriber] : subscribers_)
      if (event.type.starts_with(prefix)) subscriber(event);
  }

 private:
  mutable std::shared_mutex mutex_;
  std::vector<std::pair<std::string, Subscriber>> subscribers_;
};

}  // namespace lumina::events
