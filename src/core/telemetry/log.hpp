// The log: one JSON object a line (or a line of text on a terminal), to standard error or a file.
//
//   log::Sink sink({.level = LogLevel::info});           // once, in main, before threads start
//   log::info("listening", {{"address", "127.0.0.1:8000"}, {"tls", false}});
//
// Members: ts (RFC 3339 UTC with milliseconds), level, msg, then the fields; request lines carry request_id,
// method, route, status, duration_ms, user_id, client_ip and trace_id. Control characters are escaped and
// invalid UTF-8 becomes U+FFFD, so input can neither start a line nor reach a terminal. Text of a field whose
// name is sensitive (redact.hpp) is written as "***".
//
// Lines go to a buffer of the calling thread and are written by one background thread, at least every 100 ms,
// when 64 KiB are waiting, and at the end; the caller never waits for the file or a slow pipe. When a buffer
// is full its lines are dropped, counted, and the loss is reported in the log once it moves again. Lines of
// one thread keep their order. Without a Sink, lines are written at once to standard error.
//
// Everything here is thread-safe and never throws, except the constructor of Sink.
#pragma once
#include "core/config/log_settings.hpp"

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace lumina::log {

class Value {
 public:
  Value(std::string_view v) : held_(v) {}                      // NOLINT(google-explicit-constructor)
  Value(const std::string& v) : held_(std::string_view(v)) {}  // NOLINT(google-explicit-constructor)
  Value(const char* v) : held_(std::string_view(v)) {}         // NOLINT(google-explicit-constructor)
  Value(bool v) : held_(v) {}                                  // NOLINT(google-explicit-constructor)
  Value(double v) : held_(v) {}                                // NOLINT(google-explicit-constructor)
  template <std::signed_integral T>
  Value(T v) : held_(static_cast<std::int64_t>(v)) {}  // NOLINT(google-explicit-constructor)
  template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>)
  Value(T v) : held_(static_cast<std::uint64_t>(v)) {}  // NOLINT(google-explicit-constructor)

  const auto& held() const { return held_; }

 private:
  std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool> held_;
};

// Views: valid for the call only, which is all that is needed.
struct Field {
  std::string_view key;
  Value value;
};
using Fields = std::initializer_list<Field>;

inline std::atomic<LogLevel> threshold{LogLevel::info};
inline bool enabled(LogLevel level) { return level >= threshold.load(std::memory_order_relaxed); }
// Takes effect at once for every thread.
inline void set_level(LogLevel level) { threshold.store(level, std::memory_order_relaxed); }

void write(LogLevel level, std::string_view message, Fields fields = {});

inline void trace(std::string_view message, Fields fields = {}) { write(LogLevel::trace, message, fields); }
inline void debug(std::string_view message, Fields fields = {}) { write(LogLevel::debug, message, fields); }
inline void info(std::string_view message, Fields fields = {}) { write(LogLevel::info, message, fields); }
inline void warn(std::string_view message, Fields fields = {}) { write(LogLevel::warn, message, fields); }
inline void error(std::string_view message, Fields fields = {}) { write(LogLevel::error, message, fields); }

// One line for one finished request. The route is the template, never the path, so no query reaches the log.
struct AccessLine {
  std::string_view request_id;
  std::string_view method;
  std::string_view route;  // "/api/v1/books/{id}"; empty when none matched
  int status = 0;
  std::chrono::nanoseconds duration{0};
  std::int64_t user_id = 0;  // 0: nobody, written as null
  std::string_view client_ip;
  std::string_view trace_id;  // empty: written as null
};
// Level error for a status of 500 and above, else info.
void access(const AccessLine&);

// Waits until every line written before the call has been handed to the system, at most that long; false when
// not.
bool flush(std::chrono::milliseconds at_most = std::chrono::seconds(2));
// Opens the log file anew after somebody renamed it (SIGUSR1). Nothing when the log goes to standard error.
void reopen();
// Lines lost since the process started, because a buffer was full or the file could not be written.
std::uint64_t dropped_lines();

struct Options {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::automatic;
  std::string path;                  // empty: `descriptor`
  std::uint64_t max_file_bytes = 0;  // then path becomes path.1 and so on; 0: never
  int kept_files = 5;
  int descriptor = 2;                  // where to write without a path; stays open
  std::size_t buffer_bytes = 1 << 20;  // for each thread; beyond it lines are dropped
};

// Owns the background thread. One at a time. The destructor writes what is left, for at most two seconds.
class Sink {
 public:
  // Throws std::system_error when the file cannot be opened.
  explicit Sink(Options);
  ~Sink();
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

 private:
  std::unique_ptr<class Writer> writer_;
};

}  // namespace lumina::log
