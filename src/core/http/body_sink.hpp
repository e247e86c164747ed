// Where a request body goes while it arrives: large uploads that are never in memory as a whole.
//
// A row that sets Route::takes_into() makes a sink for each request that has a body, once the request was
// admitted. The connection hands the body over in pieces of about `body_piece` bytes and reads nothing more
// from the client until a piece was taken, which is the back-pressure. The handler finds the sink, which it
// made itself, in Request::sink, and Request::body empty; a request without a body has no sink. A body that
// breaks off, or is refused by the connection, is told by the sink's destructor: what was written has to go
// with it.
#pragma once
#include "core/base/task.hpp"

#include <cstddef>
#include <string>

namespace lumina::http {

constexpr std::size_t body_piece = 256 * 1024;  // bytes

class BodySink {
 public:
  BodySink() = default;
  virtual ~BodySink() = default;
  BodySink(const BodySink&) = delete;
  BodySink& operator=(const BodySink&) = delete;

  // The next bytes of the body, never empty. On the io thread of the connection; must not block, nor throw.
  // False: nothing more is wanted; the rest of the body is read and dropped, and the handler answers why.
  virtual Task<bool> take(std::string bytes) = 0;
  // SHA-256 of the body as it was sent, in hex: what an Idempotency-Key is compared with. After the last
  // piece; empty when the request has no such key.
  virtual std::string digest() const = 0;
};

}  // namespace lumina::http
