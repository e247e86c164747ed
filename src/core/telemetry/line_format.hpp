// How a log line is written; apart from where it goes, so that tests and measurements can call it alone.
#pragma once
#include "core/telemetry/log.hpp"

#include <string>
#include <string_view>

namespace lumina::log {

std::string_view to_string(LogLevel);

// Appends the content of a JSON string (no quotes): control characters, DEL and C1 escaped, invalid UTF-8
// replaced by U+FFFD, cut after 8 KiB of input.
void append_json_text(std::string& out, std::string_view text);

// Each appends one line with its '\n'. `ms` is the time since 1970 in milliseconds.
void append_json_line(std::string& out, std::int64_t ms, LogLevel, std::string_view message, Fields);
void append_text_line(std::string& out, std::int64_t ms, LogLevel, std::string_view message, Fields);
void append_json_access(std::string& out, std::int64_t ms, const AccessLine&);
void append_text_access(std::string& out, std::int64_t ms, const AccessLine&);

inline LogLevel level_of(const AccessLine& line) {
  return line.status >= 500 ? LogLevel::error : LogLevel::info;
}

}  // namespace lumina::log
