// The other end of the sandbox: what this program does when it is started as `luminalib read-document KIND`.
//
// Reads the file from standard input and writes `name: value` lines, an empty line and the pages, a form feed
// between them. With `cover` as the kind it writes the cover of an EPUB. Exit codes: 0, 3 damaged, 4 a bomb.
#pragma once

namespace lumina::extract {

constexpr const char* child_command = "read-document";
constexpr int exit_damaged = 3, exit_bomb = 4;

// Whether these are the arguments of such a start; then `code` is what main() returns.
bool serve_as_child(int argc, char** argv, int& code);

}  // namespace lumina::extract
