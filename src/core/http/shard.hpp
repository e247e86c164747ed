// What the connections of one io_context share: the limits, the application, their list, and one timer that
// looks after all their deadlines. Everything but the constructor, the counters and `draining` belongs to the
// thread of that io_context.
#pragma once
#include "core/base/task.hpp"
#include "core/http/limits.hpp"
#include "core/http/message.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/intrusive/list.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace lumina::http {

// Steady time to a few milliseconds, which costs a quarter of the exact one.
using Moment = std::chrono::nanoseconds;
Moment coarse_now();

// Relaxed atomics with one writer; read from anywhere.
class Counter {
 public:
  void add(std::uint64_t n = 1) { value_.store(get() + n, std::memory_order_relaxed); }
  std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

struct ShardCounters {
  Counter requests;        // heads that reached the application
  Counter refused_heads;   // answered without it
  Counter timeouts;        // connections that ran into a deadline other than the idle one
  Counter exceptions;      // that escaped the application
  Counter dropped_fields;  // response fields that must not be written
};

// Who is connected. Thread-safe.
class Ledger {
 public:
  enum class Entry : std::uint8_t {
    admitted,
    server_full,
    address_full,
    flooding,  // so far over a cap that not even an answer is due
  };
  using Address = boost::asio::ip::address;

  Ledger(std::size_t connections, std::size_t per_address)
      : most_(connections), most_per_address_(per_address) {}
  // Every enter() needs its leave(), whatever it answered.
  Entry enter(const Address&);
  void leave(const Address&);
  std::size_t open() const { return open_.load(std::memory_order_relaxed); }
  bool wait_until_empty(std::chrono::steady_clock::time_point until);
  void wait_until_empty();

 private:
  const std::size_t most_;
  const std::size_t most_per_address_;
  std::atomic<std::size_t> open_ = 0;
  std::mutex mutex_;
  std::condition_variable empty_;
  std::unordered_map<Address, std::size_t> by_address_;
};

// A connection as its shard sees it.
class Tracked
    : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  virtual ~Tracked() = default;
  virtual void expire() = 0;         // the deadline has passed
  virtual bool close_if_idle() = 0;  // ends it unless a request is there or arriving
  virtual void cut() = 0;            // ends it whatever it does
  Moment deadline = Moment::max();
  bool idle = false;  // waits for a request and has not seen an octet of it
};

class Shard : public std::enable_shared_from_this<Shard> {
 public:
  Shard(boost::asio::io_context&, const Limits&, Application&, std::shared_ptr<Ledger>);

  void start();
  void track(Tracked& connection) { connections_.push_back(connection); }
  // Ends the connection that has been idle longest; false when none is.
  bool release_one_idle();
  // Ends idle connections; set `draining` first.
  void drain();
  void cut();
  void stop();

  boost::asio::io_context& io;
  const Limits limits;
  Application& application;
  const std::shared_ptr<Ledger> ledger;
  ShardCounters counters;
  std::atomic<bool> draining = false;  // answers say "Connection: close"; set from anywhere

 private:
  using Timer =
      boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                        boost::asio::wait_traits<std::chrono::steady_clock>, IoExecutor>;
  using List = boost::intrusive::list<Tracked, boost::intrusive::constant_time_size<false>>;
  void sweep_later();
  void sweep();

  Timer timer_;
  List connections_;
  bool stopped_ = false;
};

}  // namespace lumina::http
