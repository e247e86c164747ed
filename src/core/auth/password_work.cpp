#include "core/auth/password_work.hpp"

#include "core/runtime/run_on.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

namespace lumina::auth {
namespace {

// Linux keeps the nice value for each thread. Where it may not be changed, hashing is as fast as everything
// else.
void step_back() {
  thread_local bool done = false;
  if (done) return;
  done = true;
  constexpr sched_param plain{};
  (void)::sched_setscheduler(0, SCHED_BATCH, &plain);
  (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 10);
}

}  // namespace

Task<Result<std::string>> PasswordWork::hash(std::string password) {
  auto work = [&] {
    step_back();
    return hasher_.hash(password);
  };
  co_return co_await runtime::run_on(pool_, std::move(work));
}

Task<Result<PasswordCheck>> PasswordWork::check(std::string password, std::optional<std::string> stored) {
  auto work = [&] {
    step_back();
    PasswordCheck found;
    found.right = stored ? hasher_.verify(password, *stored) : hasher_.verify_nobody(password);
    if (found.right && hasher_.needs_rehash(*stored)) found.stronger_hash = hasher_.hash(password);
    return found;
  };
  co_return co_await runtime::run_on(pool_, std::move(work));
}

}  // namespace lumina::auth
