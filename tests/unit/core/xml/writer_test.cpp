#include "core/xml/writer.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace lumina;

namespace {

std::string escaped(std::string_view text) {
  std::string out;
  xml::escape(text, out);
  return out;
}

}  // namespace

TEST_CASE("elements nest, empty ones close themselves, empty attributes are left out") {
  std::string out;
  xml::Writer w(out);
  w.declaration();
  w.open("feed", {{"xmlns", "http://www.w3.org/2005/Atom"}, {"lang", ""}});
  w.element("title", "Tom & Jerry", {{"type", "a\"b"}});
  w.element("empty", "");
  w.some("absent", "");
  w.open("link", {{"href", "/a?b=1&c=2"}}).close();
  w.raw("<x/>");
  CHECK(w.depth() == 1);
  w.close();
  CHECK(w.depth() == 0);
  CHECK(out ==
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\"><title "
        "type=\"a&quot;b\">Tom &amp; Jerry</title><empty/><link href=\"/a?b=1&amp;c=2\"/><x/></feed>");
}

TEST_CASE("what XML cannot carry never reaches it") {
  CHECK(escaped("a<b>&\"c") == "a&lt;b&gt;&amp;&quot;c");
  CHECK(escaped(std::string_view("a\0b\x01\x1F\tc\nd", 9)) == "ab\tc\nd");
  CHECK(escaped("a\r\nb") == "a&#13;\nb");
  CHECK(escaped("\xEF\xBF\xBE\xEF\xBF\xBFx\xEF\xBF\xBD") == "x\xEF\xBF\xBD");
  CHECK(escaped("a\xFF"
                "b\xC3") ==
        "a\xEF\xBF\xBD"
        "b\xEF\xBF\xBD");
  CHECK(escaped("\xFF\xC3\xA9\xF0\x9F\x93\x9A") == "\xEF\xBF\xBD\xC3\xA9\xF0\x9F\x93\x9A");
  CHECK(escaped("]]>") == "]]&gt;");
}
