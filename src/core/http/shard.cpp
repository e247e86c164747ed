#include "core/http/shard.hpp"

#include <algorithm>
#include <ctime>

namespace lumina::http {
namespace {

// An IPv6 client has a whole /64 network to itself; an IPv4 one may come mapped into IPv6.
boost::asio::ip::address key(const boost::asio::ip::address& address) {
  if (address.is_v4()) return address;
  const auto v6 = address.to_v6();
  if (v6.is_v4_mapped()) return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, v6);
  auto bytes = v6.to_bytes();
  if (!v6.is_loopback()) std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
  return boost::asio::ip::address_v6(bytes);
}

}  // namespace

Moment coarse_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

Ledger::Entry Ledger::enter(const Address& address) {
  const std::lock_guard lock(mutex_);
  const auto open = open_.fetch_add(1, std::memory_order_relaxed);
  const auto of_address = ++by_address_[key(address)];
  constexpr std::size_t answered = 64;
  if (open >= most_ + answered) return Entry::flooding;
  if (most_per_address_ > 0 && of_address > most_per_address_)
    return of_address > most_per_address_ + answered ? Entry::flooding : Entry::address_full;
  return open < most_ ? Entry::admitted : Entry::server_full;
}

void Ledger::leave(const Address& address) {
  const std::lock_guard lock(mutex_);
  const auto found = by_address_.find(key(address));
  if (--found->second == 0) by_address_.erase(found);
  if (open_.fetch_sub(1, std::memory_order_relaxed) == 1) empty_.notify_all();
}

bool Ledger::wait_until_empty(std::chrono::steady_clock::time_point until) {
  std::unique_lock lock(mutex_);
  return empty_.wait_until(lock, until, [this] { return open() == 0; });
}

void Ledger::wait_until_empty() {
  std::unique_lock lock(mutex_);
  empty_.wait(lock, [this] { return open() == 0; });
}

Shard::Shard(boost::asio::io_context& context, const Limits& l, Application& app,
             std::shared_ptr<Ledger> shared)
    : io(context), limits(l), application(app), ledger(std::move(shared)), timer_(context.get_executor()) {}

void Shard::start() { sweep_later(); }

void Shard::sweep_later() {
  timer_.expires_after(limits.sweep_interval);
  timer_.async_wait([self = shared_from_this()](boost::system::error_code) {
    if (self->stopped_) return;
    self->sweep();
    self->sweep_later();
  });
}

void Shard::sweep() {
  const auto now = coarse_now();
  for (auto& connection : connections_) {
    if (connection.deadline > now) continue;
    connection.deadline = Moment::max();
    connection.expire();
  }
}

bool Shard::release_one_idle() {
  // Deadlines of idle connections lie equally far from their last answer.
  Tracked* oldest = nullptr;
  for (auto& connection : connections_)
    if (connection.idle && (!oldest || connection.deadline < oldest->deadline)) oldest = &connection;
  return oldest && oldest->close_if_idle();
}

void Shard::drain() {
  for (auto& connection : connections_) connection.close_if_idle();
}

void Shard::cut() {
  for (auto& connection : connections_) connection.cut();
}

void Shard::stop() {
  stopped_ = true;
  timer_.cancel();
}

}  // namespace lumina::http
