// Kinds of files, the readers of the child, and the sandbox that it runs in.
#include "core/extract/archive.hpp"
#include "core/extract/charset.hpp"
#include "core/extract/html_text.hpp"
#include "core/extract/kind.hpp"
#include "core/extract/sandbox.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <random>
#include <unistd.h>

using namespace lumina::extract;

namespace {

struct Scratch {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("sandbox-" + std::to_string(::getpid()));
  Scratch() { std::ofstream(path) << "what is read\n"; }
  ~Scratch() { std::filesystem::remove(path); }
};

Outcome shell(const std::string& script, Limits limits = {}) {
  const Scratch input;
  return Sandbox().run({"/bin/sh", "-c", script}, input.path, limits);
}

}  // namespace

TEST_CASE("what a file is, its first bytes say", "[G3]") {
  CHECK(kind_of("%PDF-1.4\n1 0 obj\n", "a.txt") == Kind::pdf);
  CHECK_FALSE(kind_of("%PDF-1.4 and no more", "a.pdf"));
  CHECK_FALSE(kind_of("<html>%PDF-1.4 1 0 obj", "a.pdf").value_or(Kind::html) == Kind::pdf);
  CHECK_FALSE(kind_of("MZ\x90", "a.pdf"));
  CHECK_FALSE(kind_of(std::string_view("text\0more", 9), "a.txt"));
  CHECK_FALSE(kind_of("", "a.txt"));
  CHECK_FALSE(kind_of("PK\x03\x04 something", "a.docx"));
  CHECK(kind_of("  <!DOCTYPE HTML><p>x", "a") == Kind::html);
  CHECK(kind_of("words", "A.MD") == Kind::md);
  CHECK(kind_of("words", "a.txt") == Kind::txt);
  CHECK_FALSE(kind_of("words", "a.pdf"));
}

TEST_CASE("texts of other encodings become UTF-8", "[G6]") {
  CHECK(to_utf8("\xEF\xBB\xBFwas") == "was");
  CHECK(to_utf8("sch\xF6n \x80 5\r\nb\rc") == "schön € 5\nb\nc");
  CHECK(to_utf8("schön") == "schön");
  CHECK(to_utf8(std::string_view("\xFE\xFF\x04\x1F\x04\x35", 6)) == "Пе");
  CHECK(cleaned("a\xFF"
                "b\x01"
                "c") ==
        "a\xEF\xBF\xBD"
        "bc");
}

TEST_CASE("a page's text is what people read of it", "[G6]") {
  const auto page = html_to_text(
      "<html lang='fr'><head><title>A &lt; B</title><style>p{}</style></head><body><p>One&nbsp;two"
      "<!-- no --> three</p><script>if (a<b) x('</p>');</script><ul><li>x</li><li>&#8364;5</li></ul>"
      "<pre>a  b</pre> 1 < 2 &unknown; <a href=\"x>y\">link</a>");
  CHECK(page.title == "A < B");
  CHECK(page.language == "fr");
  CHECK(page.text == "One two three\n\nx\n€5\na  b\n1 < 2 &unknown; link");
}

TEST_CASE("no bytes harm the readers", "[G30]") {
  std::mt19937 random(7);
  const std::string seeds = "<p>&amp;<!--x--><a b='c'>\xC3\xA4&#x41;</a><![CDATA[x]]></p><script>PK\x03\x04";
  for (int i = 0; i < 3000; ++i) {
    std::string bytes = seeds.substr(random() % seeds.size());
    for (int k = 0; k < 6; ++k) bytes[random() % bytes.size()] = static_cast<char>(random() % 256);
    CHECK(html_to_text(bytes).text.size() <= 4 * bytes.size());
    CHECK_NOTHROW(to_utf8(bytes));
    CHECK_THROWS_AS(Archive(bytes), std::runtime_error);
  }
}

TEST_CASE("a program in the sandbox reads its input and answers", "[G30]") {
  const auto read = shell("read line; echo \"$line\"; echo oops >&2");
  CHECK(read.well());
  CHECK(read.output == "what is read\n");
  CHECK(read.errors == "oops\n");
  CHECK(shell("exit 3").code == 3);
  CHECK(Sandbox().run({"/nowhere/program"}, "/dev/null", {}).end == Outcome::End::not_started);
}

TEST_CASE("the sandbox ends what runs too long, writes too much or reaches out", "[G30]") {
  Limits limits;
  limits.deadline = std::chrono::milliseconds(300);
  CHECK(shell("while :; do :; done", limits).end == Outcome::End::too_long);
  limits = {};
  limits.output = 100'000;
  CHECK(shell("while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done", limits).end ==
        Outcome::End::too_much);
  limits = {};
  limits.processor = std::chrono::seconds(1);
  CHECK(shell("while :; do :; done", limits).end == Outcome::End::too_long);
  // No processes, no files, no signals.
  CHECK_FALSE(shell("/bin/true; /bin/true").well());
  const auto target = std::filesystem::temp_directory_path() / ("written-" + std::to_string(::getpid()));
  CHECK_FALSE(shell("echo x > " + target.string()).well());
  CHECK_FALSE(std::filesystem::exists(target));
  CHECK_FALSE(shell("kill -9 " + std::to_string(::getpid())).well());
}
