#include "modules/borrows/ledger_routes.hpp"

#include "core/http/handler.hpp"
#include "core/http/resource.hpp"

namespace lumina::borrows {
namespace {

using namespace http;
using enum ErrorKind;

constexpr auto staff = Access::needs(Permission::loans_manage);
constexpr auto signed_in = Access::signed_in();

}  // namespace

std::vector<Route> ledger_routes(LedgerService& ledger) {
  std::vector<Route> routes;
  const auto add = [&](Route route) { routes.push_back(std::move(route).tagged("Fines and blocks")); };

  add(get("/api/v1/fines", "List one's own fines", signed_in, {},
          [&](Query<FineFilter> filter, Paging page, Caller by) {
            return ledger.fines(*filter, *page, std::move(by));
          })
          .explained("Staff may name another person with user_id."));
  add(post("/api/v1/fines", "Charge somebody", staff, {ErrorKind::not_found, refused},
           [&](Body<NewFine> fine, Caller by) {
             return created(ledger.charge(*fine, std::move(by)), "/api/v1/fines/");
           }));
  add(get("/api/v1/fines/{id}", "Read a fine", signed_in, {ErrorKind::not_found},
          [&](Path<FineId> id, Caller by) { return ledger.find(*id, std::move(by)); }));
  add(post("/api/v1/fines/{id}/pay", "Record a payment", staff, {ErrorKind::not_found, refused},
           [&](Path<FineId> id, OptionalBody<Payment> payment, Caller by) {
             return ledger.pay(*id, *payment, std::move(by));
           })
          .with_status(201)
          .explained(
              "Staff take the money; the server knows no payment provider. Blocks for debts end with it."));
  add(post("/api/v1/fines/{id}/waive", "Forgive a fine, or a part of it", staff,
           {ErrorKind::not_found, refused},
           [&](Path<FineId> id, Body<Waiver> waiver, Caller by) {
             return ledger.waive(*id, *waiver, std::move(by));
           })
          .with_status(201));

  add(get("/api/v1/users/me/account", "Read one's own account: what is owed and why", signed_in,
          {ErrorKind::not_found}, [&](Caller by) { return ledger.account(by.id()); }));
  add(get("/api/v1/users/{id}/account", "Read somebody's account", staff, {ErrorKind::not_found},
          [&](Path<UserId> user) { return ledger.account(*user); }));
  // Lending knows of blocks what is committed (rule_book.hpp): they are no part of a batch.
  add(get("/api/v1/users/{id}/blocks", "See what keeps somebody from borrowing", staff,
          {ErrorKind::not_found}, [&](Path<UserId> user) { return ledger.blocks(*user); }));
  add(post("/api/v1/users/{id}/blocks", "Keep somebody from borrowing", staff, {ErrorKind::not_found},
           [&](Path<UserId> user, Body<NewBlock> block, Caller by) {
             return ledger.block(*user, *block, std::move(by));
           })
          .with_status(201)
          .by_itself());
  add(del("/api/v1/users/{id}/blocks", "Lift all of staff's blocks of somebody", staff,
          {ErrorKind::not_found},
          [&](Path<UserId> user, Caller by) { return ledger.lift(*user, {}, std::move(by)); })
          .by_itself());
  add(del("/api/v1/users/{id}/blocks/{block_id}", "Lift one block", staff, {ErrorKind::not_found},
          [&](Path<UserId> user, Path<BlockId> block, Caller by) {
            return ledger.lift(*user, *block, std::move(by));
          })
          .by_itself());
  return routes;
}

}  // namespace lumina::borrows
