#include "core/mail/routes.hpp"

#include "core/http/handler.hpp"

namespace lumina::mail {

std::vector<http::Route> mail_routes(Mailer& mailer) {
  using namespace http;
  std::vector<Route> routes;
  routes.push_back(
      post("/api/v1/admin/email/test", "Send a test mail and tell what the mail server said",
           Access::needs(Permission::system_inspect), {ErrorKind::refused},
           [&](OptionalBody<MailTestRequest> request, Caller by) { return mailer.test(*request, by); })
          .tagged("System")
          .limited(RateClass::login)
          .by_itself()
          .explained(
              "Waits for the mail server. Its refusal is an answer, not an error: sent is false then."));
  return routes;
}

}  // namespace lumina::mail
