// How much of the server one client may take: sizes in bytes, times in milliseconds. Every field may be
// configured; the defaults are those the server promises.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace lumina::http {

struct HeadLimits {
  std::size_t head = 16 * 1024;   // request line and fields with their line ends; over it 431
  std::size_t target = 8 * 1024;  // over it 414
  std::size_t fields = 100;       // over it 431
};

struct ChunkLimits {
  std::size_t extension = 256;        // of one chunk
  std::size_t extensions = 8 * 1024;  // of all chunks of a body
  std::size_t trailers = 4 * 1024;    // the whole trailer section
};

struct Limits {
  using Time = std::chrono::milliseconds;
  HeadLimits head;
  ChunkLimits chunk;

  Time handshake_time{10'000};    // TLS, from accept
  Time head_time{10'000};         // from accept or from the first octet of the head to its end
  Time body_time{30'000};         // from the end of the head to the end of the body
  Time body_stall_time{10'000};   // between two reads of a body
  Time idle_time{60'000};         // between an answer and the first octet of the next request
  Time write_time{30'000};        // for each started MiB of an answer
  Time stream_idle_time{15'000};  // of a body that is made while it is sent: then a comment keeps it alive
  Time linger_time{5'000};  // after a refusal: what the client still sends is read and dropped this long ...
  Time linger_stall_time{2'000};           // ... unless it falls silent for this long ...
  std::uint64_t linger_bytes = 32u << 20;  // ... or sends more than this
  std::uint64_t drain_bytes =
      64 * 1024;             // an unread body of at most this is read so that the connection stays
  Time sweep_interval{100};  // how often deadlines are looked at, so how late they may be kept

  std::size_t connections = 10'000;           // of the whole server; lowered to what open files allow
  std::size_t connections_per_address = 256;  // of an IPv4 address or an IPv6 /64 network; 0: no cap
};

}  // namespace lumina::http
