// How every file of the project is kept. Each rule is shown an example that breaks it, and then reads the
// checkout.
#include "architecture/source_tree.hpp"

#include <catch2/catch.hpp>

namespace lumina::architecture {
namespace {

constexpr std::size_t most_lines = 750;

Findings headers_open_with_their_purpose(const Sources& headers) {
  Findings findings;
  for (const auto& file : headers)
    if (!file.text.starts_with("// "))
      findings.push_back(at(file, 1) + "does not open with a comment that says what for");
  return findings;
}

Findings headers_are_included_once(const Sources& headers) {
  Findings findings;
  for (const auto& file : headers)
    if (file.text.find("\n#pragma once\n") == std::string::npos)
      findings.push_back(at(file, 1) + "lacks #pragma once");
  return findings;
}

Findings files_are_short(const Sources& sources) {
  Findings findings;
  for (const auto& file : sources)
    if (const auto count = lines_of(file.text).size(); count > most_lines)
      findings.push_back(at(file, most_lines) + "goes on to line " + std::to_string(count));
  return findings;
}

Findings no_macros_of_our_own(const Sources& sources) {
  Findings findings;
  for (const auto& file : sources) {
    std::size_t number = 0;
    for (const auto line : lines_of(file.text)) {
      ++number;
      if (line.starts_with("#define")) findings.push_back(at(file, number) + "defines a macro");
    }
  }
  return findings;
}

Findings text_is_tidy(const Sources& sources) {
  Findings findings;
  for (const auto& file : sources) {
    if (!file.text.empty() && !file.text.ends_with('\n'))
      findings.push_back(file.path + ": no newline at the end");
    std::size_t number = 0;
    for (const auto line : lines_of(file.text)) {
      ++number;
      if (line.ends_with(' ') || line.ends_with('\t') || line.ends_with('\r'))
        findings.push_back(at(file, number) + "ends in white space");
    }
  }
  return findings;
}

Sources tree(const std::vector<std::string_view>& extensions) {
  Sources all;
  for (const auto folder : {"src", "tests", "bench", "script", "cmake", "sql", "config"})
    std::ranges::move(read_sources(folder, extensions), std::back_inserter(all));
  std::erase_if(all,
                [](const SourceFile& file) { return file.path.find("node_modules/") != std::string::npos; });
  return all;
}

void require_none(const Findings& findings) {
  INFO(joined(findings));
  REQUIRE(findings.empty());
}

TEST_CASE("every header opens by saying what it is for") {
  CHECK(headers_open_with_their_purpose({{"src/a.hpp", "#pragma once\n"}}).size() == 1);
  CHECK(headers_open_with_their_purpose({{"src/a.hpp", "// Counts.\n#pragma once\n"}}).empty());
  require_none(headers_open_with_their_purpose(tree({".hpp"})));
}

TEST_CASE("every header says #pragma once") {
  CHECK(headers_are_included_once({{"src/a.hpp", "// Counts.\n#include <string>\n"}}).size() == 1);
  CHECK(headers_are_included_once({{"src/a.hpp", "// Counts.\n#pragma once\n"}}).empty());
  require_none(headers_are_included_once(tree({".hpp"})));
}

TEST_CASE("no file is longer than a reader's patience") {
  std::string text;
  for (std::size_t i = 0; i < most_lines; ++i) text += "int x;\n";
  CHECK(files_are_short({{"src/a.cpp", text}}).empty());
  CHECK(files_are_short({{"src/a.cpp", text + "int y;\n"}}).size() == 1);
  require_none(files_are_short(tree({".hpp", ".cpp", ".sh", ".cmake", ".mjs"})));
}

TEST_CASE("the sources define no macros") {
  CHECK(no_macros_of_our_own({{"src/a.cpp", "int x;\n#define LIMIT 3\n"}}).size() == 1);
  CHECK(no_macros_of_our_own({{"src/a.cpp", "// #define is not used\n"}}).empty());
  require_none(no_macros_of_our_own(tree({".hpp", ".cpp"})));
}

TEST_CASE("text files end in a newline and carry no stray white space") {
  CHECK(text_is_tidy({{"src/a.cpp", "int x;"}}).size() == 1);
  CHECK(text_is_tidy({{"src/a.cpp", "int x; \nint y;\r\n"}}).size() == 2);
  CHECK(text_is_tidy({{"src/a.cpp", "int x;\n"}}).empty());
  require_none(text_is_tidy(tree({".hpp", ".cpp", ".sql", ".toml", ".cmake", ".mjs"})));
}

}  // namespace
}  // namespace lumina::architecture
