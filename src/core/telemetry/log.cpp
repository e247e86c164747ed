#include "core/telemetry/log.hpp"

#include "core/telemetry/line_format.hpp"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <fcntl.h>
#include <mutex>
#include <new>
#include <poll.h>
#include <pthread.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/stat.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace lumina::log {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t wake_at_bytes = 64 << 10;
constexpr auto flush_every = std::chrono::milliseconds(100);
constexpr auto last_words = std::chrono::seconds(2);
// A pipe that polls as writable takes this much without blocking, and never mixes it with other writers'
// bytes.
constexpr std::size_t piece_bytes = 4096;

struct ThreadBuffer {
  std::mutex mutex;
  std::string pending;
  bool orphaned = false;
};

// Outlives every thread and static object, so that lines may come at any time.
struct State {
  std::mutex buffers_mutex;
  std::vector<std::shared_ptr<ThreadBuffer>> buffers;

  std::atomic<bool> running{false};
  std::atomic<bool> text{false};
  std::atomic<std::size_t> buffer_bytes{1 << 20};
  std::atomic<std::uint64_t> dropped{0};

  std::mutex wake_mutex;
  std::condition_variable wake;
  std::condition_variable flushed;
  bool woken = false;
  bool stopping = false;
  bool reopening = false;
  std::uint64_t flush_asked = 0;
  std::uint64_t flush_done = 0;

  std::mutex direct_mutex;
};

State& state() {
  static auto* const the_state = new State;
  return *the_state;
}

// Trivial, so that they can be read while the thread's other objects are destroyed.
thread_local ThreadBuffer* my_buffer = nullptr;
thread_local bool thread_is_ending = false;

struct BufferOwner {
  std::shared_ptr<ThreadBuffer> buffer = std::make_shared<ThreadBuffer>();
  BufferOwner() {
    const std::lock_guard lock(state().buffers_mutex);
    state().buffers.push_back(buffer);
  }
  BufferOwner(const BufferOwner&) = delete;
  BufferOwner& operator=(const BufferOwner&) = delete;
  ~BufferOwner() {
    thread_is_ending = true;
    my_buffer = nullptr;
    const std::lock_guard lock(buffer->mutex);
    buffer->orphaned = true;
  }
};

ThreadBuffer* buffer_of_thread() {
  if (my_buffer == nullptr && !thread_is_ending) {
    thread_local BufferOwner owner;
    my_buffer = owner.buffer.get();
  }
  return my_buffer;
}

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// A third of the cost, and up to one tick of the kernel (4 ms) behind: good enough for requests.
std::int64_t coarse_now_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

void wake_writer() {
  auto& s = state();
  {
    const std::lock_guard lock(s.wake_mutex);
    if (std::exchange(s.woken, true)) return;
  }
  s.wake.notify_one();
}

void write_directly(std::string_view line) {
  const std::lock_guard lock(state().direct_mutex);
  while (!line.empty()) {
    const auto written = ::write(STDERR_FILENO, line.data(), line.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      ++state().dropped;
      return;
    }
    line.remove_prefix(static_cast<std::size_t>(written));
  }
}

enum class Outcome { buffered, dropped, no_sink };

template <class Format>
Outcome append(ThreadBuffer& buffer, const Format& format) {
  auto& s = state();
  bool crossed = false;
  {
    const std::lock_guard lock(buffer.mutex);
    if (!s.running.load(std::memory_order_relaxed)) return Outcome::no_sink;
    const auto before = buffer.pending.size();
    const auto limit = s.buffer_bytes.load(std::memory_order_relaxed);
    if (before >= limit) return Outcome::dropped;
    try {
      format(buffer.pending);
    } catch (const std::bad_alloc&) {
      buffer.pending.resize(before);
      return Outcome::dropped;
    }
    const auto wake_at = std::min(wake_at_bytes, limit / 2);
    crossed = before < wake_at && buffer.pending.size() >= wake_at;
  }
  if (crossed) wake_writer();
  return Outcome::buffered;
}

template <class Format>
void put(const Format& format) {
  auto outcome = Outcome::no_sink;
  if (auto* const buffer = buffer_of_thread()) outcome = append(*buffer, format);
  if (outcome == Outcome::dropped) state().dropped.fetch_add(1, std::memory_order_relaxed);
  if (outcome != Outcome::no_sink) return;
  std::string line;
  format(line);
  write_directly(line);
}

