// libFuzzer: any bytes as a line of a self-check machine. What is read is written back as it was.
#include "core/sip2/conversation.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace lumina::sip2;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto message = parse(text)) {
    auto line = write(*message);
    if (!line.ends_with('\r')) std::abort();
    line.pop_back();
    bool shortened = line.size() > longest_line;
    for (const auto& field : message->fields) shortened |= field.value.size() > 255;
    const auto again = parse(line);
    if (!shortened && (!again || *again != *message)) std::abort();
  }
  Conversation talk;
  std::size_t from = 0;
  while (from < text.size()) {
    const auto end = std::min(text.find('\r', from), text.size());
    const auto step = talk.heard(text.substr(from, end - from));
    if (step.next == Conversation::Next::close) break;
    if (step.next == Conversation::Next::answer) (void)talk.answered({"94", "1", {}, {}});
    from = end + 1;
  }
  return 0;
}
