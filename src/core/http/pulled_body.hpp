// A response body that is fetched piece by piece as the client takes it: exports of any length in constant
// memory.
//
//   auto body = std::make_shared<PulledBody>(executor, [walk]() -> Task<Result<std::string>> { ... });
//
// The next piece is asked for once the last one has gone to the connection, so at most one is held and a slow
// client costs nothing but time. An empty piece ends the body. A piece that fails breaks the connection off,
// so that the client does not take half of an export for the whole. Everything runs on the connection's
// io_context.
#pragma once
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/http/body_source.hpp"
#include "core/http/message.hpp"

#include <functional>
#include <memory>
#include <string>

namespace lumina::http {

class PulledBody final : public BodySource, public std::enable_shared_from_this<PulledBody> {
 public:
  // Called for one piece after the other; what it captures lives as long as the body or the piece.
  using Next = std::function<Task<Result<std::string>>()>;
  PulledBody(IoExecutor executor, Next next) : executor_(std::move(executor)), next_(std::move(next)) {}

  State take(std::string& out, std::size_t most) override;
  void attach(std::function<void()> wake) override { wake_ = std::move(wake); }
  void detach() noexcept override { wake_ = nullptr; }

 private:
  void fetch();

  IoExecutor executor_;
  Next next_;
  std::function<void()> wake_;
  std::string piece_;
  bool fetching_ = false, ended_ = false, broken_ = false;
};

// A response of 200 whose body is pulled.
Task<Result<Response>> pulled(std::string content_type, PulledBody::Next next, Headers headers = {});

}  // namespace lumina::http