int open_log(const std::string& path) {
  return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

}  // namespace

// The background thread and the file it writes to.
class Writer {
 public:
  explicit Writer(Options options) : options_(std::move(options)) {
    auto& s = state();
    {
      const std::lock_guard lock(s.wake_mutex);
      if (s.running) throw std::logic_error("a log sink exists already");
    }
    fd_ = options_.path.empty() ? options_.descriptor : open_log(options_.path);
    if (fd_ < 0)
      throw std::system_error(errno, std::generic_category(), "cannot open the log file " + options_.path);
    learn_target();
    s.text =
        options_.format == LogFormat::text || (options_.format == LogFormat::automatic && ::isatty(fd_) == 1);
    s.buffer_bytes = std::max<std::size_t>(options_.buffer_bytes, 4096);
    reported_ = s.dropped;
    set_level(options_.level);
    s.stopping = s.woken = s.reopening = false;

    // Signals are for the threads that wait for them.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    s.running = true;
  }

  ~Writer() {
    auto& s = state();
    s.running = false;
    {
      const std::lock_guard lock(s.wake_mutex);
      s.stopping = true;
      deadline_ = Steady::now() + last_words;
    }
    s.wake.notify_one();
    thread_.join();
    if (!options_.path.empty()) ::close(fd_);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

 private:
  enum class Target { file, socket, pipe };

  void learn_target() {
    struct stat about{};
    ::fstat(fd_, &about);
    target_ = S_ISREG(about.st_mode) ? Target::file : S_ISSOCK(about.st_mode) ? Target::socket : Target::pipe;
    file_bytes_ = S_ISREG(about.st_mode) ? static_cast<std::uint64_t>(about.st_size) : 0;
  }

  void run() {
    auto& s = state();
    for (;;) {
      std::unique_lock lock(s.wake_mutex);
      s.wake.wait_for(lock, flush_every,
                      [&] { return s.woken || s.stopping || s.reopening || s.flush_asked != s.flush_done; });
      const bool stop = s.stopping;
      const bool reopen = std::exchange(s.reopening, false);
      const auto asked = s.flush_asked;
      s.woken = false;
      lock.unlock();

      drain();
      if (reopen) reopen_file();
      report_drops();

      lock.lock();
      s.flush_done = asked;
      lock.unlock();
      s.flushed.notify_all();
      if (stop) return;
    }
  }

  void drain() {
    auto& s = state();
    {
      const std::lock_guard lock(s.buffers_mutex);
      draining_ = s.buffers;
    }
    bool any_orphan = false;
    for (const auto& buffer : draining_) {
      {
        const std::lock_guard lock(buffer->mutex);
        taken_.swap(buffer->pending);
        any_orphan = any_orphan || buffer->orphaned;
      }
      output(taken_);
      taken_.clear();
    }
    draining_.clear();
    if (!any_orphan) return;
    const std::lock_guard lock(s.buffers_mutex);
    std::erase_if(s.buffers, [](const std::shared_ptr<ThreadBuffer>& buffer) {
      const std::lock_guard buffer_lock(buffer->mutex);
      return buffer->orphaned && buffer->pending.empty();
    });
  }

  void report_drops() {
    const auto total = state().dropped.load(std::memory_order_relaxed);
    if (total == reported_) return;
    const auto lines = total - reported_;
    std::string line;
    const auto format = state().text ? append_text_line : append_json_line;
    format(line, now_ms(), LogLevel::warn, "log lines dropped", {{"lines", lines}, {"total", total}});
    if (output(line)) reported_ = total;
  }

  // False when some of it was lost.
  bool output(std::string_view text) {
    if (text.empty()) return true;
    rotate_if_full(text.size());
    if (torn_ && write_some("\n") == 1) torn_ = false;
    while (!text.empty()) {
      const auto written = write_some(text);
      if (written == 0) {
        const auto lost = static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
        state().dropped.fetch_add(lost, std::memory_order_relaxed);
        return false;
      }
      torn_ = text[written - 1] != '\n';
      file_bytes_ += written;
      text.remove_prefix(written);
    }
    return true;
  }

  // Bytes taken; 0 when the target is broken or stopping cannot wait for it any longer.
  std::size_t write_some(std::string_view text) {
    for (;;) {
      ssize_t written = 0;
      if (target_ == Target::file) {
        written = ::write(fd_, text.data(), text.size());
      } else if (!wait_until_writable()) {
        return 0;
      } else if (target_ == Target::socket) {
        written = ::send(fd_, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      } else {
        written = ::write(fd_, text.data(), piece_of(text));
      }
      if (written > 0) return static_cast<std::size_t>(written);
      if (written < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK)) continue;
      return 0;
    }
  }

  static std::size_t piece_of(std::string_view text) {
    if (text.size() <= piece_bytes) return text.size();
    const auto line_end = text.rfind('\n', piece_bytes - 1);
    return line_end == std::string_view::npos ? piece_bytes : line_end + 1;
  }

  bool wait_until_writable() {
    for (;;) {
      pollfd poll{fd_, POLLOUT, 0};
      const auto ready = ::poll(&poll, 1, 50);
      if (ready > 0) return (poll.revents & POLLOUT) != 0 && (poll.revents & (POLLERR | POLLNVAL)) == 0;
      if (ready < 0 && errno != EINTR) return false;
      const std::lock_guard lock(state().wake_mutex);
      if (state().stopping && Steady::now() >= deadline_) return false;
    }
  }

  void rotate_if_full(std::size_t more) {
    if (options_.path.empty() || options_.max_file_bytes == 0 || file_bytes_ == 0 ||
        target_ != Target::file || file_bytes_ + more <= options_.max_file_bytes) {
      return;
    }
    const auto name = [&](int number) { return options_.path + '.' + std::to_string(number); };
    for (int number = options_.kept_files - 1; number >= 1; --number) {
      std::rename(name(number).c_str(), name(number + 1).c_str());
    }
    if (options_.kept_files > 0) {
      std::rename(options_.path.c_str(), name(1).c_str());
    } else {
      ::unlink(options_.path.c_str());
    }
    reopen_file();
  }

  void reopen_file() {
    if (options_.path.empty()) return;
    const int fresh = open_log(options_.path);
    if (fresh < 0) {
      const auto why = std::generic_category().message(errno);
      std::string line;
      const auto format = state().text ? append_text_line : append_json_line;
      format(line, now_ms(), LogLevel::error, "cannot reopen the log file; the old one stays in use",
             {{"path", options_.path}, {"reason", why}});
      file_bytes_ = 0;  // so that rotation is not tried for every line
      output(line);
      return;
    }
    ::close(fd_);
    fd_ = fresh;
    torn_ = false;
    learn_target();
  }

  Options options_;
  int fd_ = -1;
  Target target_ = Target::pipe;
  std::uint64_t file_bytes_ = 0;
  bool torn_ = false;  // the last byte written was not the end of a line
  std::uint64_t reported_ = 0;
  std::string taken_;
  std::vector<std::shared_ptr<ThreadBuffer>> draining_;
  Steady::time_point deadline_;
  std::thread thread_;
};

void write(LogLevel level, std::string_view message, Fields fields) {
  if (!enabled(level)) return;
  const auto ms = now_ms();
  put([&](std::string& out) {
    const auto format = state().text.load(std::memory_order_relaxed) ? append_text_line : append_json_line;
    format(out, ms, level, message, fields);
  });
}

void access(const AccessLine& line) {
  if (!enabled(level_of(line))) return;
  const auto ms = coarse_now_ms();
  put([&](std::string& out) {
    const auto format =
        state().text.load(std::memory_order_relaxed) ? append_text_access : append_json_access;
    format(out, ms, line);
  });
}

bool flush(std::chrono::milliseconds at_most) {
  auto& s = state();
  if (!s.running) return true;
  std::unique_lock lock(s.wake_mutex);
  const auto mine = ++s.flush_asked;
  s.wake.notify_one();
  return s.flushed.wait_for(lock, at_most, [&] { return s.flush_done >= mine || !s.running; }) &&
         s.flush_done >= mine;
}

void reopen() {
  {
    const std::lock_guard lock(state().wake_mutex);
    state().reopening = true;
  }
  state().wake.notify_one();
}

std::uint64_t dropped_lines() { return state().dropped.load(std::memory_order_relaxed); }

Sink::Sink(Options options) : writer_(std::make_unique<Writer>(std::move(options))) {}
Sink::~Sink() = default;

}  // namespace lumina::log
