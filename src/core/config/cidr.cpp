#include "core/config/cidr.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>

namespace lumina {
namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool same_prefix(const std::array<std::uint8_t, 16>& a, const std::array<std::uint8_t, 16>& b,
                 unsigned bits) {
  const auto whole = bits / 8;
  if (!std::equal(a.begin(), a.begin() + whole, b.begin())) return false;
  const auto rest = bits % 8;
  return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (const auto zone = text.find('%'); zone != std::string_view::npos) {
    if (zone + 1 == text.size() || text.find(':') == std::string_view::npos) return std::nullopt;
    text = text.substr(0, zone);
  }
  if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string terminated(text);
  IpAddress address;
  if (inet_pton(AF_INET, terminated.c_str(), address.bytes_.data()) == 1) {
    address.v4_ = true;
    return address;
  }
  if (inet_pton(AF_INET6, terminated.c_str(), address.bytes_.data()) != 1) return std::nullopt;
  if (std::equal(mapped_prefix.begin(), mapped_prefix.end(), address.bytes_.begin())) {
    std::copy(address.bytes_.begin() + 12, address.bytes_.end(), address.bytes_.begin());
    std::fill(address.bytes_.begin() + 4, address.bytes_.end(), std::uint8_t{0});
    address.v4_ = true;
  }
  return address;
}

bool IpAddress::is_loopback() const {
  if (v4_) return bytes_[0] == 127;
  return bytes_[15] == 1 && std::all_of(bytes_.begin(), bytes_.end() - 1, [](auto b) { return b == 0; });
}

bool IpAddress::is_unspecified() const {
  return std::all_of(bytes_.begin(), bytes_.end(), [](auto b) { return b == 0; });
}

std::string IpAddress::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(v4_ ? AF_INET : AF_INET6, bytes_.data(), text.data(), text.size());
  return text.data();
}

std::optional<Cidr> Cidr::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto written = text.substr(0, slash);
  const auto base = IpAddress::parse(written);
  if (!base || written.find('%') != std::string_view::npos) return std::nullopt;
  Cidr network;
  network.base_ = *base;
  network.prefix_ = base->v4_ ? 32 : 128;
  if (slash != std::string_view::npos) {
    const auto digits = text.substr(slash + 1);
    unsigned bits = 0;
    const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (fault != std::errc{} || end != digits.data() + digits.size() || digits.size() > 3)
      return std::nullopt;
    if (base->v4_ && written.find(':') != std::string_view::npos) {  // ::ffff:10.0.0.0/104 is 10.0.0.0/8
      if (bits < 96) return std::nullopt;
      bits -= 96;
    }
    if (bits > network.prefix_) return std::nullopt;
    network.prefix_ = bits;
  }
  for (unsigned bit = network.prefix_; bit < 128; ++bit) {
    network.base_.bytes_[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> (bit % 8)));
  }
  return network;
}

bool Cidr::contains(const IpAddress& address) const {
  return address.v4_ == base_.v4_ && same_prefix(address.bytes_, base_.bytes_, prefix_);
}

std::string Cidr::to_string() const { return base_.to_string() + '/' + std::to_string(prefix_); }

bool any_contains(std::span<const Cidr> networks, std::string_view text) {
  if (networks.empty()) return false;
  const auto address = IpAddress::parse(text);
  return address &&
         std::any_of(networks.begin(), networks.end(), [&](const Cidr& n) { return n.contains(*address); });
}

}  // namespace lumina
