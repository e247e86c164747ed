#include "core/marc/marc8.hpp"

#include <catch2/catch.hpp>

#include <string>

using lumina::marc::composed;
using lumina::marc::from_marc8;

TEST_CASE("marks of MARC-8 move behind their letter and become one with it", "[L4]") {
  // e acute, u umlaut, two marks on one letter, a mark without a letter
  CHECK(from_marc8("caf\xE2"
                   "e")
            .text == "café");
  CHECK(from_marc8("M\xE8uller").text == "Müller");
  CHECK(from_marc8("Vi\xF2\xE3"
                   "etnam")
            .text == "Việtnam");
  CHECK(from_marc8("x\xE2").text == "x\xCC\x81");
  CHECK(from_marc8("\xB2re, \xA5sop, \xB1\xF1o, \xC3 1999").text == "øre, Æsop, ł\xC7\xAB, © 1999");
  CHECK(from_marc8("\xC8 5, \xC7").text == "€ 5, ß");
}

TEST_CASE("a mark over two letters is one mark", "[L4]") {
  const auto text = from_marc8(
      "\xEBi\xEC"
      "a");
  CHECK(text.text ==
        "i\xCD\xA1"
        "a");
  CHECK(text.unknown == 0);
}

TEST_CASE("escape sequences choose Cyrillic, Greek, Hebrew and Arabic", "[L4]") {
  CHECK(from_marc8("\x1B(NtOLSTOJ\x1B(B.").text == "Толстой.");
  CHECK(from_marc8("\x1B(Nw\x1B(QF\x1B(Nna\x1B(B").text == "ВіНА");
  CHECK(from_marc8("\x1B(Sabdef\x1B(B x").text == "αβγδε x");
  CHECK(from_marc8("\x1B(2ylem\x1B(B").text == "שלום");
  CHECK(from_marc8("\x1B(3cJGH\x1B(B").text == "كتاب");
  // In the upper half, and back.
  CHECK(from_marc8("\x1B)N\xF4\x1B)!E\xE2"
                   "e")
            .text == "Тé");
  // Subscripts and superscripts.
  CHECK(from_marc8("H\x1B"
                   "b2\x1BsO, m\x1Bp2\x1Bs")
            .text == "H₂O, m²");
}

TEST_CASE("what MARC-8 has no reading for is counted, never lost in silence", "[L4]") {
  // Three bytes of EACC for each of two characters.
  const auto chinese = from_marc8("\x1B$1!0!!0\"\x1B(B!");
  CHECK(chinese.text == "\xEF\xBF\xBD\xEF\xBF\xBD!");
  CHECK(chinese.unknown == 2);
  CHECK(from_marc8("a\xC9").unknown == 1);
  CHECK(from_marc8("a\x1B").unknown == 1);
  CHECK(from_marc8("\x88The \x89King").text == "The King");
  CHECK(from_marc8("\x1B$1!").unknown == 1);
}

TEST_CASE("the sets end with the subfield", "[L4]") {
  CHECK(from_marc8("\x1B(Nt\x1F"
                   "a")
            .text ==
        "Т\x1F"
        "a");
  CHECK(composed("e\xCC\x81") == "é");
}
