// Passes on what was recorded: to this instance's bus what other instances did, and to every open event
// stream what its reader may see.
//
// One thread reads the outbox once for all: at once when this process recorded something (in groups, 30 ms
// apart at least), and five times a second on PostgreSQL for the sake of others. Events are formatted once
// and kept in a ring that all streams read from, so a stream costs a position and no copy; one that falls
// behind the ring is ended, and its reader goes on with Last-Event-ID.
//
// A stream also ends when something about its reader changes that could end the right to it (sign-out,
// password, role, key), and with the life of an access token: the client connects again, and is refused if it
// has to be. Any thread.
#pragma once
#include "core/db/database.hpp"
#include "core/events/bus.hpp"
#include "core/events/outbox.hpp"
#include "core/http/body_source.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

namespace lumina::events {

// Which events a stream shows.
struct Selection {
  std::vector<std::string> types;  // as in Outbox::after
  std::optional<UserId> of_user;   // only what concerns this person; all when empty
  std::optional<UserId> reader;    // whose stream it is
  Cursor after{};                  // what the reader has seen, which the hub may not have read yet

  bool takes(const Event& event) const {
    return (!of_user || event.user == of_user) && wanted(types, event.type);
  }
};

// {"id":..., "type":..., ...}: the API's form of an event.
std::string to_json(const Recorded& row);
// "id: ...\nevent: ...\ndata: {...}\n\n" (HTML standard, section 9.2)
std::string to_sse(const Recorded& row);

struct HubOptions {
  std::chrono::milliseconds poll{200};    // PostgreSQL: for what others do
  std::chrono::milliseconds spacing{30};  // between two readings
  std::size_t ring = 8192;                // events kept for streams
  std::size_t most_streams = 4096;
  std::chrono::seconds most_age{1800};
};

class Hub {
 public:
  class Stream;

  // Events whose origin is `own_origin` were published when they were made.
  Hub(db::Database& database, Bus& bus, std::string own_origin, HubOptions options);
  ~Hub();
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  void start();
  void stop();  // ends all streams

  // A stream from now on, and where "now" is: everything up to there is the caller's to send first. Nothing
  // when there are too many.
  struct Opened {
    std::shared_ptr<Stream> stream;
    Cursor begins;
  };
  std::optional<Opened> open(Selection selection);
  std::size_t streams() const;

 private:
  struct Entry {
    std::shared_ptr<const std::string> text;
    Cursor at;
    Event event;  // without payload
  };
  void run();
  std::size_t read_on();
  void append(std::vector<Recorded> rows);
  void end_streams_of(UserId user);
  void end_old();
  void leave(Stream& stream);

  db::Database& database_;
  Bus& bus_;
  const std::string own_origin_;
  const HubOptions options_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool woken_ = false, stopping_ = false;
  Cursor cursor_;
  std::deque<Entry> ring_;
  std::uint64_t first_ = 0;  // position of the ring's front
  std::unordered_set<Stream*> streams_;
  std::thread thread_;
};

// The body of an answer.
class Hub::Stream final : public http::BodySource {
 public:
  Stream(Hub& hub, Selection selection, std::uint64_t position)
      : hub_(hub),
        selection_(std::move(selection)),
        position_(position),
        opened_(std::chrono::steady_clock::now()) {}
  ~Stream() override { hub_.leave(*this); }

  // Goes out before anything else; with `last`, nothing else does. Before the answer is given.
  void begin_with(std::string text, bool last) {
    first_ = std::move(text);
    ended_ = last;
  }

  State take(std::string& out, std::size_t most) override;
  void attach(std::function<void()> wake) override;
  void detach() noexcept override;
  std::string_view keep_alive() const override { return ": ping\n\n"; }

 private:
  friend class Hub;
  Hub& hub_;
  const Selection selection_;
  std::uint64_t position_;  // this and the rest under the hub's mutex
  const std::chrono::steady_clock::time_point opened_;
  std::string first_;
  bool ended_ = false;
  std::function<void()> wake_;
};

}  // namespace lumina::events
