#include "core/calls/routes.hpp"

#include "core/calls/batch.hpp"
#include "core/http/handler.hpp"

#include <memory>
#include <utility>

namespace lumina::calls {

std::vector<http::Route> batch_routes(db::Database& database, std::function<const http::Router&()> router) {
  using namespace http;
  const auto signed_in = Access::signed_in();
  Route route = post("/api/v1/batch", "Several calls in one transaction", signed_in, {ErrorKind::refused},
                     [](Body<Batch>, Caller) { return Result<BatchAnswer>(BatchAnswer{}); });
  // The calls run with the request's own caller and address, which only the context has.
  auto batches = std::make_shared<Batches>(database, std::move(router));
  route.handler = [batches = std::move(batches)](Context& context) -> Eventual<Response> {
    auto batch = Extract<Body<Batch>>::from(context);
    detail::refuse_leftover_query(context);
    if (context.refusal) return problem(context, std::move(*context.refusal));
    if (!context.errors.empty()) return problem(context, invalid(std::move(context.errors)).error());
    return batches->run(std::move(batch.value), context);
  };
  std::vector<Route> routes;
  routes.push_back(std::move(route)
                       .tagged("Operations")
                       .explained("Up to 50 calls, one after the other, all or nothing: when one is answered "
                                  "with 400 or more, everything is taken "
                                  "back and the problem names it (`index`, `problem`). A call sees what "
                                  "those before it changed. Uploads, tasks, "
                                  "and what hashes passwords or answers secrets is refused here."));
  return routes;
}

}  // namespace lumina::calls
