// A program that reads hostile bytes, run where it can harm nobody: a child with its own process group, bound
// to the life of the thread that started it, without new privileges, with limits on processor time, memory,
// files and output, behind a system-call filter (no sockets, processes, signals to others, writing opens,
// tracing) and, where the kernel has Landlock, without sight of any file but programs, libraries and fonts.
//
// The file to read is its standard input; what it writes is taken from pipes. run() blocks for at most
// `deadline` and is for jobs. Thread-safe: the filter is made once and what happens between fork and exec
// only calls the system. Sources: seccomp(2), prctl(2), setrlimit(2), landlock(7).
#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace lumina::extract {

struct Limits {
  std::chrono::seconds processor{10};
  std::uint64_t memory = std::uint64_t{512} << 20;  // address space, in bytes
  std::size_t output = std::size_t{20} << 20;       // more ends the child
  int files = 16;
  std::chrono::milliseconds deadline{30'000};
};

struct Outcome {
  enum class End : std::uint8_t { exited, killed, too_long, too_much, not_started };
  End end = End::not_started;
  int code = -1;       // of exit, or the signal's number
  std::string output;  // at most Limits::output bytes
  std::string errors;  // the first 4 KiB of standard error
  bool well() const { return end == End::exited && code == 0; }
};

class Sandbox {
 public:
  Sandbox();
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  // `arguments` begins with the path of the program.
  Outcome run(const std::vector<std::string>& arguments, const std::filesystem::path& input,
              const Limits& limits) const;

 private:
  struct Filter;
  std::unique_ptr<Filter> filter_;
};

}  // namespace lumina::extract
