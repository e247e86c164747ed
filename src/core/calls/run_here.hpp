// Runs a handler to its end on the calling thread, a database thread inside a unit of work: see
// core/db/joined.hpp.
#pragma once
#include "core/http/context.hpp"
#include "core/http/message.hpp"

namespace lumina::calls {

// What a handler throws is thrown. Work that the handler gives to a pool is waited for.
http::Response run_here(http::Context& context);

}  // namespace lumina::calls
