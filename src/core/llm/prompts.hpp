// The wording of requests to language models: files with a version, part of the program and replaceable.
//
//   llm::PromptBook prompts(config.prompts_dir);
//   llm::Prompt prompt = prompts.make("book_summary", {{"title", fenced_title}, {"words", "200"}});
//
// A file config/prompts/NAME.md:
//
//   ---
//   version: 1
//   max_tokens: 500
//   temperature: 0.7
//   top_p: 0.9
//   ---
//   # System
//   You write for a library. {{fence_rule}}
//   # User
//   Summarise {{title}}.
//
// max_tokens, temperature and top_p may be left out. A part "# Grammar" holds GBNF. {{name}} is replaced once
// by the given value, which is never searched for names again; {{fence_rule}} is always known. The version in
// replies and cache keys is "<version>-<8 hex digits of the file's SHA-256>": changing a file changes it.
//
// Files of the folder replace those in the program by name. A folder that cannot be read, a file with a
// fault, a name that the program does not know and a placeholder that its prompt does not offer throw
// std::runtime_error with one sentence, at start; on a reload the old ones stay. Thread-safe.
#pragma once
#include "core/llm/language_model.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace lumina::llm {

struct PromptText {
  std::string version, system, user, grammar;
  int max_tokens = 500;
  double temperature = 0.7, top_p = 0.9;
};

// Throws std::runtime_error.
PromptText read_prompt(std::string_view name, std::string_view file);

using PromptValues = std::map<std::string, std::string, std::less<>>;

class PromptBook {
 public:
  // Empty: only those of the program.
  explicit PromptBook(std::filesystem::path folder = {});
  // Reads the folder again.
  void reload();

  // Throws std::logic_error for a name that is none or a value that the text wants and does not get.
  Prompt make(std::string_view name, const PromptValues& values) const;
  std::string version(std::string_view name) const;
  std::map<std::string, std::string> versions() const;

 private:
  using Texts = std::map<std::string, PromptText, std::less<>>;
  Texts read() const;
  std::shared_ptr<const Texts> now() const;

  const std::filesystem::path folder_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Texts> texts_;
};

}  // namespace lumina::llm
