#include "modules/borrows/copy_model.hpp"

#include "modules/books/model.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <set>

namespace lumina::borrows {
namespace {

using enum CopyStatus;

TEST_CASE("what may become of a copy, by the hand of staff", "[B25]") {
  const std::vector<CopyStatus> stored_states{available,        on_hold,   lost,    damaged,
                                              claimed_returned, in_repair, missing, withdrawn};
  const std::vector<CopyStatus> wishes{available, lost,    damaged,  claimed_returned,
                                       in_repair, missing, withdrawn};
  // A letter for each wish: a allowed, = unchanged, l while on loan, h while on hold, . impossible.
  const std::map<CopyStatus, std::pair<std::string, std::string>> expected{
      {available, {"=aa.aaa", "=alalll"}},
      {on_hold, {"haa.aah", "aalalll"}},
      {lost, {"a=a.aaa", "a=lalll"}},
      {damaged, {"aa=.aaa", "aa=alll"}},
      {claimed_returned, {"aaa=aaa", "aal=lll"}},
      {in_repair, {"aaa.=aa", "aala=ll"}},
      {missing, {"aaa.a=a", "aalal=l"}},
      {withdrawn, {"a.....=", "aalall="}}};
  const std::string letters = "a=lh.";
  for (const auto stored : stored_states)
    for (const bool lent : {false, true}) {
      std::string row;
      for (const auto wish : wishes) row += letters[static_cast<std::size_t>(copy_move(stored, lent, wish))];
      CAPTURE(copy_status_names[static_cast<std::size_t>(stored)], lent);
      CHECK(row == (lent ? expected.at(stored).second : expected.at(stored).first));
      CHECK(copy_move(stored, lent, on_loan) == CopyMove::impossible);
      CHECK(copy_move(stored, lent, on_hold) == CopyMove::impossible);
    }
}

TEST_CASE("names of statuses are read back", "[B25]") {
  for (std::size_t i = 0; i < copy_status_names.size(); ++i)
    CHECK(copy_status_named(copy_status_names[i]) == static_cast<CopyStatus>(i));
  CHECK(!copy_status_named("burnt"));
}

TEST_CASE("a barcode that is made is unique and notices a wrong digit", "[B23]") {
  CHECK(books::generated_barcode(BookId{285}, 1) == "L000002850014");
  std::set<std::string> seen;
  for (int book = 1; book <= 200; ++book)
    for (int n = 1; n <= 20; ++n) seen.insert(books::generated_barcode(BookId{book}, n));
  CHECK(seen.size() == 4000);
  const auto right = [](const std::string& code) {
    int sum = 0;
    bool twice = false;
    for (auto c = code.rbegin(); c != code.rend() - 1; ++c, twice = !twice) {
      const int v = (*c - '0') * (twice ? 2 : 1);
      sum += v > 9 ? v - 9 : v;
    }
    return sum % 10 == 0;
  };
  for (const auto& code : seen) {
    CHECK(right(code));
    auto wrong = code;
    wrong[5] = static_cast<char>('0' + (wrong[5] - '0' + 1) % 10);
    CHECK(!right(wrong));
  }
}

}  // namespace
}  // namespace lumina::borrows
