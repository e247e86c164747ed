#include "core/calls/run_here.hpp"

#include "core/http/route.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <optional>
#include <utility>

namespace lumina::calls {

http::Response run_here(http::Context& context) {
  auto answer = context.route->handler(context);
  if (answer.ready()) return std::move(answer.value());
  boost::asio::io_context here{1};
  std::optional<http::Response> response;
  std::exception_ptr thrown;
  boost::asio::co_spawn(here, std::move(answer.task()), [&](std::exception_ptr e, http::Response r) {
    thrown = std::move(e);
    response = std::move(r);
  });
  here.run();
  if (thrown) std::rethrow_exception(thrown);
  return *std::move(response);
}

}  // namespace lumina::calls
