#include "core/events/hub.hpp"

#include "core/json/codec.hpp"
#include "core/telemetry/log.hpp"

#include <fmt/format.h>

#include <array>
#include <pthread.h>

namespace lumina::events {
namespace {

constexpr std::int64_t rows_at_once = 1000;

// Changes after which somebody's streams must prove their right again.
bool may_end_access(std::string_view type) {
  static constexpr std::array<std::string_view, 10> ends{
      "session.revoked", "session.ended",     "session.all_ended",     "user.deactivated",
      "user.deleted",    "user.role_changed", "user.password_changed", "user.password_reset",
      "api_key.deleted", "user.updated"};
  for (const auto one : ends)
    if (one == type) return true;
  return false;
}

}  // namespace

std::string to_json(const Recorded& row) {
  const Event& e = row.event;
  std::string out = "{\"id\":\"" + row.at.text() + "\",\"type\":";
  json::append_string(out, e.type);
  fmt::format_to(std::back_inserter(out), ",\"at\":\"{}\"", to_rfc3339(e.at));
  if (e.resource_id != 0) fmt::format_to(std::back_inserter(out), ",\"resource_id\":{}", e.resource_id);
  if (e.user) fmt::format_to(std::back_inserter(out), ",\"user_id\":{}", e.user->value);
  if (e.book) fmt::format_to(std::back_inserter(out), ",\"book_id\":{}", e.book->value);
  out += ",\"data\":" + (e.payload.empty() ? std::string("{}") : e.payload) + "}";
  return out;
}

std::string to_sse(const Recorded& row) {
  return "id: " + row.at.text() + "\nevent: " + row.event.type + "\ndata: " + to_json(row) + "\n\n";
}

Hub::Hub(db::Database& database, Bus& bus, std::string own_origin, HubOptions options)
    : database_(database), bus_(bus), own_origin_(std::move(own_origin)), options_(options) {
  bus_.subscribe("", [this](const Event& event) {
    if (event.user && may_end_access(event.type)) end_streams_of(*event.user);
    {
      std::lock_guard lock(mutex_);
      woken_ = true;
    }
    wake_.notify_one();
  });
}

Hub::~Hub() { stop(); }

void Hub::start() {
  if (thread_.joinable()) return;
  auto look = [](db::Transaction& tx) { return Outbox(tx).end(); };
  const auto end = database_.read_now(std::move(look));
  if (!end) throw std::runtime_error(end.error().detail);
  cursor_ = *end;
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "events");
}

void Hub::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    for (auto* stream : streams_) {
      stream->ended_ = true;
      if (stream->wake_) stream->wake_();
    }
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Hub::run() {
  using Clock = std::chrono::steady_clock;
  const bool follows = database_.dialect() == db::Dialect::postgresql;
  bool reachable = true;
  while (true) {
    const auto begun = Clock::now();
    std::size_t seen = 0;
    try {
      seen = read_on();
      end_old();
      reachable = true;
    } catch (const std::exception& e) {
      if (reachable) log::error("the outbox cannot be read", {{"what", e.what()}});
      reachable = false;
    }
    std::unique_lock lock(mutex_);
    const auto stop = [this] { return stopping_; };
    if (wake_.wait_until(lock, begun + options_.spacing, stop)) return;
    if (seen == static_cast<std::size_t>(rows_at_once)) continue;
    // On PostgreSQL what was just committed may have to wait for a transaction that is older.
    const auto patience = follows ? options_.poll : std::chrono::milliseconds(1000);
    wake_.wait_until(lock, begun + patience, [this] { return stopping_ || woken_; });
    if (stopping_) return;
    woken_ = false;
  }
}

std::size_t Hub::read_on() {
  auto look = [cursor = cursor_](db::Transaction& tx) { return Outbox(tx).after(cursor, {}, rows_at_once); };
  auto rows = database_.read_now(std::move(look));
  if (!rows) throw std::runtime_error(rows.error().detail);
  for (const Recorded& row : *rows)
    if (row.origin != own_origin_) bus_.publish(row.event);
  const auto seen = rows->size();
  if (seen > 0) append(std::move(*rows));
  return seen;
}

void Hub::append(std::vector<Recorded> rows) {
  std::lock_guard lock(mutex_);
  cursor_ = rows.back().at;
  const auto oldest_new = first_ + ring_.size();
  for (auto& row : rows) {
    Entry entry{nullptr, row.at, {}};
    if (!streams_.empty()) entry.text = std::make_shared<const std::string>(to_sse(row));
    row.event.payload.clear();
    entry.event = std::move(row.event);
    ring_.push_back(std::move(entry));
  }
  while (ring_.size() > options_.ring) {
    ring_.pop_front();
    ++first_;
  }
  for (auto* stream : streams_) {
    if (!stream->wake_) continue;
    for (auto at = std::max(oldest_new, first_); at < first_ + ring_.size(); ++at)
      if (stream->selection_.takes(ring_[at - first_].event)) {
        stream->wake_();
        break;
      }
  }
}

std::optional<Hub::Opened> Hub::open(Selection selection) {
  std::lock_guard lock(mutex_);
  if (stopping_ || streams_.size() >= options_.most_streams) return std::nullopt;
  auto stream = std::make_shared<Stream>(*this, std::move(selection), first_ + ring_.size());
  streams_.insert(stream.get());
  return Opened{std::move(stream), cursor_};
}

std::size_t Hub::streams() const {
  std::lock_guard lock(mutex_);
  return streams_.size();
}

void Hub::leave(Stream& stream) {
  std::lock_guard lock(mutex_);
  streams_.erase(&stream);
}

void Hub::end_streams_of(UserId user) {
  std::lock_guard lock(mutex_);
  for (auto* stream : streams_) {
    if (stream->selection_.reader != user) continue;
    stream->ended_ = true;
    if (stream->wake_) stream->wake_();
  }
}

void Hub::end_old() {
  const auto oldest = std::chrono::steady_clock::now() - options_.most_age;
  std::lock_guard lock(mutex_);
  for (auto* stream : streams_) {
    if (stream->opened_ > oldest || stream->ended_) continue;
    stream->ended_ = true;
    if (stream->wake_) stream->wake_();
  }
}

http::BodySource::State Hub::Stream::take(std::string& out, std::size_t most) {
  std::lock_guard lock(hub_.mutex_);
  out += first_;
  first_.clear();
  if (ended_ || position_ < hub_.first_) return State::ended;
  for (const auto end = hub_.first_ + hub_.ring_.size(); position_ < end && out.size() < most; ++position_) {
    const Entry& entry = hub_.ring_[position_ - hub_.first_];
    if (entry.text && entry.at > selection_.after && selection_.takes(entry.event)) out += *entry.text;
  }
  return State::open;
}

void Hub::Stream::attach(std::function<void()> wake) {
  std::lock_guard lock(hub_.mutex_);
  wake_ = std::move(wake);
}

void Hub::Stream::detach() noexcept {
  std::lock_guard lock(hub_.mutex_);
  wake_ = nullptr;
}

}  // namespace lumina::events
