// Text, particulars and a picture of the first page of a file, taken by programs in a sandbox: poppler's
// pdfinfo, pdftotext, pdfimages and pdftoppm for PDF, this program itself (child.hpp) for everything else.
//
// Blocking; for jobs. Thread-safe. What comes back is valid UTF-8 whatever the child wrote. Errors are
// `refused` with the reason as code: encrypted, damaged, no_text, needs_ocr (scanned pages), too_large
// (bombs, floods), too_slow; and `unavailable` no_reader when the program cannot be started.
#pragma once
#include "core/base/error.hpp"
#include "core/extract/kind.hpp"
#include "core/extract/sandbox.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace lumina::extract {

struct Extracted {
  std::string title, author, language, produced;  // as the file says; empty when it does not
  std::vector<std::string> pages;
  std::optional<std::int64_t> page_count;  // of files that have pages
};
struct Picture {
  std::string media_type, bytes;
};

class Extractor {
 public:
  static constexpr std::size_t most_pages = 20'000;

  // `program`: the luminalib that is started for what poppler does not read.
  explicit Extractor(std::string program, Limits limits = {})
      : program_(std::move(program)), limits_(limits) {}

  // luminalib beside the running program, or the running program itself.
  static std::string usual_program();

  Result<Extracted> text(Kind kind, const std::filesystem::path& file) const;
  // Nothing for files that show no picture.
  std::optional<Picture> picture(Kind kind, const std::filesystem::path& file) const;

 private:
  Result<Extracted> pdf(const std::filesystem::path& file) const;
  bool has_pictures(const std::filesystem::path& file) const;

  const Sandbox sandbox_;
  const std::string program_;
  const Limits limits_;
};

}  // namespace lumina::extract
