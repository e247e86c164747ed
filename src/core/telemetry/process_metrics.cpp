#include "core/telemetry/process_metrics.hpp"

#include "core/telemetry/log.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <ctime>
#include <fcntl.h>
#include <limits>
#include <optional>
#include <string_view>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <system_error>
#include <unistd.h>

namespace lumina::metrics {
namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

std::string read_proc(const char* path) {
  std::string text;
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return text;
  std::array<char, 4096> piece{};
  for (;;) {
    const auto got = ::read(file, piece.data(), piece.size());
    if (got <= 0) break;
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
  ::close(file);
  return text;
}

// The word at that place, counting from zero.
std::string_view word(std::string_view text, std::size_t index) {
  for (;; --index) {
    const auto start = text.find_first_not_of(" \t\n");
    if (start == std::string_view::npos) return {};
    text.remove_prefix(start);
    const auto end = std::min(text.find_first_of(" \t\n"), text.size());
    if (index == 0) return text.substr(0, end);
    text.remove_prefix(end);
  }
}

double number(std::string_view text) {
  double value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  return fault == std::errc{} && end == text.data() + text.size() ? value : unknown;
}

// Field of /proc/self/stat, numbered as proc(5) does; the name in brackets may hold spaces.
double stat_field(std::size_t field) {
  const auto text = read_proc("/proc/self/stat");
  const auto name_end = text.rfind(')');
  return name_end == std::string::npos ? unknown
                                       : number(word(std::string_view(text).substr(name_end + 1), field - 3));
}

double per_second() { return static_cast<double>(::sysconf(_SC_CLK_TCK)); }

double memory_pages(std::size_t index) {
  return number(word(read_proc("/proc/self/statm"), index)) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

// Since 1970, in seconds. Not from btime of /proc/stat, which services with ProcSubset=pid do not see.
double boot_time() {
  timespec now{};
  timespec up{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  ::clock_gettime(CLOCK_BOOTTIME, &up);
  return static_cast<double>(now.tv_sec - up.tv_sec) + static_cast<double>(now.tv_nsec - up.tv_nsec) / 1e9;
}

double open_files() {
  std::error_code fault;
  double count = -1;  // the listing itself
  for (std::filesystem::directory_iterator at("/proc/self/fd", fault), end; !fault && at != end;
       at.increment(fault)) {
    ++count;
  }
  return fault ? unknown : count;
}

double most_files() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<double>(limit.rlim_cur) : unknown;
}

// Sum over the interfaces but loopback of a column of /proc/self/net/dev.
double network_bytes(std::size_t column) {
  const auto text = read_proc("/proc/self/net/dev");
  if (text.empty()) return unknown;
  double total = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || word(line.substr(0, colon), 0) == "lo") continue;
    if (const auto bytes = number(word(line.substr(colon + 1), column)); !std::isnan(bytes)) total += bytes;
  }
  return total;
}

using DiskFacts = struct statvfs;  // the name is also that of the function

double disk(const std::filesystem::path& folder, fsblkcnt_t DiskFacts::* blocks) {
  DiskFacts about{};
  if (::statvfs(folder.c_str(), &about) != 0) return unknown;
  return static_cast<double>(about.*blocks) * static_cast<double>(about.f_frsize);
}

}  // namespace

void register_process_metrics(Registry& registry, const ProcessFacts& facts) {
  constexpr std::size_t user_time = 14;
  constexpr std::size_t system_time = 15;
  constexpr std::size_t thread_count = 20;
  constexpr std::size_t start_time = 22;
  registry.counter("process_cpu_seconds_total", "User and system CPU time spent in seconds.", {},
                   [] { return (stat_field(user_time) + stat_field(system_time)) / per_second(); });
  registry.gauge("process_resident_memory_bytes", "Resident memory size in bytes.", {},
                 [] { return memory_pages(1); });
  registry.gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.", {},
                 [] { return memory_pages(0); });
  registry.gauge("process_open_fds", "Number of open file descriptors.", {}, open_files);
  registry.gauge("process_max_fds", "Maximum number of open file descriptors.", {}, most_files);
  registry.gauge("process_threads", "Number of threads.", {}, [] { return stat_field(thread_count); });
  registry.gauge("process_start_time_seconds", "Start time of the process since the Unix epoch in seconds.",
                 {}, [started = boot_time() + stat_field(start_time) / per_second()] { return started; });
  registry.counter("process_network_receive_bytes_total",
                   "Bytes received over the network, without loopback.", {}, [] { return network_bytes(0); });
  registry.counter("process_network_transmit_bytes_total", "Bytes sent over the network, without loopback.",
                   {}, [] { return network_bytes(8); });
  registry.gauge("luminalib_data_dir_free_bytes",
                 "Space left for the server on the disk of its data directory.", {},
                 [folder = facts.data_dir] { return disk(folder, &DiskFacts::f_bavail); });
  registry.gauge("luminalib_data_dir_size_bytes", "Size of the disk of the data directory.", {},
                 [folder = facts.data_dir] { return disk(folder, &DiskFacts::f_blocks); });
  registry.counter("luminalib_log_lines_dropped_total",
                   "Log lines lost because their target was too slow or broken.", {},
                   [] { return static_cast<double>(log::dropped_lines()); });
  registry
      .gauge("luminalib_build_info", "The program; always 1.",
             {{"version", facts.version}, {"commit", facts.commit}, {"db", facts.database}})
      .set(1);
}

}  // namespace lumina::metrics
