// Up to fifty calls in one transaction: all of them happen or none does (docs/decisions/0006).
//
// The calls run one after the other on a database thread, each through its own route with its own access
// check, decoding and rules, as the person who sent the batch; what one changed the next one sees. The first
// that is answered with 400 or more ends the batch and takes everything back. Answers are read afresh, never
// from memory, and never kept there.
//
// Refused by name: routes that are by_itself() or answer secrets, uploads, and the batch itself. While a
// batch runs on SQLite no other change does, so a batch that takes longer than three seconds is given up (503
// batch_too_slow).
#pragma once
#include "core/base/task.hpp"
#include "core/calls/model.hpp"
#include "core/db/database.hpp"
#include "core/http/context.hpp"
#include "core/http/message.hpp"
#include "core/http/router.hpp"

#include <functional>

namespace lumina::calls {

// The answer is 200 with BatchAnswer, or a problem batch_failed with the index of the call and its own
// problem. `outer` gives the caller; it and the router outlive the call.
Task<http::Response> run_batch(db::Database& database, const http::Router& router, Batch batch,
                               const http::Context& outer);

}  // namespace lumina::calls
