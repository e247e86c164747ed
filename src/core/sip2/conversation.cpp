#include "core/sip2/conversation.hpp"

#include <utility>

namespace lumina::sip2 {
namespace {

constexpr int most_faults = 3;  // in a row

}  // namespace

Conversation::Step Conversation::faulty() {
  if (++faults_ >= most_faults) return {Next::close, {}, {}};
  return {Next::say, {}, ask_again()};
}

Conversation::Step Conversation::heard(std::string_view line) {
  if (line.empty()) return {};
  auto message = parse(line);
  if (!message) {
    if (message.error() != Fault::checksum && !made_sense_) return {Next::close, {}, {}};
    return faulty();
  }
  made_sense_ = true;
  if (message->code == "97") {
    if (said_.empty()) return faulty();
    return {Next::say, {}, said_};
  }
  faults_ = 0;
  number_ = message->sequence;
  if (number_ && !said_.empty() && line == asked_) return {Next::say, {}, said_};
  asked_ = number_ ? line : std::string_view();
  said_.clear();
  return {Next::answer, std::move(*message), {}};
}

std::string Conversation::answered(Message reply) {
  reply.sequence = number_;
  said_ = write(reply);
  return said_;
}

}  // namespace lumina::sip2
