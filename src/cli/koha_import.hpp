// Moving in from Koha: patrons, items and loans from CSV reports, through the same services as everything
// else.
//
// What was moved in is known again, so that a file can be run once more after its faults were repaired: a
// patron by card number, then by e-mail address; an item by barcode; a loan by its copy and the moment it was
// made. Rows that cannot be taken are told with their line and lose nobody else. Passwords are not moved:
// Koha's cannot be used elsewhere, and accounts without one are opened by a password reset. A dry run
// does all the work on a copy of the database (SQLite), so that a server that runs goes on writing, or in one
// transaction that is taken back (PostgreSQL, where it holds up nobody who changes other rows).
//
// Columns are those of Koha's tables (cardnumber, surname, date_due, ...) unless the mapping file, TOML, says
// otherwise:
//
//   [patrons]                       # our name = the column's name; likewise [items] and [loans]
//   email = "primary_email"
//   [categories]                    # Koha's code = ours, made when missing; likewise [branches],
//   [item_types] ADULT = "adult" [options] email_domain = "cards.example.org"   # patrons without an address
//   get card@this; without it they are refused time_zone = "Europe/Berlin"          # of times in the files;
//   default: the library's
#pragma once
#include "app.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::cli {

struct KohaFiles {
  std::string patrons, items, loans, mapping;  // paths; empty: left out
  bool dry_run = false;
  bool invite = false;  // mails everybody who is new a link to choose a password
};
struct KohaFault {
  std::string file;
  std::size_t line = 0;
  std::string what;
};
struct KohaCount {
  std::string what;  // "patrons", "items", "loans"
  std::int64_t rows = 0, created = 0, updated = 0, unchanged = 0, refused = 0;
};
struct KohaReport {
  std::vector<KohaCount> counts;
  std::vector<KohaFault> faults;  // the first thousand
  std::int64_t invited = 0;
};

// Blocking. The error is a file or a mapping that cannot be read, or a database that cannot be reached.
Result<KohaReport> import_koha(App& app, const KohaFiles& files);

}  // namespace lumina::cli
