// A door with a number of places and two queues: who waits interactively passes everybody who does not.
//
//   auto place = co_await door.enter(Lane::bulk, deadline);
//   if (!place) co_return Failure(place.error());   // llm_busy, llm_timeout
//   ...work...                                      // the place is given back with the object
//
// Within a lane first come, first served. Both queues together hold `queue` waiters; the last quarter is kept
// for interactive ones. Any thread; a waiter goes on in its own io_context. stop() turns all waiters away and
// has to be called before their io_contexts end.
#pragma once
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/llm/language_model.hpp"

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

namespace lumina::llm {

class Admission : public std::enable_shared_from_this<Admission> {
 public:
  class Place {
   public:
    explicit Place(std::shared_ptr<Admission> door) : door_(std::move(door)) {}
    Place(Place&&) noexcept = default;
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (door_) door_->leave();
    }

   private:
    std::shared_ptr<Admission> door_;
  };

  Admission(int places, std::size_t queue) : places_(places), queue_(queue) {}

  Task<Result<Place>> enter(Lane lane, std::chrono::steady_clock::time_point deadline);
  void stop();

  struct Figures {
    std::size_t running = 0, interactive = 0, bulk = 0, queue = 0;
  };
  Figures figures() const;

 private:
  enum class Outcome : std::uint8_t { granted, late, stopped };
  struct Waiter {
    std::move_only_function<void(Outcome)> resume;
    bool waiting = true;
  };
  void leave();
  // Takes the waiter out if it still waits.
  void expire(const std::shared_ptr<Waiter>& waiter);

  const int places_;
  const std::size_t queue_;
  mutable std::mutex mutex_;
  int running_ = 0;
  bool stopped_ = false;
  std::deque<std::shared_ptr<Waiter>> interactive_, bulk_;
};

}  // namespace lumina::llm
