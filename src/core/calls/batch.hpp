// Up to fifty calls in one transaction: all of them happen or none does (docs/decisions/0006).
//
// The calls run one after the other on a database thread, each through its own route with its own access
// check, decoding and rules, as the person who sent the batch; what one changed the next one sees. The first
// that is answered with 400 or more ends the batch and takes everything back. Answers are read afresh, never
// from memory, and never kept there.
//
// Refused by name: routes that are by_itself() or answer secrets, uploads, and the batch itself. While a
// batch runs on SQLite no other change does, so a batch that takes longer than a second there, or three on
// PostgreSQL, is given up (503 batch_too_slow), and no more than eight are under way at once (503
// overloaded).
#pragma once
#include "core/base/task.hpp"
#include "core/calls/model.hpp"
#include "core/db/database.hpp"
#include "core/http/context.hpp"
#include "core/http/message.hpp"
#include "core/http/router.hpp"

#include <atomic>
#include <functional>
#include <utility>

namespace lumina::calls {

class Batches {
 public:
  // The router holds the route of batches too, so it is asked for when one comes.
  Batches(db::Database& database, std::function<const http::Router&()> router)
      : database_(database), router_(std::move(router)) {}

  // The answer is 200 with BatchAnswer, or a problem batch_failed with the index of the call and its own
  // problem. `outer` gives the caller and outlives the call. Any thread.
  Task<http::Response> run(Batch batch, const http::Context& outer);

 private:
  db::Database& database_;
  const std::function<const http::Router&()> router_;
  std::atomic<int> running_{0};
};

}  // namespace lumina::calls
