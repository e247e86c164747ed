// The checkout's text as the architecture tests read it, and what they say about it.
#pragma once
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::architecture {

struct SourceFile {
  std::string path;  // from the top of the checkout: "src/core/base/error.hpp"
  std::string text;
};
using Sources = std::vector<SourceFile>;

// One sentence each, opening with the place: "src/core/base/error.hpp:12: includes ...".
using Findings = std::vector<std::string>;

inline std::string read_text(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + file.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

// Every file below `folder` whose name ends in one of the extensions, by path.
inline Sources read_sources(std::string_view folder, const std::vector<std::string_view>& extensions) {
  const std::filesystem::path top = LUMINA_SOURCE_DIR;
  Sources sources;
  if (!std::filesystem::exists(top / folder)) return sources;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(top / folder)) {
    const auto extension = entry.path().extension().string();
    if (!entry.is_regular_file() || std::ranges::find(extensions, extension) == extensions.end()) continue;
    sources.push_back({entry.path().lexically_relative(top).generic_string(), read_text(entry.path())});
  }
  std::ranges::sort(sources, {}, &SourceFile::path);
  return sources;
}

inline std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return lines;
}

struct Include {
  std::size_t line = 0;  // from 1
  std::string target;    // what stands between the quotes or angles
  bool quoted = false;
};

inline std::vector<Include> includes_of(const SourceFile& file) {
  std::vector<Include> includes;
  std::size_t number = 0;
  for (std::string_view line : lines_of(file.text)) {
    ++number;
    const auto skip_spaces = [&] {
      line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    };
    skip_spaces();
    if (!line.starts_with('#')) continue;
    line.remove_prefix(1);
    skip_spaces();
    if (!line.starts_with("include")) continue;
    line.remove_prefix(std::string_view("include").size());
    skip_spaces();
    if (line.size() < 2 || (line.front() != '"' && line.front() != '<')) continue;
    const bool quoted = line.front() == '"';
    const auto end = line.find(quoted ? '"' : '>', 1);
    if (end != std::string_view::npos)
      includes.push_back({number, std::string(line.substr(1, end - 1)), quoted});
  }
  return includes;
}

inline std::string at(const SourceFile& file, std::size_t line) {
  return file.path + ":" + std::to_string(line) + ": ";
}

// "core/http" for src/core/http/server.cpp and for core/http/server.hpp in an include line; empty for what
// stands above all areas (main, app, cli).
inline std::string area_of(std::string_view path) {
  if (path.starts_with("src/")) path.remove_prefix(4);
  if (!path.starts_with("core/") && !path.starts_with("modules/")) return {};
  const auto first = path.find('/');
  const auto second = path.find('/', first + 1);
  return second == std::string_view::npos ? std::string{} : std::string(path.substr(0, second));
}

// Every finding on a line of its own, for a test's message.
inline std::string joined(const Findings& findings) {
  std::string text;
  for (const auto& finding : findings) text += "\n  " + finding;
  return text;
}

}  // namespace lumina::architecture
