// luminalib import, export, demo and admin: work on the library from the command line, also while a server
// runs.
#include "app.hpp"
#include "cli/commands.hpp"
#include "cli/demo_library.hpp"
#include "cli/koha_import.hpp"
#include "core/json/codec.hpp"
#include "modules/books/export_format.hpp"
#include "modules/books/importer.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <unistd.h>

namespace lumina::cli {
namespace {

std::unique_ptr<App> library(config::Config config) { return std::make_unique<App>(std::move(config)); }

int problem(const Error& error) {
  fmt::print(stderr, "luminalib: {}\n", error.detail);
  for (const auto& f : error.fields)
    fmt::print(stderr, "  {} {}\n", f.loc.empty() ? "" : f.loc.back(), f.message);
  return 1;
}

}  // namespace

int import_file(const Invocation& invocation, const config::Config& config) {
  std::ifstream file;
  if (invocation.file != "-") {
    file.open(invocation.file, std::ios::binary);
    if (!file) {
      fmt::print(stderr, "luminalib: {} cannot be read\n", invocation.file);
      return 1;
    }
  }
  std::istream& in = invocation.file == "-" ? std::cin : file;
  auto app = library(config);
  const bool terminal = isatty(STDERR_FILENO) != 0;
  const auto step = [&](std::size_t bytes) {
    if (terminal) fmt::print(stderr, "\r{:.1f} MB read", static_cast<double>(bytes) / 1e6);
    return true;
  };
  auto report = app->importer().run(in, invocation.file, {.dry_run = invocation.dry_run},
                                    Caller::system("import"), step);
  if (terminal) fmt::print(stderr, "\r                    \r");
  if (!report) return problem(report.error());
  fmt::print("{}: {} records, {} created, {} updated, {} unchanged, {} refused, {} warnings{}\n",
             report->format, report->rows, report->created, report->updated, report->unchanged,
             report->failed_count, report->warnings,
             invocation.dry_run ? " (dry run: nothing was changed)" : "");
  for (const auto& fault : report->failed)
    fmt::print(stderr, "line {}: {}\n", fault.index, fmt::join(fault.errors, "; "));
  return report->rows == 0 || report->failed_count == report->rows ? 1 : 0;
}

int move_in_from_koha(const Invocation& invocation, const config::Config& config) {
  auto app = library(config);
  const KohaFiles files{invocation.patrons, invocation.items,   invocation.loans,
                        invocation.mapping, invocation.dry_run, invocation.invite};
  const auto report = import_koha(*app, files);
  if (!report) return problem(report.error());
  std::int64_t rows = 0, lost = 0;
  for (const auto& count : report->counts) {
    fmt::print("{}: {} rows, {} created, {} updated, {} unchanged, {} refused\n", count.what, count.rows,
               count.created, count.updated, count.unchanged, count.refused);
    rows += count.rows;
    lost += count.refused;
  }
  if (report->invited > 0) fmt::print("{} invitations will be mailed by the server\n", report->invited);
  if (files.dry_run) fmt::print("dry run: nothing was changed\n");
  for (const auto& fault : report->faults)
    fmt::print(stderr, "{}, line {}: {}\n", fault.file, fault.line, fault.what);
  return rows == 0 || lost == rows ? 1 : 0;
}

int export_file(const Invocation& invocation, const config::Config& config) {
  std::ofstream file;
  if (invocation.file != "-") {
    file.open(invocation.file, std::ios::binary);
    if (!file) {
      fmt::print(stderr, "luminalib: {} cannot be written\n", invocation.file);
      return 1;
    }
  }
  std::ostream& out = invocation.file == "-" ? std::cout : file;
  auto app = library(config);
  const auto writer = books::BookWriter::make(books::export_kind_of(invocation.file));
  std::string text;
  writer->begin(text);
  BookId last{};
  std::int64_t rows = 0;
  while (true) {
    auto some = app->books().after_now(last, 250);
    if (!some) return problem(some.error());
    for (const auto& book : *some) writer->add(book, text);
    rows += static_cast<std::int64_t>(some->size());
    if (some->empty()) writer->end(text);
    out << text;
    text.clear();
    if (some->empty()) break;
    last = some->back().id;
  }
  out.flush();
  if (!out) {
    fmt::print(stderr, "luminalib: {} cannot be written to its end\n", invocation.file);
    return 1;
  }
  fmt::print(stderr, "{} books\n", rows);
  return 0;
}

int demo(const Invocation& invocation, const config::Config& config) {
  auto app = library(config);
  load_demo_library(*app, {invocation.books, invocation.users, invocation.seed},
                    [](std::string_view line) { fmt::print("{}\n", line); });
  return 0;
}

int admin(const Invocation& invocation, const config::Config& config) {
  auto app = library(config);
  if (invocation.command == Command::admin_list) {
    auto admins = app->administration().admins();
    if (!admins) return problem(admins.error());
    for (const auto& user : *admins) fmt::print("{:>6}  {}  {}\n", user.id.value, user.email, user.full_name);
    return 0;
  }
  if (!invocation.password_stdin) {
    fmt::print(stderr, "luminalib: give the password with --password-stdin\n");
    return 2;
  }
  const auto password = read_password();
  if (invocation.command == Command::admin_create) {
    auto made = app->administration().create_admin(invocation.email, password);
    if (!made) return problem(made.error());
    fmt::print("{} is an administrator\n", made->email);
    return 0;
  }
  auto done = app->administration().reset_password(invocation.email, password);
  if (!done) return problem(done.error());
  fmt::print("the password of {} is changed; every session has ended\n", invocation.email);
  return 0;
}

}  // namespace lumina::cli
