#include "core/http/pulled_body.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

namespace lumina::http {

BodySource::State PulledBody::take(std::string& out, std::size_t most) {
  if (broken_) return State::broken;
  if (piece_.empty()) {
    if (ended_) return State::ended;
    if (!fetching_) fetch();
    return State::open;
  }
  if (piece_.size() <= most) {
    out += piece_;
    piece_.clear();
  } else {
    out.append(piece_, 0, most);
    piece_.erase(0, most);
  }
  return State::open;
}

void PulledBody::fetch() {
  fetching_ = true;
  boost::asio::co_spawn(executor_, next_(),
                        [self = shared_from_this()](std::exception_ptr thrown, Result<std::string> piece) {
                          self->fetching_ = false;
                          if (thrown || !piece)
                            self->broken_ = true;
                          else if (piece->empty())
                            self->ended_ = true;
                          else
                            self->piece_ = std::move(*piece);
                          if (self->wake_) self->wake_();
                        });
}

Task<Result<Response>> pulled(std::string content_type, PulledBody::Next next, Headers headers) {
  Response response;
  response.content_type = std::move(content_type);
  response.headers = std::move(headers);
  auto executor = co_await boost::asio::this_coro::executor;
  response.stream = std::make_shared<PulledBody>(std::move(executor), std::move(next));
  co_return response;
}

}  // namespace lumina::http
