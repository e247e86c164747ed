// IP addresses and networks: who a trusted proxy is, and how an address is written in one way only.
//
// Values, cheap to copy, free of locks. An IPv4-mapped IPv6 address (::ffff:192.0.2.1) is the IPv4 address,
// so a dual-stack socket cannot slip past an IPv4 network. Source: RFC 4291, RFC 4632, RFC 5952.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace lumina {

class IpAddress {
 public:
  // "192.0.2.1", "2001:db8::1", "fe80::1%eth0" (the zone is dropped). No brackets, no port, no leading zeros.
  static std::optional<IpAddress> parse(std::string_view);

  bool is_v4() const { return v4_; }
  bool is_loopback() const;
  bool is_unspecified() const;
  // The shortest form: "192.0.2.1", "2001:db8::1".
  std::string to_string() const;
  bool operator==(const IpAddress&) const = default;

 private:
  friend class Cidr;
  std::array<std::uint8_t, 16> bytes_{};  // IPv4 in the first four
  bool v4_ = false;
};

class Cidr {
 public:
  // "10.0.0.0/8", "2001:db8::/32", or an address alone, meaning just it. Bits beyond the prefix are cleared.
  static std::optional<Cidr> parse(std::string_view);

  bool contains(const IpAddress&) const;
  std::string to_string() const;
  bool operator==(const Cidr&) const = default;

 private:
  IpAddress base_;
  unsigned prefix_ = 0;
};

// False for text that is no address.
bool any_contains(std::span<const Cidr>, std::string_view address);

}  // namespace lumina
