// The commands of the program, each a function from the parsed command line to an exit code: 0 fine, 1 a
// problem.
#pragma once
#include "cli/command_line.hpp"

namespace lumina::cli {

// Runs the command. Writes answers to standard output, problems to standard error.
int run(Invocation invocation);

// The parts of run() that have files of their own.
int serve(const Invocation& invocation, const config::Loaded& loaded);
int check_health(const Invocation& invocation, const config::Config& config);
int doctor(const Invocation& invocation, const config::Loaded& loaded);
int import_file(const Invocation& invocation, const config::Config& config);
int move_in_from_koha(const Invocation& invocation, const config::Config& config);
int export_file(const Invocation& invocation, const config::Config& config);
int verify(const config::Config& config);
int demo(const Invocation& invocation, const config::Config& config);
int admin(const Invocation& invocation, const config::Config& config);

// One line of standard input without its line end.
std::string read_password();

}  // namespace lumina::cli
