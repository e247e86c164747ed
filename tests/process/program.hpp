// The real program as a child process: started on a free port, killed or stopped as a test wants.
#pragma once
#include "wire/client.hpp"

#include <chrono>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <signal.h>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace lumina::process {

// A folder of its own, gone with the object.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "lumina-process-XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class Program {
 public:
  // `luminalib serve` with the folder as data directory; returns once it says where it serves.
  explicit Program(const std::filesystem::path& folder, std::vector<std::string> more = {}) {
    std::vector<std::string> words{
        LUMINA_PROGRAM,  "serve",         "--http-addr", "127.0.0.1:0",  "--data-dir",
        folder.string(), "--bcrypt-cost", "4",           "--rate-limit", "off"};
    words.insert(words.end(), more.begin(), more.end());
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    int out[2];
    if (pipe(out) != 0) throw std::runtime_error("no pipe");
    pid_ = fork();
    if (pid_ == 0) {
      dup2(out[1], STDOUT_FILENO);
      const int log = open((folder / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
      dup2(log, STDERR_FILENO);
      close(out[0]);
      close(out[1]);
      execv(argv[0], argv.data());
      _exit(127);
    }
    close(out[1]);
    std::string said;
    char c = 0;
    while (said.find('\n') == std::string::npos && ::read(out[0], &c, 1) == 1) said += c;
    const auto colon = said.rfind(':');
    if (colon == std::string::npos) {
      kill();
      std::ifstream log(folder / "log");
      throw std::runtime_error("the program did not start: " +
                               std::string(std::istreambuf_iterator<char>(log), {}));
    }
    port_ = static_cast<std::uint16_t>(std::stoi(said.substr(colon + 1)));
    // What it says later is read and dropped, so that it never waits for us.
    drain_ = std::thread([fd = out[0]] {
      char buffer[256];
      while (::read(fd, buffer, sizeof buffer) > 0) {
      }
      close(fd);
    });
  }
  ~Program() { kill(); }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  std::uint16_t port() const { return port_; }
  void kill() { finish(SIGKILL); }
  pid_t pid() const { return pid_; }
  void signal(int number) const { ::kill(pid_, number); }
  // The exit code after SIGTERM.
  int stop() { return finish(SIGTERM); }

  wire::Answer call(const std::string& method, const std::string& target, const std::string& body = "",
                    const std::string& token = "") const {
    wire::Client client(port_);
    return call(client, method, target, body, token);
  }
  static wire::Answer call(wire::Client& client, const std::string& method, const std::string& target,
                           const std::string& body, const std::string& token) {
    std::string request = method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n";
    if (!token.empty()) request += "Authorization: Bearer " + token + "\r\n";
    if (!body.empty())
      request += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
    if (!client.send(request + "\r\n" + body)) throw std::runtime_error("the server is gone");
    return client.read();
  }

 private:
  int finish(int number) {
    if (pid_ <= 0) return -1;
    ::kill(pid_, number);
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    if (drain_.joinable()) drain_.join();
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  pid_t pid_ = -1;
  std::uint16_t port_ = 0;
  std::thread drain_;
};

}  // namespace lumina::process
