// The command line as a plain struct: which command, its arguments, and the settings given as flags.
// Every command that may need the configuration takes --config and a flag for every setting; their values are
// checked here, one by one, the rules between them by config::load().
//
// Every command has --help. Wrong usage ends with code 2 and a message on standard error, help with 0; no
// command at all prints the help and ends with 2. Nothing here reads files, the environment or passwords.
#pragma once
#include "core/config/config.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace lumina::cli {

enum class Command : std::uint8_t {
  serve,
  migrate_up,
  migrate_status,
  admin_create,
  admin_reset_password,
  admin_list,
  import_file,
  import_koha,
  export_file,
  config_dump,
  config_example,
  config_check,
  openapi,
  sentiment,
  demo,
  doctor,
  verify,
  healthcheck,
  hash_password,
  version,
};

struct Invocation {
  Command command = Command::serve;
  std::string program = "luminalib";  // how it was called
  config::Inputs inputs;              // file and flags; the environment is left for the caller to fill

  std::string email;  // admin create, admin reset-password
  bool password_stdin =
      false;             // admin create, admin reset-password, hash-password: one line of standard input
  std::string file;      // import, export; "-" is standard input or output
  bool dry_run = false;  // import
  std::string patrons, items, loans, mapping;  // import koha: files; empty ones are left out
  bool invite = false;                         // import koha
  std::string text;                            // sentiment; "-" is standard input
  std::int64_t books = 1000;                   // demo
  std::int64_t users = 50;                     // demo
  std::uint64_t seed = 1;                      // demo
  bool fix = false;                            // doctor
  bool json = false;                           // version
  std::string url;                             // healthcheck; empty: /ready at the first address of http_addr
};

// What to print instead of running a command.
struct Exit {
  int code = 0;
  std::string output;  // for standard output
  std::string error;   // for standard error
};

std::variant<Invocation, Exit> parse(int argc, const char* const* argv);

}  // namespace lumina::cli
