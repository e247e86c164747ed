// How long a client would wait for what takes time: Prefer: wait=30 (RFC 7240). Any thread.
#pragma once
#include "core/http/extract.hpp"

#include <chrono>
#include <optional>

namespace lumina::http {

// Seconds of "wait=" in Prefer, kept in 1..60; nothing without it.
std::optional<std::chrono::seconds> preferred_wait(const RawRequest& request);

}  // namespace lumina::http
