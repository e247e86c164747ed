#include "core/http/address_rules.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <array>

namespace lumina::http {
namespace {

using boost::asio::ip::address_v4;
using boost::asio::ip::address_v6;

struct Network {
  std::uint32_t base;
  int bits;
};
constexpr std::uint32_t v4(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}
constexpr std::array special_v4{
    Network{v4(0, 0, 0, 0), 8},
    Network{v4(10, 0, 0, 0), 8},
    Network{v4(100, 64, 0, 0), 10},
    Network{v4(127, 0, 0, 0), 8},
    Network{v4(169, 254, 0, 0), 16},
    Network{v4(172, 16, 0, 0), 12},
    Network{v4(192, 0, 0, 0), 24},
    Network{v4(192, 0, 2, 0), 24},
    Network{v4(192, 31, 196, 0), 24},
    Network{v4(192, 52, 193, 0), 24},
    Network{v4(192, 88, 99, 0), 24},
    Network{v4(192, 168, 0, 0), 16},
    Network{v4(192, 175, 48, 0), 24},
    Network{v4(198, 18, 0, 0), 15},
    Network{v4(198, 51, 100, 0), 24},
    Network{v4(203, 0, 113, 0), 24},
    Network{v4(224, 0, 0, 0), 4},
    Network{v4(240, 0, 0, 0), 4},
    // The metadata service of a cloud that keeps it in a public network.
    Network{v4(168, 63, 129, 16), 32},
};

bool is_public(const address_v4& address) {
  const auto bits = address.to_uint();
  return std::ranges::none_of(special_v4,
                              [&](const Network& n) { return (bits ^ n.base) >> (32 - n.bits) == 0; });
}

bool begins(const address_v6::bytes_type& bytes, std::initializer_list<unsigned char> prefix) {
  return std::equal(prefix.begin(), prefix.end(), bytes.begin());
}

address_v4 embedded(const address_v6::bytes_type& bytes, std::size_t at, unsigned char flip = 0) {
  address_v4::bytes_type out;
  for (std::size_t i = 0; i < 4; ++i) out[i] = static_cast<unsigned char>(bytes[at + i] ^ flip);
  return address_v4(out);
}

bool is_public(const address_v6& address) {
  const auto b = address.to_bytes();
  if (address.is_v4_mapped()) return is_public(embedded(b, 12));
  if (begins(b, {0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0})) return is_public(embedded(b, 12));  // NAT64
  if (begins(b, {0x20, 0x02})) return is_public(embedded(b, 2));                                    // 6to4
  if (begins(b, {0x20, 0x01, 0, 0}))                                                                // Teredo
    return is_public(embedded(b, 4)) && is_public(embedded(b, 12, 0xff));
  if (begins(b, {0x20, 0x01, 0x0d, 0xb8}) || begins(b, {0x3f, 0xff})) return false;  // documentation
  if (begins(b, {0x20, 0x01}) && b[2] < 2) return false;  // IETF protocol assignments
  if (b[8] == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe && !is_public(embedded(b, 12)))
    return false;                // ISATAP
  return (b[0] & 0xe0) == 0x20;  // global unicast is all that is left
}

}  // namespace

bool is_public_address(std::string_view text) {
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(text, error);
  if (error) return false;
  return address.is_v4() ? is_public(address.to_v4()) : is_public(address.to_v6());
}

}  // namespace lumina::http
