#include "core/llm/prompts.hpp"

#include "core/base/text.hpp"
#include "core/llm/fence.hpp"
#include "core/security/random.hpp"
#include "prompt_files.inc"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>
#include <stdexcept>
#include <vector>

namespace lumina::llm {
namespace {

[[noreturn]] void fault(std::string_view name, std::string_view what) {
  throw std::runtime_error(fmt::format("prompt {}: {}", name, what));
}

std::string_view take_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  const auto line = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
}

template <class Number>
Number number(std::string_view name, std::string_view key, std::string_view text, Number least, Number most) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !(value >= least) || !(value <= most))
    fault(name, fmt::format("{} must be a number from {} to {}", key, least, most));
  return value;
}

// Calls `text` for what stands between placeholders and `place` for the name of each.
void walk(std::string_view whole, const std::function<void(std::string_view)>& text,
          const std::function<void(std::string_view)>& place) {
  for (;;) {
    const auto open = whole.find("{{");
    const auto close = open == std::string_view::npos ? open : whole.find("}}", open);
    if (close == std::string_view::npos) return text(whole);
    text(whole.substr(0, open));
    place(trim_ascii(whole.substr(open + 2, close - open - 2)));
    whole.remove_prefix(close + 2);
  }
}

std::set<std::string, std::less<>> places_of(const PromptText& prompt) {
  std::set<std::string, std::less<>> places;
  for (const auto* part : {&prompt.system, &prompt.user})
    walk(*part, [](std::string_view) {}, [&](std::string_view name) { places.emplace(name); });
  return places;
}

std::string filled(std::string_view prompt, std::string_view whole, const PromptValues& values) {
  std::string out;
  const auto place = [&](std::string_view name) {
    if (name == "fence_rule") {
      out += fence_rule();
    } else if (const auto found = values.find(name); found != values.end()) {
      out += found->second;
    } else {
      throw std::logic_error(fmt::format("prompt {} got no value for {}", prompt, name));
    }
  };
  walk(whole, [&](std::string_view text) { out += text; }, place);
  return out;
}

}  // namespace

PromptText read_prompt(std::string_view name, std::string_view file) {
  if (!is_valid_utf8(file) || file.contains('\0')) fault(name, "the file is no UTF-8 text");
  PromptText out;
  std::string_view rest = file;
  if (take_line(rest) != "---") fault(name, "the first line must be ---");
  std::int64_t version = 0;
  for (;;) {
    if (rest.empty()) fault(name, "the lines of settings do not end with ---");
    const auto line = take_line(rest);
    if (line == "---") break;
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) fault(name, "a setting has the form name: value");
    const auto key = trim_ascii(line.substr(0, colon)), value = trim_ascii(line.substr(colon + 1));
    if (key == "version")
      version = number<std::int64_t>(name, key, value, 1, 1'000'000);
    else if (key == "max_tokens")
      out.max_tokens = number(name, key, value, 1, 32'768);
    else if (key == "temperature")
      out.temperature = number(name, key, value, 0.0, 2.0);
    else if (key == "top_p")
      out.top_p = number(name, key, value, 0.01, 1.0);
    else
      fault(name, fmt::format("unknown setting {}", key));
  }
  if (version == 0) fault(name, "it has no version");
  std::string* part = nullptr;
  while (!rest.empty()) {
    const auto line = take_line(rest);
    if (line == "# System")
      part = &out.system;
    else if (line == "# User")
      part = &out.user;
    else if (line == "# Grammar")
      part = &out.grammar;
    else if (part != nullptr)
      part->append(line).append("\n");
    else if (!trim_ascii(line).empty())
      fault(name, "text before # System or # User");
  }
  for (auto* each : {&out.system, &out.user, &out.grammar}) *each = std::string(trim_ascii(*each));
  if (out.user.empty()) fault(name, "it has no # User");
  out.version = fmt::format("{}-{}", version, security::sha256_hex(file).substr(0, 8));
  return out;
}

PromptBook::PromptBook(std::filesystem::path folder)
    : folder_(std::move(folder)), texts_(std::make_shared<const Texts>(read())) {}

void PromptBook::reload() {
  auto fresh = std::make_shared<const Texts>(read());
  const std::scoped_lock lock(mutex_);
  texts_ = std::move(fresh);
}

PromptBook::Texts PromptBook::read() const {
  Texts texts;
  for (const auto& [name, text] : prompt_files) texts.emplace(name, read_prompt(name, text));
  if (folder_.empty()) return texts;
  std::error_code error;
  std::filesystem::directory_iterator files(folder_, error);
  if (error) throw std::runtime_error("the folder of prompts cannot be read: " + folder_.string());
  for (const auto& entry : files) {
    if (entry.path().extension() != ".md") continue;
    const std::string name = entry.path().stem().string();
    const auto known = texts.find(name);
    if (known == texts.end()) fault(name, "the program has no prompt of this name");
    std::ifstream file(entry.path(), std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!file || text.size() > 256 * 1024) fault(name, "the file cannot be read");
    PromptText fresh = read_prompt(name, text);
    const auto offered = places_of(known->second);
    for (const auto& place : places_of(fresh))
      if (place != "fence_rule" && !offered.contains(place))
        fault(name, fmt::format("there is no value called {}", place));
    known->second = std::move(fresh);
  }
  return texts;
}

std::shared_ptr<const PromptBook::Texts> PromptBook::now() const {
  const std::scoped_lock lock(mutex_);
  return texts_;
}

Prompt PromptBook::make(std::string_view name, const PromptValues& values) const {
  const auto texts = now();
  const auto found = texts->find(name);
  if (found == texts->end()) throw std::logic_error(fmt::format("there is no prompt {}", name));
  const auto& text = found->second;
  Prompt prompt;
  prompt.task = name;
  prompt.version = text.version;
  prompt.system = filled(name, text.system, values);
  prompt.user = filled(name, text.user, values);
  prompt.grammar = text.grammar;
  prompt.max_tokens = text.max_tokens;
  prompt.temperature = text.temperature;
  prompt.top_p = text.top_p;
  return prompt;
}

std::string PromptBook::version(std::string_view name) const {
  const auto texts = now();
  const auto found = texts->find(name);
  if (found == texts->end()) throw std::logic_error(fmt::format("there is no prompt {}", name));
  return found->second.version;
}

std::map<std::string, std::string> PromptBook::versions() const {
  std::map<std::string, std::string> out;
  for (const auto& [name, text] : *now()) out.emplace(name, text.version);
  return out;
}

}  // namespace lumina::llm
