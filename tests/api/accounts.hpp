// What tests of accounts share: bodies of requests, and tokens as the API gave them.
#pragma once
#include "support/test_app.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <string>
#include <string_view>

namespace lumina::test {

inline const std::string good_password = "a quiet reading room";

inline std::string credentials(std::string_view email, std::string_view password) {
  return fmt::format(R"({{"email":"{}","password":"{}"}})", email, password);
}
inline std::string registration(std::string_view email, std::string_view password = good_password,
                                std::string_view name = "Rosa Reader") {
  return fmt::format(R"({{"email":"{}","password":"{}","full_name":"{}"}})", email, password, name);
}
inline std::string text(const boost::json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : "";
}

struct Tokens {
  std::string access, refresh;
};
inline Tokens tokens_of(const Answer& answer) {
  return {text(answer["access_token"]), text(answer["refresh_token"])};
}

inline Tokens sign_in(TestApp& app, std::string_view email, std::string_view password = good_password) {
  const auto answer = app.anybody().post("/api/v1/auth/login", credentials(email, password));
  REQUIRE(answer.status == 200);
  return tokens_of(answer);
}
inline Tokens sign_up(TestApp& app, std::string_view email) {
  REQUIRE(app.anybody().post("/api/v1/auth/register", registration(email)).status == 201);
  return sign_in(app, email);
}
inline Answer refresh(TestApp& app, const std::string& token) {
  return app.anybody().post("/api/v1/auth/refresh", fmt::format(R"({{"refresh_token":"{}"}})", token));
}
inline int status_of_me(TestApp& app, const std::string& access) {
  return Client(app, access).get("/api/v1/users/me").status;
}

}  // namespace lumina::test
