#include "core/http/body_source.hpp"

namespace lumina::http {

bool PushedBody::push(std::string_view bytes) {
  std::function<void()> wake;
  {
    std::lock_guard lock(mutex_);
    if (finished_ || refused_) return false;
    if (waiting_.size() + bytes.size() > most_) {
      refused_ = true;
      waiting_.clear();
    } else {
      waiting_ += bytes;
    }
    wake = wake_;
  }
  if (wake) wake();
  return wanted();
}

void PushedBody::finish() {
  std::function<void()> wake;
  {
    std::lock_guard lock(mutex_);
    finished_ = true;
    wake = wake_;
  }
  if (wake) wake();
}

bool PushedBody::wanted() const {
  std::lock_guard lock(mutex_);
  return !refused_;
}

BodySource::State PushedBody::take(std::string& out, std::size_t most) {
  std::lock_guard lock(mutex_);
  if (waiting_.size() <= most) {
    out += waiting_;
    waiting_.clear();
  } else {
    out.append(waiting_, 0, most);
    waiting_.erase(0, most);
  }
  return refused_ || (finished_ && waiting_.empty()) ? State::ended : State::open;
}

void PushedBody::attach(std::function<void()> wake) {
  std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

void PushedBody::detach() noexcept {
  std::lock_guard lock(mutex_);
  refused_ = true;
  waiting_.clear();
  wake_ = nullptr;
}

}  // namespace lumina::http
