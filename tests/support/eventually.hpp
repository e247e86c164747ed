// Waits for work of other threads: jobs, followers of events.
#pragma once
#include <chrono>
#include <thread>

namespace lumina::test {

// Until it holds; false when it never did, after a minute.
template <class F>
bool eventually(F holds) {
  for (int i = 0; i < 30'000; ++i) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return false;
}

}  // namespace lumina::test
