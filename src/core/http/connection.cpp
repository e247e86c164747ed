#include "core/http/connection.hpp"

#include "core/http/body_reader.hpp"
#include "core/http/body_sink.hpp"
#include "core/http/body_source.hpp"
#include "core/http/head_guard.hpp"
#include "core/http/refusing.hpp"
#include "core/http/request_parser.hpp"
#include "core/http/response_head.hpp"
#include "core/http/session_coroutine.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <functional>
#include <string>
#include <type_traits>

namespace lumina::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t small_buffer = 8 * 1024;
constexpr std::size_t body_buffer = 64 * 1024;
constexpr std::size_t write_slice = 1 << 20;
constexpr std::size_t stream_piece = 64 * 1024;
constexpr int client_closed_request = 499;
constexpr Refusal timed_out{408, "request_timeout", "The request did not arrive in time"};
constexpr Refusal over_limit{413, "body_too_large", "The request body is too large"};
constexpr Refusal unparsed{400, "bad_request_head", "The request head is malformed"};
constexpr Refusal app_failed{500, "internal_error", "The request failed inside the server"};

// Octets read and not yet used. Grows by doubling.
class ReadBuffer {
 public:
  std::string_view unread() const { return {octets_.get() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  void consume(std::size_t n) {
    begin_ += n;
    if (empty()) begin_ = end_ = 0;
  }
  // Room to read into: all of at least `capacity` that is not taken.
  asio::mutable_buffer room(std::size_t capacity) {
    if (capacity_ < capacity || end_ == capacity_) {
      const auto wanted = std::max(capacity, end_ - begin_ < capacity_ ? capacity_ : 2 * capacity_);
      if (wanted > capacity_) {
        auto larger = std::make_unique_for_overwrite<char[]>(wanted);
        std::memcpy(larger.get(), octets_.get() + begin_, end_ - begin_);
        octets_ = std::move(larger);
        capacity_ = wanted;
      } else {
        std::memmove(octets_.get(), octets_.get() + begin_, end_ - begin_);
      }
      end_ -= begin_;
      begin_ = 0;
    }
    return {octets_.get() + end_, capacity_ - end_};
  }
  void commit(std::size_t n) { end_ += n; }
  void shrink() {
    if (empty() && capacity_ > small_buffer) *this = {};
  }

 private:
  std::unique_ptr<char[]> octets_ = std::make_unique_for_overwrite<char[]>(small_buffer);
  std::size_t capacity_ = small_buffer;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

// Resumes a connection that waits for its stream, from any thread.
class Waker : public std::enable_shared_from_this<Waker> {
 public:
  explicit Waker(IoExecutor executor) : executor_(std::move(executor)) {}
  void wake() {
    if (signalled_.exchange(true)) return;
    asio::post(executor_, [self = shared_from_this()] {
      if (auto waiter = std::exchange(self->waiter_, nullptr)) waiter(error_code{}, 0);
    });
  }
  // On the io thread, as the next two. What wakes after this is not missed by a later wait().
  void begin() { signalled_ = false; }
  template <class Handler>
  void wait(Handler handler) {
    waiter_ = std::move(handler);
  }

 private:
  IoExecutor executor_;
  std::atomic<bool> signalled_{false};
  std::move_only_function<void(error_code, std::size_t)> waiter_;
};

class Connection final : public Tracked {
 public:
  Connection(std::shared_ptr<Shard> shard, Socket socket, Ledger::Address address, Ledger::Entry entry,
             TlsContext tls)
      : shard_(std::move(shard)),
        limits_(shard_->limits),
        socket_(std::move(socket)),
        address_(std::move(address)),
        peer_(address_.to_string()),
        entry_(entry),
        tls_context_(std::move(tls)) {
    if (tls_context_) tls_.emplace(socket_, *tls_context_);
    error_code ignored;
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    socket_.non_blocking(true, ignored);
    shard_->track(*this);
  }
  ~Connection() override {
    tell_finished(client_closed_request, 0);
    shard_->ledger->leave(address_);
  }

  static Session run(std::unique_ptr<Connection> self);

  void expire() override;
  bool close_if_idle() override;
  void cut() override;

 private:
  enum class Phase : std::uint8_t { handshake, head, body, application, write, stream, linger };
  enum class BodyEnd : std::uint8_t { complete, refused, timed_out, broken };

  Step<bool> serve_requests();
  Step<bool> handshake();
  // Into `sink` piece by piece when there is one, else into `body`.
  Step<BodyEnd> receive_body(std::uint64_t limit, std::string& body, BodySink* sink);
  Step<bool> write_rest(std::size_t written);
  Step<bool> write_stream(std::uint64_t& bytes);
  Step<bool> answer_and_close(Refusal why, bool linger);
  Step<bool> close(bool linger);
  // Runs a coroutine of the application to its end; its exception is rethrown.
  template <class T>
  Step<T> finish(Task<T> task);

  template <class Start>
  Await<Start> await(Start start) {
    return {root_, std::move(start)};
  }
  auto read_some(asio::mutable_buffer room) {
    return await([this, room](auto handler) {
      if (tls_)
        tls_->async_read_some(room, std::move(handler));
      else
        socket_.async_read_some(room, std::move(handler));
    });
  }
  template <class Buffers>
  auto write_some(const Buffers& buffers) {
    return await([this, buffers](auto handler) {
      if (tls_)
        tls_->async_write_some(buffers, std::move(handler));
      else
        socket_.async_write_some(buffers, std::move(handler));
    });
  }

  void enter(Phase phase, std::chrono::milliseconds time) {
    phase_ = phase;
    expired_ = false;
    deadline = coarse_now() + time;
  }
  void enter_application() {
    phase_ = Phase::application;
    deadline = Moment::max();
  }
  void await_request() {
    idle = buffer_.empty();
    enter(Phase::head, idle ? limits_.idle_time : limits_.head_time);
  }
  bool nothing_arrived() {
    error_code ec;
    return buffer_.empty() && socket_.available(ec) == 0;
  }

  // `head`: what is known of the request line when no exchange has begun.
  Response refusal(const Refusal& why, std::string_view head = {});
  bool unread_body_is_small() const;
  // Puts response_ into octets and writes what the socket takes at once; true when that is all.
  bool write_at_once(bool close, bool head_only, std::size_t& written);
  std::array<asio::const_buffer, 2> unwritten(std::size_t written, std::size_t most) const;
  std::size_t answer_size() const { return head_octets_.size() + body_octets_.size(); }
  void tell_finished(int status, std::uint64_t bytes) noexcept;
  void forget_request();

  const std::shared_ptr<Shard> shard_;
  const Limits& limits_;
  Socket socket_;
  const Ledger::Address address_;
  const std::string peer_;
  const Ledger::Entry entry_;
  const TlsContext tls_context_;
  std::optional<asio::ssl::stream<Socket&>> tls_;
  std::coroutine_handle<> root_;
  asio::cancellation_signal cancel_;

  Phase phase_ = Phase::head;
  bool expired_ = false;
  bool served_ = false;  // a request at least
  bool http11_ = true;
  ReadBuffer buffer_;
  Request request_;
  Refusal body_refusal_;
  std::unique_ptr<Exchange> exchange_;
  Response response_;
  std::string head_octets_;
  std::string_view body_octets_;
  std::shared_ptr<Waker> waker_;  // while a stream is sent
};

// Reads are cancelled and not cut: one that has just succeeded, but whose handler is still queued, then
// counts.
void Connection::expire() {
  error_code ignored;
  expired_ = true;
  if (phase_ == Phase::stream) return waker_->wake();  // time for a sign of life
  if (!idle && phase_ != Phase::linger) shard_->counters.timeouts.add();
  if (phase_ == Phase::head || phase_ == Phase::body)
    socket_.cancel(ignored);
  else
    socket_.close(ignored);
}

bool Connection::close_if_idle() {
  if (waker_) waker_->wake();  // a stream looks whether the server drains
  if (!idle || deadline == Moment::max() || !nothing_arrived()) return false;
  error_code ignored;
  deadline = Moment::max();
  socket_.cancel(ignored);
  return true;
}

void Connection::cut() {
  error_code ignored;
  socket_.close(ignored);
  cancel_.emit(asio::cancellation_type::terminal);
  if (waker_) waker_->wake();
}

Response Connection::refusal(const Refusal& why, std::string_view head) {
  Response response;
  try {
    auto* informed = exchange_ ? dynamic_cast<Refusing*>(exchange_.get()) : nullptr;
    if (informed == nullptr) informed = dynamic_cast<Refusing*>(&shard_->application);
    if (informed)
      response =
          informed->refuse_at(why.status, why.code, why.detail,
                              exchange_ ? std::string(request_.head.path()) : path_of_head(head), peer_);
    else
      response = shard_->application.refuse(why.status, why.code, why.detail);
  } catch (...) {
    shard_->counters.exceptions.add();
    response = {};
    response.content_type = "text/plain";
    response.body = why.detail;
  }
  response.status = why.status;
  return response;
}

bool Connection::unread_body_is_small() const {
  const Head& head = request_.head;
  return !head.chunked && !head.expect_continue && *head.content_length <= limits_.drain_bytes;
}

std::array<asio::const_buffer, 2> Connection::unwritten(std::size_t written, std::size_t most) const {
  const auto head = std::string_view(head_octets_).substr(std::min(written, head_octets_.size()));
  const auto body = body_octets_.substr(written - (head_octets_.size() - head.size()));
  return {asio::buffer(head), asio::buffer(body.data(), std::min(body.size(), most))};
}

bool Connection::write_at_once(bool close, bool head_only, std::size_t& written) {
  head_octets_.clear();
  body_octets_ = head_only || !has_body(response_.status) ? std::string_view() : response_.bytes();
  const auto dropped = append_response_head(response_, {close, !http11_ && !close, http11_}, head_octets_);
  if (dropped > 0) shard_->counters.dropped_fields.add(dropped);
  written = 0;
  if (tls_) {
    constexpr std::size_t record = 16 * 1024;
    if (answer_size() > record) return false;
    head_octets_ += body_octets_;
    body_octets_ = {};
    return false;
  }
  error_code ec;
  written = socket_.write_some(unwritten(0, body_octets_.size()), ec);
  return written == answer_size();
}

void Connection::tell_finished(int status, std::uint64_t bytes) noexcept {
  if (!exchange_) return;
  try {
    exchange_->finished(status, bytes);
  } catch (...) {
    shard_->counters.exceptions.add();
  }
  exchange_.reset();
}

void Connection::forget_request() {
  constexpr std::size_t kept = 64 * 1024;
  if (request_.body.capacity() > kept) request_.body = {};
  request_.body.clear();
  request_.sink.reset();
  response_ = {};
  body_octets_ = {};
  buffer_.shrink();
}

template <class T>
Step<T> Connection::finish(Task<T> task) {
  std::exception_ptr thrown;
  std::optional<T> value;
  const auto start = [this, &task, &thrown, &value](auto resume) {
    auto completed = [&thrown, &value, resume = std::move(resume)](std::exception_ptr e, T result) mutable {
      thrown = std::move(e);
      value = std::move(result);
      resume(error_code{}, 0);
    };
    asio::co_spawn(shard_->io.get_executor(), std::move(task),
                   asio::bind_cancellation_slot(cancel_.slot(), std::move(completed)));
  };
  enter_application();
  co_await await(start);
  if (thrown) std::rethrow_exception(thrown);
  co_return std::move(*value);
}

Step<bool> Connection::handshake() {
  enter(Phase::handshake, limits_.handshake_time);
  const auto start = [this](auto handler) {
    tls_->async_handshake(asio::ssl::stream_base::server, std::move(handler));
  };
  const auto done = co_await await(start);
  co_return !done.error;
}

Step<Connection::BodyEnd> Connection::receive_body(std::uint64_t limit, std::string& body, BodySink* sink) {
  const Head& head = request_.head;
  auto reader = head.chunked ? BodyReader::chunked(limit, limits_.chunk)
                             : BodyReader::with_length(*head.content_length, limit);
  enter(Phase::body, limits_.body_time);
  auto until = deadline;
  bool awaits_continue = head.expect_continue && buffer_.empty();
  bool wanted = true;
  std::size_t capacity = small_buffer;
  for (;;) {
    std::size_t used = 0;
    const auto state = reader.feed(buffer_.unread(), used, body);
    buffer_.consume(used);
    if (state == BodyReader::State::refused) {
      body_refusal_ = reader.refusal();
      co_return BodyEnd::refused;
    }
    const bool complete = state == BodyReader::State::complete;
    if (sink != nullptr && !body.empty() && (complete || !wanted || body.size() >= body_piece)) {
      auto piece = std::exchange(body, {});
      if (wanted) {
        const auto begun = coarse_now();
        auto taking = sink->take(std::move(piece));
        wanted = co_await finish(std::move(taking));
        until += coarse_now() - begun;  // what the disk takes is not the client's delay
        phase_ = Phase::body;
      }
    }
    if (complete) co_return BodyEnd::complete;
    if (awaits_continue) {
      awaits_continue = false;
      head_octets_ = "HTTP/1.1 100 Continue\r\n\r\n";
      body_octets_ = {};
      const bool written = co_await write_rest(0);
      if (!written) co_return BodyEnd::broken;
    }
    deadline = std::min(until, coarse_now() + limits_.body_stall_time);
    const auto room = buffer_.room(capacity);
    const auto got = co_await read_some(room);
    if (expired_) co_return BodyEnd::timed_out;
    if (got.error) co_return BodyEnd::broken;
    buffer_.commit(got.bytes);
    if (got.bytes == room.size()) capacity = std::min(2 * capacity, body_buffer);
  }
}

Step<bool> Connection::write_rest(std::size_t written) {
  std::size_t renewed = written;
  while (written < answer_size()) {
    if (written - renewed >= write_slice) {
      renewed = written;
      deadline = coarse_now() + limits_.write_time;
    }
    const auto buffers = unwritten(written, write_slice);
    const auto put = co_await write_some(buffers);
    if (put.error) co_return false;
    written += put.bytes;
  }
  co_return true;
}

// Pieces as the source gives them, until it ends, the client goes or the server drains.
Step<bool> Connection::write_stream(std::uint64_t& bytes) {
  struct Attached {
    Attached(Connection& c) : connection(c) {  // NOLINT(google-explicit-constructor)
      connection.waker_ = std::make_shared<Waker>(connection.shard_->io.get_executor());
      connection.response_.stream->attach([waker = connection.waker_] { waker->wake(); });
    }
    ~Attached() {
      connection.response_.stream->detach();
      connection.waker_.reset();
    }
    Connection& connection;
  };
  const Attached attached(*this);
  body_octets_ = {};
  std::string piece;
  for (bool ended = false; !ended;) {
    waker_->begin();
    piece.clear();
    const auto state = response_.stream->take(piece, stream_piece);
    if (state == BodySource::State::broken) co_return false;
    ended = state == BodySource::State::ended || shard_->draining;
    if (piece.empty() && !ended) {
      phase_ = Phase::stream;
      expired_ = false;
      deadline = coarse_now() + limits_.stream_idle_time;
      const auto start = [this](auto handler) { waker_->wait(std::move(handler)); };
      co_await await(start);
      if (!socket_.is_open()) co_return false;
      if (!expired_) continue;
      piece = response_.stream->keep_alive();
      if (piece.empty()) continue;
    }
    head_octets_.clear();
    if (http11_ && !piece.empty()) {
      char size[16];
      head_octets_.assign(size, std::to_chars(size, size + sizeof size, piece.size(), 16).ptr).append("\r\n");
    }
    head_octets_ += piece;
    if (http11_ && !piece.empty()) head_octets_ += "\r\n";
    if (http11_ && ended) head_octets_ += "0\r\n\r\n";
    bytes += head_octets_.size();
    enter(Phase::write, limits_.write_time);
    const bool written = co_await write_rest(0);
    if (!written) co_return false;
  }
  co_return true;
}

Step<bool> Connection::answer_and_close(Refusal why, bool linger) {
  shard_->counters.refused_heads.add();
  response_ = refusal(why, buffer_.unread());
  enter(Phase::write, limits_.write_time);
  std::size_t written = 0;
  bool sent = write_at_once(true, false, written);
  if (!sent) sent = co_await write_rest(written);
  if (sent) co_await close(linger);
  co_return sent;
}

Step<bool> Connection::close(bool linger) {
  error_code ignored;
  enter(Phase::linger, limits_.linger_stall_time);
  if (tls_) {
    const auto start = [this](auto handler) { tls_->async_shutdown(std::move(handler)); };
    co_await await(start);
  }
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  const auto until = coarse_now() + limits_.linger_time;
  std::uint64_t dropped = 0;
  while (linger && dropped < limits_.linger_bytes) {
    buffer_.consume(buffer_.unread().size());
    deadline = std::min<Moment>(until, coarse_now() + limits_.linger_stall_time);
    const auto room = buffer_.room(small_buffer);
    const auto start = [this, room](auto handler) { socket_.async_read_some(room, std::move(handler)); };
    const auto got = co_await await(start);
    if (got.error) break;
    dropped += got.bytes;
  }
  socket_.close(ignored);
  co_return true;
}

Step<bool> Connection::serve_requests() {
  constexpr Refusal full{503, "too_many_connections", "The server has too many connections"};
  if (tls_) {
    const bool shaken = co_await handshake();
    if (!shaken) co_return false;
  }
  const bool welcome = entry_ == Ledger::Entry::admitted ||
                       (entry_ == Ledger::Entry::server_full && shard_->release_one_idle());
  if (!welcome) co_return co_await answer_and_close(full, true);

  idle = true;
  enter(Phase::head, limits_.head_time);
  for (;;) {
    HeadScanner scanner;
    auto scanned = scanner.scan(buffer_.unread(), limits_.head);
    while (scanned == HeadScanner::State::need_more) {
      if (idle && shard_->draining && nothing_arrived()) co_return co_await close(false);
      const auto room = buffer_.room(small_buffer);
      const auto got = co_await read_some(room);
      const bool late = expired_ && !idle;
      if (got.error || late) {
        if (late) co_await answer_and_close(timed_out, false);
        co_return false;
      }
      buffer_.commit(got.bytes);
      if (idle && (served_ || deadline == Moment::max())) enter(Phase::head, limits_.head_time);
      idle = false;
      scanned = scanner.scan(buffer_.unread(), limits_.head);
    }
    if (scanned == HeadScanner::State::refused) co_return co_await answer_and_close(scanner.refusal(), true);
    const auto octets = buffer_.unread().substr(scanner.skipped(), scanner.length());
    const auto guarded = guard_head(octets, limits_.head);
    if (!guarded) co_return co_await answer_and_close(guarded.error(), true);
    if (!parse_head(octets, *guarded, request_.head)) co_return co_await answer_and_close(unparsed, true);
    http11_ = guarded->line.http11;
    buffer_.consume(scanner.skipped() + scanner.length());
    request_.peer_address = peer_;
    request_.tls = tls_.has_value();
    shard_->counters.requests.add();

    const bool head_only = request_.head.method == Method::head;
    bool body_unread = request_.head.has_body();
    bool close_after = !request_.head.keep_alive;
    bool linger = false;
    bool failed = false;
    Admission admission;
    try {
      exchange_ = shard_->application.begin();
      auto admitting = exchange_->admit(request_);
      if (admitting.ready())
        admission = std::move(admitting.value());
      else
        admission = co_await finish(std::move(admitting.task()));
    } catch (...) {
      failed = true;
    }
    bool answered = failed || admission.refusal.has_value();
    if (admission.refusal) response_ = std::move(*admission.refusal);
    if (!answered && body_unread) {
      auto end = BodyEnd::refused;
      body_refusal_ = over_limit;
      if (request_.head.content_length.value_or(0) <= admission.body_limit)
        end = co_await receive_body(admission.body_limit, request_.body, admission.sink.get());
      if (end == BodyEnd::broken) co_return false;
      if (end == BodyEnd::complete) request_.sink = std::move(admission.sink);
      admission.sink.reset();
      body_unread = false;
      answered = close_after = linger = end != BodyEnd::complete;
      if (end == BodyEnd::refused) response_ = refusal(body_refusal_);
      if (end == BodyEnd::timed_out) {
        response_ = refusal(timed_out);
        linger = false;
      }
      close_after = close_after || !request_.head.keep_alive;
    }
    if (!answered) {
      try {
        auto handling = exchange_->handle(request_);
        if (handling.ready())
          response_ = std::move(handling.value());
        else
          response_ = co_await finish(std::move(handling.task()));
      } catch (...) {
        failed = true;
      }
    }
    if (failed) {
      shard_->counters.exceptions.add();
      response_ = refusal(app_failed);
    }
    if (body_unread && !unread_body_is_small()) close_after = linger = true;
    const bool streamed = response_.stream && !head_only && has_body(response_.status);
    if (shard_->draining || (streamed && !http11_)) close_after = true;

    enter(Phase::write, limits_.write_time);
    const int status = response_.status;
    std::size_t written = 0;
    bool sent = write_at_once(close_after, head_only, written);
    if (!sent) sent = co_await write_rest(written);
    std::uint64_t bytes = answer_size();
    if (sent && streamed) sent = co_await write_stream(bytes);
    tell_finished(sent ? status : client_closed_request, bytes);
    if (!sent) co_return false;
    if (close_after) co_return co_await close(linger || !buffer_.empty());
    if (body_unread) {
      std::string dropped;
      const auto end = co_await receive_body(limits_.drain_bytes, dropped, nullptr);
      if (end != BodyEnd::complete) co_return false;
    }
    forget_request();
    served_ = true;
    await_request();
  }
}

Session Connection::run(std::unique_ptr<Connection> self) {
  Connection& connection = *self;
  connection.root_ = co_await OwnHandle{};
  try {
    co_await connection.serve_requests();
  } catch (...) {
    connection.shard_->counters.exceptions.add();
  }
}

}  // namespace

void serve(std::shared_ptr<Shard> shard, Socket socket, Ledger::Address address, Ledger::Entry entry,
           TlsContext tls) {
  Connection::run(std::make_unique<Connection>(std::move(shard), std::move(socket), std::move(address), entry,
                                               std::move(tls)));
}

}  // namespace lumina::http
