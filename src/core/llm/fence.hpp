// Untrusted text inside a prompt: marked as data, and unable to end its own mark.
//
//   prompt.user = "Passages:\n" + llm::fence("passage 1", text, 4000);
//
// gives
//
//   <<<passage 1 k3f9a2c41b7d05e8
//   the text
//   k3f9a2c41b7d05e8>>>
//
// The word at both ends is drawn from the text itself (SHA-256 with a secret of this process), so nobody who
// writes a review knows it, and equal prompts stay equal for the cache. Control characters, the invisible
// characters that hide or turn round text (bidirectional marks, tags, zero-width), chat-template markers
// ("<|", "[INST]", "<<SYS>>", "</s>") and runs of blank lines are taken out. Source: OWASP LLM01.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace lumina::llm {

// Cut at a character before `most_bytes`, then fenced. `label` is ours.
std::string fence(std::string_view label, std::string_view text, std::size_t most_bytes);
// What fence() takes out, without the marks.
std::string without_markers(std::string_view text);
// The sentence of a system prompt that explains the marks.
std::string_view fence_rule();

}  // namespace lumina::llm
