// A response body that is made while it is sent: events, the tokens of a language model.
//
//   auto body = std::make_shared<PushedBody>();
//   Response response;
//   response.content_type = "text/event-stream";
//   response.stream = body;                       // the handler answers; head and what comes go out at once
//   ...  body->push("data: Hello\n\n");           // from any thread, as tokens come
//        if (!body->wanted()) stop_generating();  // the client has gone, or reads too slowly
//        body->finish();
//
// HTTP/1.1 clients get chunks, HTTP/1.0 clients a body that ends with the connection. A client that takes
// none of what is written to it within Limits::write_time is dropped. When nothing comes for
// Limits::stream_idle_time the comment of keep_alive() is sent, which is also how a client that has gone is
// noticed. The connection serves the next request after an orderly end; a server that drains ends streams at
// once, in order.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace lumina::http {

class BodySource {
 public:
  enum class State : std::uint8_t { open, ended, broken };

  virtual ~BodySource() = default;
  // Appends what there is, about `most` bytes at most. `ended`: with that the body is complete; `broken`: it
  // cannot be completed, and the connection is closed without an orderly end. On the io thread of the
  // connection; must not block.
  virtual State take(std::string& out, std::size_t most) = 0;
  // `wake` asks for a take(); it may be called from any thread, as often as one likes, also after detach().
  virtual void attach(std::function<void()> wake) = 0;
  // The connection is done with it.
  virtual void detach() noexcept = 0;
  // Sent when it is quiet for long. Empty: nothing is.
  virtual std::string_view keep_alive() const { return {}; }
};

// A bounded buffer between one producer and the connection. Thread-safe.
class PushedBody final : public BodySource {
 public:
  // `most`: bytes that may wait for a slow reader before it is given up.
  explicit PushedBody(std::size_t most = 256 * 1024, std::string keep_alive = ": ping\n\n")
      : most_(most), keep_alive_(std::move(keep_alive)) {}

  // False when nobody reads any more, or not fast enough.
  bool push(std::string_view bytes);
  void finish();
  bool wanted() const;

  State take(std::string& out, std::size_t most) override;
  void attach(std::function<void()> wake) override;
  void detach() noexcept override;
  std::string_view keep_alive() const override { return keep_alive_; }

 private:
  const std::size_t most_;
  const std::string keep_alive_;
  mutable std::mutex mutex_;
  std::string waiting_;
  std::function<void()> wake_;
  bool finished_ = false, refused_ = false;
};

}  // namespace lumina::http
