// Which addresses a request of ours may go to. Addresses that a person outside the server's own network could
// not reach are where such a request would be an attack from within: loopback, private and link-local
// networks, the metadata services of clouds, multicast, documentation, and every IPv6 form that carries an
// IPv4 address of those.
//
// Names are judged by what they resolve to, at the moment of connecting, whatever their spelling:
// "2130706433", "0x7f.1" and "0177.0.0.1" are all 127.0.0.1 to the resolver, and a name that resolves to
// another address the next time is judged anew. Source: IANA special-purpose registries for IPv4 and IPv6
// (RFC 6890), RFC 6052, RFC 3056, RFC 4380.
#pragma once
#include <string_view>

namespace lumina::http {

// An address in text form, as a resolver gives it. False for what is no address.
bool is_public_address(std::string_view address);

}  // namespace lumina::http
