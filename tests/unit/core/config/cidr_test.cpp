#include "core/config/cidr.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using lumina::any_contains;
using lumina::Cidr;
using lumina::IpAddress;

TEST_CASE("an address reads in its usual spellings and prints in the shortest", "[K30]") {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"192.0.2.1", "192.0.2.1"},
      {"0.0.0.0", "0.0.0.0"},
      {"::1", "::1"},
      {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
      {"::ffff:192.0.2.1", "192.0.2.1"},
      {"::FFFF:c000:0201", "192.0.2.1"},
      {"fe80::1%eth0", "fe80::1"},
  };
  for (const auto& [given, shown] : rows) {
    INFO(given);
    const auto address = IpAddress::parse(given);
    REQUIRE(address);
    CHECK(address->to_string() == shown);
  }
}

TEST_CASE("what is no address is refused", "[K30]") {
  const std::vector<std::string> rows{
      "",
      " ",
      "localhost",
      "1.2.3",
      "1.2.3.4.5",
      "1.2.3.256",
      "01.2.3.4",
      "1.2.3.4 ",
      "1.2.3.4:80",
      "[::1]",
      ":::",
      "1::2::3",
      "12345::1",
      "0x7f.1",
      "127.1",
      "%eth0",
      "fe80::1%",
      "1.2.3.4%eth0",
      "2130706433",
      std::string("1.2.3.4\0", 8),
      std::string(100, '1'),
  };
  for (const auto& text : rows) {
    INFO(text);
    CHECK_FALSE(IpAddress::parse(text));
  }
}

TEST_CASE("a network holds its addresses and no others", "[K30]") {
  struct Row {
    std::string network;
    std::string address;
    bool inside;
  };
  const std::vector<Row> rows{
      {"10.0.0.0/8", "10.255.0.1", true},
      {"10.0.0.0/8", "11.0.0.0", false},
      {"10.1.2.3/8", "10.9.9.9", true},
      {"192.168.1.64/26", "192.168.1.127", true},
      {"192.168.1.64/26", "192.168.1.128", false},
      {"0.0.0.0/0", "203.0.113.9", true},
      {"0.0.0.0/0", "2001:db8::1", false},
      {"::/0", "10.0.0.1", false},
      {"::/0", "2001:db8::1", true},
      {"127.0.0.1", "127.0.0.1", true},
      {"127.0.0.1", "127.0.0.2", false},
      {"127.0.0.1/32", "::ffff:127.0.0.1", true},
      {"::ffff:10.0.0.0/104", "10.1.1.1", true},
      {"::ffff:10.0.0.0/104", "11.1.1.1", false},
      {"2001:db8::/33", "2001:db8:7fff::1", true},
      {"2001:db8::/33", "2001:db8:8000::1", false},
      {"fe80::/10", "fe80::1%eth0", true},
      {"10.0.0.0/8", "not an address", false},
  };
  for (const auto& row : rows) {
    INFO(row.network << " " << row.address);
    const auto network = Cidr::parse(row.network);
    REQUIRE(network);
    CHECK(any_contains(std::vector{*network}, row.address) == row.inside);
  }
  CHECK_FALSE(any_contains({}, "127.0.0.1"));
}

TEST_CASE("a network prints without the bits it does not use and reads back", "[K30]") {
  for (const auto& [given, shown] :
       std::vector<std::pair<std::string, std::string>>{{"10.1.2.3/8", "10.0.0.0/8"},
                                                        {"2001:db8::1/32", "2001:db8::/32"},
                                                        {"::1", "::1/128"},
                                                        {"1.2.3.4/0", "0.0.0.0/0"}}) {
    const auto network = Cidr::parse(given);
    REQUIRE(network);
    CHECK(network->to_string() == shown);
    CHECK(Cidr::parse(shown) == network);
  }
}

TEST_CASE("what is no network is refused", "[K30]") {
  for (const std::string text :
       {"", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8 ", "10.0.0.0/8/8", "::/129",
        "10.0.0/8", "fe80::1%eth0/64", "10.0.0.0/0008", "::ffff:10.0.0.0/64", "a/8"}) {
    INFO(text);
    CHECK_FALSE(Cidr::parse(text));
  }
}

TEST_CASE("every prefix of every length matches exactly the addresses that share it", "[K30]") {
  const auto base = std::string("172.16.5.130");
  const std::uint32_t number = (172U << 24) | (16U << 16) | (5U << 8) | 130U;
  for (unsigned length = 0; length <= 32; ++length) {
    const auto network = Cidr::parse(base + "/" + std::to_string(length));
    REQUIRE(network);
    for (unsigned bit = 0; bit < 32; ++bit) {
      const auto other = number ^ (0x80000000U >> bit);
      const auto text = std::to_string(other >> 24) + "." + std::to_string(other >> 16 & 255) + "." +
                        std::to_string(other >> 8 & 255) + "." + std::to_string(other & 255);
      INFO(length << " " << text);
      CHECK(network->contains(*IpAddress::parse(text)) == (bit >= length));
    }
  }
}
