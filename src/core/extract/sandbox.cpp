#include "core/extract/sandbox.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <seccomp.h>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace lumina::extract {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr std::size_t most_errors = 4096;
constexpr int setting_up_failed = 125, program_missing = 127;

// Sanitizers map terabytes of shadow memory.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool bounds_memory = false;
#else
constexpr bool bounds_memory = true;
#endif

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  void close() {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }
  int operator*() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }

 private:
  int number_ = -1;
};

struct Pipe {
  Descriptor read, write;
  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
    read = Descriptor(ends[0]);
    write = Descriptor(ends[1]);
  }
};

// Everything that reaches beyond the process. Programs that ask get "not permitted" and may go on without.
constexpr std::array forbidden{
    SCMP_SYS(socket),
    SCMP_SYS(socketpair),
    SCMP_SYS(connect),
    SCMP_SYS(bind),
    SCMP_SYS(listen),
    SCMP_SYS(accept),
    SCMP_SYS(accept4),
    SCMP_SYS(fork),
    SCMP_SYS(vfork),
    SCMP_SYS(kill),
    SCMP_SYS(tkill),
    SCMP_SYS(tgkill),
    SCMP_SYS(rt_sigqueueinfo),
    SCMP_SYS(rt_tgsigqueueinfo),
    SCMP_SYS(pidfd_open),
    SCMP_SYS(pidfd_send_signal),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(chroot),
    SCMP_SYS(pivot_root),
    SCMP_SYS(setns),
    SCMP_SYS(unshare),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(unlink),
    SCMP_SYS(unlinkat),
    SCMP_SYS(rename),
    SCMP_SYS(renameat),
    SCMP_SYS(renameat2),
    SCMP_SYS(mkdir),
    SCMP_SYS(mkdirat),
    SCMP_SYS(rmdir),
    SCMP_SYS(link),
    SCMP_SYS(linkat),
    SCMP_SYS(symlink),
    SCMP_SYS(symlinkat),
    SCMP_SYS(mknod),
    SCMP_SYS(mknodat),
    SCMP_SYS(chmod),
    SCMP_SYS(fchmod),
    SCMP_SYS(fchmodat),
    SCMP_SYS(chown),
    SCMP_SYS(fchown),
    SCMP_SYS(fchownat),
    SCMP_SYS(lchown),
    SCMP_SYS(truncate),
    SCMP_SYS(creat),
    SCMP_SYS(setxattr),
    SCMP_SYS(utimensat),
    SCMP_SYS(setuid),
    SCMP_SYS(setgid),
    SCMP_SYS(setresuid),
    SCMP_SYS(setresgid),
    SCMP_SYS(capset),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(reboot),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(memfd_create),
    SCMP_SYS(shmget),
    SCMP_SYS(msgget),
    SCMP_SYS(mq_open),
};

// Opens that could write are refused, whatever other flags they carry.
void forbid_writing_opens(scmp_filter_ctx context, int call, unsigned argument) {
  const auto refuse = [&](scmp_datum_t mask, scmp_datum_t value) {
    const scmp_arg_cmp where{argument, SCMP_CMP_MASKED_EQ, mask, value};
    return seccomp_rule_add_array(context, SCMP_ACT_ERRNO(EACCES), call, 1, &where);
  };
  refuse(O_ACCMODE, O_WRONLY);
  refuse(O_ACCMODE, O_RDWR);
  refuse(O_CREAT, O_CREAT);
  refuse(O_TRUNC, O_TRUNC);
}

std::vector<sock_filter> make_filter() {
  auto* const context = seccomp_init(SCMP_ACT_ALLOW);
  if (context == nullptr) throw std::runtime_error("the system-call filter cannot be made");
  for (const int call : forbidden) seccomp_rule_add(context, SCMP_ACT_ERRNO(EPERM), call, 0);
  // Threads of the program itself may be; processes may not. clone3 hides its flags, so libraries are told to
  // use clone.
  constexpr scmp_datum_t clone_thread = 0x00010000;
  const scmp_arg_cmp no_thread{0, SCMP_CMP_MASKED_EQ, clone_thread, 0};
  seccomp_rule_add_array(context, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, &no_thread);
  seccomp_rule_add(context, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
  seccomp_rule_add(context, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(openat2), 0);
  forbid_writing_opens(context, SCMP_SYS(open), 1);
  forbid_writing_opens(context, SCMP_SYS(openat), 2);
  const Descriptor file(::memfd_create("filter", MFD_CLOEXEC));
  const bool written = file && seccomp_export_bpf(context, *file) == 0;
  seccomp_release(context);
  const auto size = written ? ::lseek(*file, 0, SEEK_END) : -1;
  if (size <= 0) throw std::runtime_error("the system-call filter cannot be made");
  std::vector<sock_filter> program(static_cast<std::size_t>(size) / sizeof(sock_filter));
  if (::pread(*file, program.data(), static_cast<std::size_t>(size), 0) != size)
    throw std::runtime_error("the system-call filter cannot be read");
  return program;
}

// From here to exec: in the child, where only system calls are allowed.

void limit(int what, rlim_t most) {
  const rlimit bound{most, most};
  ::setrlimit(static_cast<__rlimit_resource_t>(what), &bound);
}

void see_only_programs(const char* program) {
  landlock_ruleset_attr rules{};
  rules.handled_access_fs = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
                            LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
  const auto set = static_cast<int>(::syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0));
  if (set < 0) return;  // an older kernel, or switched off
  const auto permit = [set](const char* path, std::uint64_t access) {
    landlock_path_beneath_attr beneath{};
    beneath.allowed_access = access;
    beneath.parent_fd = ::open(path, O_PATH | O_CLOEXEC);
    if (beneath.parent_fd < 0) return;
    ::syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
    ::close(beneath.parent_fd);
  };
  constexpr auto read_and_run =
      LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
  permit(program, LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE);
  for (const char* folder : {"/usr", "/lib", "/lib64", "/opt"}) permit(folder, read_and_run);
  for (const char* folder : {"/etc/fonts", "/var/cache/fontconfig"})
    permit(folder, LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR);
  permit("/etc/ld.so.cache", LANDLOCK_ACCESS_FS_READ_FILE);
  ::syscall(SYS_landlock_restrict_self, set, 0);
  ::close(set);
}

