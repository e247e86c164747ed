// The two choices about logs that both the configuration and the log itself must name.
#pragma once
#include <cstdint>

namespace lumina {

enum class LogLevel : std::uint8_t { trace, debug, info, warn, error };
// automatic: text when the log goes to a terminal, JSON otherwise.
enum class LogFormat : std::uint8_t { automatic, json, text };

}  // namespace lumina
