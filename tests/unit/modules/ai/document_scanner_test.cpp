// What the library makes of ClamAV's daemon, well and unwell.
#include "modules/ai/document_scanner.hpp"

#include "support/clamd_peer.hpp"

#include <catch2/catch.hpp>

using namespace lumina;
using namespace std::chrono_literals;
using test::ClamdPeer;
using Mood = ClamdPeer::Mood;
using Over = ClamdPeer::Over;

namespace {

// In two pieces, so that no scanner takes this file for one.
const std::string eicar =
    std::string("X5O!P%@AP[4\\PZX54(P^)7CC)7}$") + "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*";

std::string outcome(const std::string& socket, bool required, std::string_view bytes,
                    std::chrono::milliseconds patience = 20s) {
  const auto checked = ai::Scanner({socket, required, patience}).check(bytes);
  return checked ? "clean" : checked.error().code;
}

}  // namespace

TEST_CASE("files are shown to the virus scanner as it wants them", "[G13]") {
  const auto over = GENERATE(Over::unix_socket, Over::tcp);
  const ClamdPeer clamd(over);
  std::string large(300'000, 'x');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 31);
  CHECK(outcome(clamd.where(), true, "words") == "clean");
  CHECK(outcome(clamd.where(), true, large) == "clean");
  CHECK(outcome(clamd.where(), true, eicar) == "infected");
  CHECK(outcome(clamd.where(), false, large + eicar) == "infected");
  CHECK(clamd.fault().empty());
  CHECK(clamd.scanned() == std::vector<std::string>{"words", large, eicar, large + eicar});
}

TEST_CASE("a scanner without a verdict is what the rules say", "[G13]") {
  const auto over = GENERATE(Over::unix_socket, Over::tcp);
  const auto mood = GENERATE(Mood::hang, Mood::drip, Mood::garbage, Mood::slam, Mood::half, Mood::small);
  const ClamdPeer clamd(over, mood);
  const bool never_answers = mood == Mood::hang || mood == Mood::drip;
  const auto patience = never_answers ? 100ms : 20'000ms;
  for (const auto& bytes : {std::string("words"), std::string(3 << 20, 'x'), eicar}) {
    CHECK(outcome(clamd.where(), true, bytes, patience) == "scanner_down");
    CHECK(outcome(clamd.where(), false, bytes, patience) == "clean");
  }
}

TEST_CASE("a scanner that is not there is what the rules say", "[G13]") {
  for (const std::string where : {"/nowhere/clamd.sock", "tcp://127.0.0.1:1", "tcp://nothing",
                                  "tcp://[::1]:1", "tcp://127.0.0.1:words"}) {
    CHECK(outcome(where, true, "words") == "scanner_down");
    CHECK(outcome(where, false, "words") == "clean");
  }
  CHECK(outcome(std::string(200, '/'), true, "words") == "scanner_down");
  CHECK(outcome("", true, eicar) == "clean");
}
