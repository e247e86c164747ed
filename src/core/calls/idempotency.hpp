// Idempotency-Key: a POST that is sent again has its effect once and gets its first answer again, for 24
// hours and across restarts (draft-ietf-httpapi-idempotency-key-header-07).
//
// Keys belong to the person, or to the address of a stranger, and go with the account. Kept with them: a
// keyed digest of method, target and body (HMAC-SHA-256; bodies may hold passwords; of a form its parts, for
// clients that send one again make a new boundary), status, headers, body.
// Answers of 5xx and 429 are not kept, their effects are taken back. The answer to a repetition carries
// Idempotency-Replayed: true; another request with the key is 422 idempotency_key_reused; a repetition while
// the first runs is 409 idempotency_in_progress with Retry-After.
//
// One transaction: the handler runs on a database thread, inside the unit of work that also stores its answer
// (core/db/joined.hpp). Whatever happens to the process, both are there or neither is, so there is nothing to
// clean up. PostgreSQL: an advisory lock tells other instances that the key is being served.
//
// Two transactions, for routes that are by_itself() (they hash, start tasks, send mail): the key is claimed
// before the work, and the answer stored after it. A process that dies in between, or work that fails
// half-way with 5xx, leaves a claim without answer; whether the work was done is unknown then, and a
// repetition is told so: 409 idempotency_interrupted. Only a refusal that says that nothing was begun (429,
// overloaded, storage_full) frees the key. On SQLite, and for the same process, that is known at once;
// another instance's claim counts as running for ten minutes.
//
// Answers with secrets are never stored: see http::Repeat.
#pragma once
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/calls/idempotency_repository.hpp"
#include "core/db/database.hpp"
#include "core/http/once.hpp"

#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>

namespace lumina::calls {

class Idempotency final : public http::Once {
 public:
  // `secret` keys the digests and lasts as long as the rows; `origin` names this process.
  Idempotency(db::Database& database, const Clock& clock, std::string secret, std::string origin)
      : database_(database), clock_(clock), secret_(std::move(secret)), origin_(std::move(origin)) {}

  Task<http::Response> serve(http::Context& context) override;
  // Removes what has expired.
  Task<Result<std::int64_t>> purge();

 private:
  Task<http::Response> serve_joined(http::Context& context, KeptAnswer asked);
  Task<http::Response> serve_in_steps(http::Context& context, KeptAnswer claim);
  // What to answer when this request is not the first with its key; otherwise the key is held until the end
  // of the unit of work.
  std::optional<http::Response> known(IdempotencyRepository& answers, const http::Context& context,
                                      const KeptAnswer& asked) const;
  std::string fingerprint(const http::Request& request) const;
  http::Response repeated(const http::Context& context, const KeptAnswer& first, const KeptAnswer& now) const;

  db::Database& database_;
  const Clock& clock_;
  const std::string secret_, origin_;
  std::mutex mutex_;
  std::unordered_set<std::string> running_;  // in this process
};

// What is kept of the person's requests goes with the account.
void forget_answers_of(db::Transaction& tx, UserId user);

}  // namespace lumina::calls
