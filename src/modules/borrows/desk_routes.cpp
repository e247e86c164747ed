#include "modules/borrows/desk_routes.hpp"

#include "core/http/handler.hpp"

namespace lumina::borrows {
namespace {

using namespace http;
using enum ErrorKind;

constexpr auto staff = Access::needs(Permission::loans_manage);
constexpr std::uint64_t largest_batch = 1024 * 1024;

}  // namespace

std::vector<Route> desk_routes(DeskService& desk) {
  std::vector<Route> routes;
  const auto add = [&](Route route) { routes.push_back(std::move(route).tagged("Desk")); };

  add(post("/api/v1/circulation/checkout", "Lend a copy by its barcode", staff,
           {ErrorKind::not_found, refused},
           [&](Body<Checkout> checkout, Caller by) { return desk.checkout(*checkout, by); })
          .with_status(201)
          .explained("With a reason, limits and blocks are set aside, and so is somebody else's hold, who is "
                     "then back in "
                     "line; each is audited."));
  add(post("/api/v1/circulation/checkin", "Take a copy back by its barcode", staff,
           {ErrorKind::not_found, refused},
           [&](Body<Checkin> checkin, Caller by) { return desk.checkin(*checkin, by); })
          .with_status(200)
          .explained(
              "Answers for whom to put the copy aside. A copy that was lost or missing is found by it."));
  add(get("/api/v1/circulation/patrons/{patron}/summary", "See a person's loans, holds and blocks", staff,
          {ErrorKind::not_found}, [&](Path<std::string> who) { return desk.patron(*who); })
          .explained("By id, e-mail address or card number."));
  add(post("/api/v1/circulation/offline", "Tell what was done while the server was away", staff, {},
           [&](Body<OfflineBatch> batch, Caller by) { return desk.replay(*batch, by); })
          .with_status(200)
          .accepts_up_to(largest_batch)
          .explained("Done in the order of the clients' times, each by itself. Told again, nothing is done "
                     "twice; what "
                     "cannot be is listed as a conflict."));
  return routes;
}

}  // namespace lumina::borrows
