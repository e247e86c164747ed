#include "core/extract/extractor.hpp"

#include "core/base/text.hpp"
#include "core/extract/charset.hpp"
#include "core/extract/child.hpp"

#include <algorithm>
#include <charconv>

namespace lumina::extract {
namespace {

constexpr const char* programs = "/usr/bin/";
constexpr const char* thumbnail_pixels = "320";
constexpr std::size_t most_picture = std::size_t{4} << 20;
constexpr std::size_t longest_particular = 500;

Failure broken(std::string code, std::string detail) {
  return fail(ErrorKind::refused, std::move(code), std::move(detail));
}

// What a run that did not end well means for the file.
Failure reason(const Outcome& outcome) {
  using End = Outcome::End;
  if (outcome.end == End::not_started)
    return fail(ErrorKind::unavailable, "no_reader", "The program that reads such files cannot be started");
  if (outcome.end == End::too_long) return broken("too_slow", "Reading the file took too long");
  if (outcome.end == End::too_much || (outcome.end == End::exited && outcome.code == exit_bomb))
    return broken("too_large", "The file unpacks to more than is allowed");
  if (outcome.errors.find("ncorrect password") != std::string::npos ||
      outcome.errors.find("ncrypted") != std::string::npos)
    return broken("encrypted", "The file is protected by a password");
  return broken("damaged", "The file is damaged and cannot be read");
}

std::string particular(std::string_view value) {
  return std::string(trim(utf8_prefix(cleaned(value), longest_particular)));
}

// "name: value" lines up to an empty one; `text` is left with what follows.
template <class Take>
void take_lines(std::string_view& text, Take take) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty()) return;
    const auto colon = line.find(':');
    if (colon != std::string_view::npos) take(line.substr(0, colon), trim_ascii(line.substr(colon + 1)));
  }
}

std::vector<std::string> pages_of(std::string_view text, bool ends_each) {
  std::vector<std::string> pages;
  while (pages.size() < Extractor::most_pages) {
    const auto end = text.find('\f');
    if (end == std::string_view::npos && ends_each && text.empty()) break;
    auto page = cleaned(text.substr(0, end));
    while (!page.empty() && (page.back() == '\n' || page.back() == ' ')) page.pop_back();
    pages.push_back(std::move(page));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return pages;
}

bool has_text(const Extracted& found) {
  return !std::ranges::all_of(found.pages, [](const auto& page) { return trim(page).empty(); });
}

Result<Extracted> with_text(Extracted found) {
  if (!has_text(found)) return broken("no_text", "The file has no text");
  return found;
}

}  // namespace

std::string Extractor::usual_program() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto beside = self.parent_path() / "luminalib";
  return std::filesystem::is_regular_file(beside, error) ? beside.string() : self.string();
}

Result<Extracted> Extractor::pdf(const std::filesystem::path& file) const {
  Extracted found;
  const auto info = sandbox_.run({std::string(programs) + "pdfinfo", "-enc", "UTF-8", "-isodates", "fd://0"},
                                 file, limits_);
  if (!info.well()) return reason(info);
  std::string_view lines = info.output;
  take_lines(lines, [&](std::string_view name, std::string_view value) {
    if (name == "Title") found.title = particular(value);
    if (name == "Author") found.author = particular(value);
    if (name == "CreationDate") found.produced = particular(value);
    std::int64_t pages = 0;
    if (name == "Pages" &&
        std::from_chars(value.data(), value.data() + value.size(), pages).ec == std::errc{})
      found.page_count = pages;
  });
  const auto text =
      sandbox_.run({std::string(programs) + "pdftotext", "-enc", "UTF-8", "fd://0", "-"}, file, limits_);
  if (!text.well()) return reason(text);
  found.pages = pages_of(text.output, true);
  if (!has_text(found) && has_pictures(file))
    return broken("needs_ocr", "The pages are pictures without text; nothing here reads pictures");
  return with_text(std::move(found));
}

// Of the first pages, as a scanner makes them: two lines of headings, then one for each.
bool Extractor::has_pictures(const std::filesystem::path& file) const {
  const auto list =
      sandbox_.run({std::string(programs) + "pdfimages", "-list", "-l", "20", "fd://0"}, file, limits_);
  return list.well() && std::ranges::count(list.output, '\n') > 2;
}

Result<Extracted> Extractor::text(Kind kind, const std::filesystem::path& file) const {
  if (kind == Kind::pdf) return pdf(file);
  const auto name = std::string(kind_names.at(static_cast<std::size_t>(kind)));
  const auto outcome = sandbox_.run({program_, child_command, name}, file, limits_);
  if (!outcome.well()) return reason(outcome);
  Extracted found;
  bool paged = false;
  std::string_view rest = outcome.output;
  take_lines(rest, [&](std::string_view field, std::string_view value) {
    if (field == "title") found.title = particular(value);
    if (field == "author") found.author = particular(value);
    if (field == "language") found.language = particular(value);
    if (field == "produced") found.produced = particular(value);
    if (field == "paged") paged = value == "1";
  });
  found.pages = pages_of(rest, false);
  if (paged) found.page_count = static_cast<std::int64_t>(found.pages.size());
  return with_text(std::move(found));
}

std::optional<Picture> Extractor::picture(Kind kind, const std::filesystem::path& file) const {
  std::vector<std::string> arguments;
  if (kind == Kind::pdf)
    arguments = {std::string(programs) + "pdftoppm",
                 "-png",
                 "-f",
                 "1",
                 "-l",
                 "1",
                 "-scale-to",
                 thumbnail_pixels,
                 "-singlefile",
                 "fd://0"};
  else if (kind == Kind::epub)
    arguments = {program_, child_command, "cover"};
  else
    return {};
  auto limits = limits_;
  limits.output = most_picture;
  auto outcome = sandbox_.run(arguments, file, limits);
  if (!outcome.well()) return {};
  const std::string_view bytes = outcome.output;
  if (bytes.starts_with("\x89PNG\r\n\x1a\n")) return Picture{"image/png", std::move(outcome.output)};
  if (bytes.starts_with("\xFF\xD8\xFF")) return Picture{"image/jpeg", std::move(outcome.output)};
  return {};
}

}  // namespace lumina::extract
