#include "core/webhooks/routes.hpp"

#include "core/http/handler.hpp"
#include "core/http/resource.hpp"
#include "core/jobs/routes.hpp"

namespace lumina::webhooks {
namespace {

using namespace http;

constexpr auto administrator = Access::needs(Permission::system_inspect);

}  // namespace

std::vector<Route> webhook_routes(WebhookService& webhooks) {
  using enum ErrorKind;
  std::vector<Route> routes;
  const auto add = [&](Route route) { routes.push_back(std::move(route).tagged("Webhooks")); };
  add(get("/api/v1/webhooks", "List webhooks", administrator, {}, [&] { return webhooks.list(); }));
  add(post("/api/v1/webhooks", "Have events sent to an address", administrator, {refused},
           [&](Body<NewWebhook> webhook, Caller by) {
             return created(webhooks.create(*webhook, by), "/api/v1/webhooks/");
           })
          .repeats(Repeat::withheld)
          .explained("Signed as Standard Webhooks 1.0 describes. The secret is shown in this answer only. "
                     "Addresses of "
                     "private networks are refused unless the server is told otherwise."));
  add(get("/api/v1/webhooks/{id}", "Read a webhook", administrator, {ErrorKind::not_found},
          [&](Path<WebhookId> id) { return webhooks.find(*id); }));
  add(patch("/api/v1/webhooks/{id}", "Change a webhook", administrator, {ErrorKind::not_found, refused},
            [&](Path<WebhookId> id, Body<WebhookChanges> changes, Caller by) {
              return webhooks.change(*id, *changes, by);
            }));
  add(post("/api/v1/webhooks/{id}/secret", "Give a webhook another secret", administrator,
           {ErrorKind::not_found},
           [&](Path<WebhookId> id, Caller by) { return webhooks.renew_secret(*id, by); })
          .with_status(200)
          .repeats(Repeat::withheld)
          .explained("The secret is shown in this answer only; the old one signs nothing any more."));
  add(del("/api/v1/webhooks/{id}", "Delete a webhook", administrator, {ErrorKind::not_found},
          [&](Path<WebhookId> id, Caller by) { return webhooks.remove(*id, by); }));
  add(post("/api/v1/webhooks/{id}/test", "Send a test event", administrator, {ErrorKind::not_found},
           [&](Path<WebhookId> id, Caller by) { return jobs::accepted(webhooks.test(*id, by)); })
          .with_status(202)
          .by_itself()
          .documented_as<jobs::TaskAccepted>());
  add(get("/api/v1/webhooks/{id}/deliveries", "List what was sent", administrator, {ErrorKind::not_found},
          [&](Path<WebhookId> id, Paging page) { return webhooks.deliveries(*id, *page); }));
  add(post("/api/v1/webhooks/{id}/deliveries/{delivery_id}/replay", "Send a delivery again", administrator,
           {ErrorKind::not_found},
           [&](Path<WebhookId> id, Path<std::string> delivery, Caller by) {
             return jobs::accepted(webhooks.replay(*id, *delivery, by));
           })
          .with_status(202)
          .by_itself()
          .documented_as<jobs::TaskAccepted>());
  return routes;
}

}  // namespace lumina::webhooks
