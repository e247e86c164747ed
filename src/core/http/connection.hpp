// One client: reads a head, lets the guard and the application judge it, reads the body under the route's
// limit, writes the answer, and starts again until somebody says close.
//
// Every wait has a deadline (limits.hpp). A head that cannot be served is answered, then the connection is
// closed so that the client sees the answer: shut down for sending, what still arrives is dropped for a
// while.
#pragma once
#include "core/http/shard.hpp"
#include "core/http/tls.hpp"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <memory>

namespace lumina::http {

using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, IoExecutor>;

// Serves `socket` until it ends; on the thread of the shard, to whose io_context the socket belongs. `entry`
// is what the ledger answered for `address`; leave() is called at the end. Plain HTTP when `tls` is null.
void serve(std::shared_ptr<Shard> shard, Socket socket, Ledger::Address address, Ledger::Entry entry,
           TlsContext tls);

}  // namespace lumina::http
