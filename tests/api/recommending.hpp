// What tests of recommendations share.
#pragma once
#include "api/accounts.hpp"
#include "support/eventually.hpp"
#include "support/test_app.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace lumina::test {

inline std::vector<std::int64_t> ids_of(const Answer& list) {
  std::vector<std::int64_t> ids;
  if (list.json.is_array())
    for (const auto& book : list.json.get_array()) ids.push_back(book.at("id").as_int64());
  return ids;
}
inline bool has(const Answer& list, std::int64_t book) {
  const auto ids = ids_of(list);
  return std::ranges::find(ids, book) != ids.end();
}

inline void borrow(TestApp& app, int patron, std::int64_t book) {
  REQUIRE(app.patron(patron).post(fmt::format("/api/v1/borrows/{}/borrow", book)).status == 201);
}
inline void give_back(TestApp& app, int patron, std::int64_t book) {
  REQUIRE(app.patron(patron).post(fmt::format("/api/v1/borrows/{}/return", book)).status == 200);
}

// Trains and waits until lists are made by the new model; gives the report.
inline Answer train(TestApp& app, const std::string& body = "") {
  auto report = app.admin().post("/api/v1/recommendations/train", body, {{"Prefer", "wait=60"}});
  CAPTURE(report.body);
  REQUIRE(report.status == 200);
  return report;
}

}  // namespace lumina::test
