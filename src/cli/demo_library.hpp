// The demo library: real public-domain books with invented people, loans and reviews, made by rule.
#pragma once
#include "app.hpp"

#include <cstdint>
#include <functional>
#include <string_view>

namespace lumina::cli {

struct DemoSize {
  std::int64_t books = 1000, users = 50;
  std::uint64_t seed = 1;
};

// Fills the library; the same sizes and seed give the same library, and what is there already is left alone.
// `say` is told of each step. Blocking, some seconds; before the server starts.
void load_demo_library(App& app, DemoSize size, const std::function<void(std::string_view)>& say);

// What to try next, for a terminal.
void print_demo_hints(const config::Config& config, std::uint16_t port);

}  // namespace lumina::cli