struct Setup {
  int input = -1, output = -1, errors = -1;
  pid_t parent = 0;
  Limits limits;
  const sock_fprog* filter = nullptr;
};

[[noreturn]] void become(const Setup& setup, char* const* arguments, char* const* environment) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != setup.parent) ::_exit(setting_up_failed);
  if (::dup2(setup.input, 0) < 0 || ::dup2(setup.output, 1) < 0 || ::dup2(setup.errors, 2) < 0)
    ::_exit(setting_up_failed);
  ::close_range(3, ~0U, 0);
  for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGCHLD}) ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  limit(RLIMIT_CPU, static_cast<rlim_t>(setup.limits.processor.count()));
  if (bounds_memory) limit(RLIMIT_AS, setup.limits.memory);
  limit(RLIMIT_FSIZE, 0);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NOFILE, static_cast<rlim_t>(setup.limits.files));
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) ::_exit(setting_up_failed);
  see_only_programs(arguments[0]);
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, setup.filter) != 0) ::_exit(setting_up_failed);
  ::execve(arguments[0], arguments, environment);
  ::_exit(program_missing);
}

// Takes what both pipes give, until they close, time is up or it is too much.
Outcome::End collect(Descriptor output, Descriptor errors, const Limits& limits, Outcome& out) {
  const auto until = SteadyClock::now() + limits.deadline;
  std::vector<char> buffer(64 * 1024);
  while (output || errors) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - SteadyClock::now()).count();
    if (left <= 0) return Outcome::End::too_long;
    std::array<pollfd, 2> ready{{{*output, POLLIN, 0}, {*errors, POLLIN, 0}}};
    const int n = ::poll(ready.data(), ready.size(), static_cast<int>(std::min<long>(left, 60'000)));
    if (n < 0 && errno != EINTR) return Outcome::End::too_long;
    if (n <= 0) continue;
    if (ready[0].revents != 0) {
      const auto got = ::read(*output, buffer.data(), buffer.size());
      if (got <= 0) {
        output.close();
      } else {
        if (out.output.size() + static_cast<std::size_t>(got) > limits.output) return Outcome::End::too_much;
        out.output.append(buffer.data(), static_cast<std::size_t>(got));
      }
    }
    if (ready[1].revents != 0) {
      const auto got = ::read(*errors, buffer.data(), buffer.size());
      if (got <= 0)
        errors.close();
      else
        out.errors.append(buffer.data(),
                          std::min(static_cast<std::size_t>(got), most_errors - out.errors.size()));
    }
  }
  return Outcome::End::exited;
}

// How the child ended. One that closed its pipes and goes on has a second more.
int reaped(pid_t child, bool killed) {
  int status = 0;
  const auto until = SteadyClock::now() + std::chrono::seconds(1);
  while (true) {
    const auto waited = ::waitpid(child, &status, killed ? 0 : WNOHANG);
    if (waited == child || (waited < 0 && errno != EINTR)) return status;
    if (waited != 0) continue;
    if (SteadyClock::now() > until) {
      ::kill(-child, SIGKILL);
      killed = true;
    } else {
      ::poll(nullptr, 0, 2);
    }
  }
}

}  // namespace

struct Sandbox::Filter {
  std::vector<sock_filter> program = make_filter();
  sock_fprog whole{static_cast<unsigned short>(program.size()), program.data()};
};

Sandbox::Sandbox() : filter_(std::make_unique<Filter>()) {}
Sandbox::~Sandbox() = default;

Outcome Sandbox::run(const std::vector<std::string>& arguments, const std::filesystem::path& input,
                     const Limits& limits) const {
  Outcome out;
  const Descriptor file(::open(input.c_str(), O_RDONLY | O_CLOEXEC));
  Pipe output, errors;
  if (!file || !output.write || !errors.write) return out;
  std::vector<char*> words;
  words.reserve(arguments.size() + 1);
  for (const auto& word : arguments) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  std::array<std::string, 4> settings{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "HOME=/nonexistent",
                                      "MALLOC_ARENA_MAX=1"};
  std::vector<char*> environment;
  for (auto& setting : settings) environment.push_back(setting.data());
  environment.push_back(nullptr);
  const Setup setup{*file, *output.write, *errors.write, ::getpid(), limits, &filter_->whole};
  const pid_t child = ::fork();
  if (child < 0) return out;
  if (child == 0) become(setup, words.data(), environment.data());
  ::setpgid(child, child);  // whichever of the two comes first
  output.write.close();
  errors.write.close();
  out.end = collect(std::move(output.read), std::move(errors.read), limits, out);
  const bool kill = out.end != Outcome::End::exited;
  if (kill) ::kill(-child, SIGKILL);
  const int status = reaped(child, kill);
  if (kill) return out;
  if (WIFSIGNALED(status)) {
    out.code = WTERMSIG(status);
    // Past its processor time.
    const bool late = out.code == SIGXCPU || out.code == SIGKILL;
    out.end = late ? Outcome::End::too_long : Outcome::End::killed;
  } else {
    out.code = WEXITSTATUS(status);
    if (out.code == program_missing || out.code == setting_up_failed) out.end = Outcome::End::not_started;
  }
  return out;
}

}  // namespace lumina::extract
