// One terminal's side of the protocol: what a line that was heard asks for, and what may have to be said
// again.
//
// A line that was changed on its way is asked for again (96). A terminal that did not understand us (97)
// hears the last answer once more, and so does one that repeats a message with its number: nothing is done
// twice. What is not of this protocol ends the conversation, at once when nothing sensible was heard before
// and otherwise the third time in a row. Used by one thread at a time.
#pragma once
#include "core/sip2/message.hpp"

#include <string>
#include <string_view>

namespace lumina::sip2 {

class Conversation {
 public:
  enum class Next : std::uint8_t { nothing, answer, say, close };
  struct Step {
    Next next = Next::nothing;
    Message request;   // to answer
    std::string line;  // to say
  };

  Step heard(std::string_view line);
  // The line to send: with error detection exactly when the request had it. Kept, for it may be asked for.
  std::string answered(Message reply);

 private:
  Step faulty();

  std::string asked_, said_;  // the last message with a number, and the last answer
  std::optional<char> number_;
  int faults_ = 0;
  bool made_sense_ = false;
};

}  // namespace lumina::sip2
