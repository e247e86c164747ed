// Turns a guarded head into a Head with Beast's parser, so that two independent readers must agree on it.
#pragma once
#include "core/http/head_guard.hpp"
#include "core/http/message.hpp"

#include <string_view>

namespace lumina::http {

// Fills `head`, reusing its memory. False when Beast refuses what the guard accepted: answer 400.
bool parse_head(std::string_view bytes, const GuardedHead& guarded, Head& head);

}  // namespace lumina::http
