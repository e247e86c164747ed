// What runs before a change lands: every test there is, on both databases, under the sanitizers, and with a
// count of what they ran.
#include "architecture/source_tree.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <filesystem>
#include <string>

namespace lumina::architecture {
namespace {

namespace fs = std::filesystem;

std::string content_of(const fs::path& path) { return read_text(fs::path(LUMINA_SOURCE_DIR) / path); }

// Tests that no program of tests/CMakeLists.txt would take.
Findings tests_are_in_a_program(const std::vector<std::string>& tests,
                                const std::vector<std::string>& areas) {
  static constexpr std::array kinds{"tests/api/", "tests/wire/", "tests/process/", "tests/architecture/"};
  Findings findings;
  for (const auto& path : tests) {
    const auto folder = path.substr(0, path.rfind('/') + 1);
    const bool of_kind = std::ranges::find(kinds, folder) != kinds.end();
    const bool of_area = folder.starts_with("tests/unit/") &&
                         std::ranges::find(areas, folder.substr(11, folder.size() - 12)) != areas.end();
    if (!of_kind && !of_area) findings.push_back(path + " belongs to no program");
  }
  return findings;
}

TEST_CASE("every test belongs to a program", "[K24]") {
  CHECK(
      tests_are_in_a_program({"tests/unit/core/db/a_test.cpp", "tests/api/b_test.cpp"}, {"core/db"}).empty());
  CHECK(tests_are_in_a_program({"tests/unit/core/gone/a_test.cpp", "tests/more/b_test.cpp"}, {"core/db"})
            .size() == 2);
  std::vector<std::string> tests, areas;
  const fs::path root(LUMINA_SOURCE_DIR);
  for (const auto& entry : fs::recursive_directory_iterator(root / "tests"))
    if (entry.path().string().ends_with("_test.cpp"))
      tests.push_back(fs::relative(entry.path(), root).string());
  for (const auto* level : {"core", "modules"})
    for (const auto& entry : fs::directory_iterator(root / "src" / level))
      areas.push_back(level + std::string("/") + entry.path().filename().string());
  CHECK(tests.size() > 80);
  CHECK(tests_are_in_a_program(tests, areas) == Findings{});
}

TEST_CASE("what CI runs is script/test: both databases, sanitizers, and coverage that is printed", "[K24]") {
  const auto ci = content_of(".ci/run"), test = content_of("script/test"),
             presets = content_of("CMakePresets.json");
  CHECK(ci.find("script/test") != std::string::npos);
  CHECK((fs::status(fs::path(LUMINA_SOURCE_DIR) / ".ci/run").permissions() & fs::perms::owner_exec) !=
        fs::perms::none);
  CHECK(test.find("script/with-postgres ctest") != std::string::npos);
  CHECK(test.find("--no-tests=error") != std::string::npos);
  CHECK(test.find("llvm-cov-19 report") != std::string::npos);
  CHECK(content_of("script/bootstrap").find("llvm-19") != std::string::npos);
  for (const auto* preset : {"dev", "tsan", "coverage"}) {
    CAPTURE(preset);
    CHECK(test.find(preset) != std::string::npos);
    CHECK(presets.find("\"testPresets\"") != std::string::npos);
    CHECK(presets.find(std::string(R"({"name": ")") + preset + R"(", "configurePreset")") !=
          std::string::npos);
  }
}

}  // namespace
}  // namespace lumina::architecture
