#include "cli/command_line.hpp"
#include "cli/commands.hpp"
#include "core/extract/child.hpp"

#include <cstdio>
#include <exception>

int main(int argc, char** argv) {
  if (int code = 0; lumina::extract::serve_as_child(argc, argv, code)) return code;
  try {
    auto parsed = lumina::cli::parse(argc, argv);
    if (const auto* exit = std::get_if<lumina::cli::Exit>(&parsed)) {
      std::fputs(exit->output.c_str(), stdout);
      std::fputs(exit->error.c_str(), stderr);
      return exit->code;
    }
    return lumina::cli::run(std::move(std::get<lumina::cli::Invocation>(parsed)));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "luminalib: %s\n", e.what());
    return 1;
  }
}
