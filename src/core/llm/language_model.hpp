// What writes text: a model in this process, a server that speaks for one, a chain of both, or nobody.
//
//   llm::Prompt prompt{.task = "book_summary", .version = "1", .system = rules, .user = fenced};
//   auto written = co_await model.generate(std::move(prompt), on_token);
//   if (!written) ...the next tier: every feature has a method that needs no model
//
// Errors of generate(), all of them reasons to take the next tier:
//   unavailable  "llm_not_configured" no provider is set up; "llm_busy" the queue is full; "llm_timeout" the
//                budget ended; "llm_unavailable" every provider failed or its circuit is open
//   rate_limited "ai_budget" the person, or the library, used up today's calls or tokens
//   refused      "cancelled" the listener wanted no more; "prompt_too_long" it fits no provider's context;
//                "bad_grammar"; "llm_refused" the provider does not want this request (4xx)
// unavailable and rate_limited carry retry_after_seconds. An answer that is empty, broken or no UTF-8 counts
// as a failure of its provider, not as text.
//
// Threads: generate() may be awaited on any io_context, also under runtime::block_on. The listener is called
// on the executor of the model: a thread of its own, or the caller's io_context. It must be quick and must
// not block; post elsewhere what takes time. After generate() has returned it is never called again.
#pragma once
#include "core/base/error.hpp"
#include "core/base/task.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::llm {

// Interactive prompts pass all bulk ones that wait: somebody is looking at a screen.
enum class Lane : std::uint8_t { interactive, bulk };

struct Prompt {
  std::string task;     // for figures and budgets: "book_summary", "sentiment", "answer"
  std::string version;  // of the prompt file, shown in replies and part of cache keys
  std::string system;   // the rules; never text from outside
  std::string user;     // the request; text from outside stands in it only fenced (fence.hpp)
  std::string grammar;  // GBNF, may be empty; the provider in the process keeps to it, others are only asked
  int max_tokens = 500;
  double temperature = 0.7;
  double top_p = 0.9;
  Lane lane = Lane::interactive;
  std::chrono::milliseconds budget{30'000};  // from the call to the last token: waiting and retries included
  std::int64_t user_id = 0;                  // whose budget; 0: the library's own work
  // Set by anybody, it ends the work before the next token: the client has gone.
  std::shared_ptr<const std::atomic<bool>> cancelled{};
};

struct Generated {
  std::string text;  // valid UTF-8, never empty
  std::string provider, model;
  int prompt_tokens = 0, completion_tokens = 0;  // as the provider counts them, else estimated
  std::chrono::milliseconds took{0};
};

// Gets the text piece by piece, each piece whole UTF-8. False cancels. Pieces that went out are not taken
// back: a provider that fails after its first piece fails the call, the chain does not start anew.
using OnToken = std::function<bool(std::string_view)>;

enum class Circuit : std::uint8_t { closed, open, half_open };
constexpr std::array<std::string_view, 3> circuit_names{"closed", "open", "half_open"};
constexpr auto& enum_names(Circuit) { return circuit_names; }

// One provider, as GET /ai/status shows it.
struct ProviderStatus {
  std::string provider, model;
  bool available = false;  // loaded, or not known to be down
  std::string detail;      // why not; a sentence without secrets
  std::string path;        // of a GGUF file
  std::string sha256;      // of a GGUF file
  std::int64_t bytes = 0;  // of a GGUF file
  Circuit circuit = Circuit::closed;
  std::int64_t failures_in_a_row = 0, running = 0, requests = 0, failures = 0;
};

struct ModelStatus {
  std::vector<ProviderStatus> providers;  // in the order in which they are asked
  std::int64_t running = 0;
  std::int64_t waiting_interactive = 0, waiting_bulk = 0, queue_limit = 0;
};

class LanguageModel {
 public:
  virtual ~LanguageModel() = default;
  virtual Task<Result<Generated>> generate(Prompt prompt, OnToken on_token = {}) = 0;
  // Whether asking makes sense at all. True says nothing of the next call.
  virtual bool configured() const = 0;
  // The name of the model that is asked first; empty without one. Part of cache keys.
  virtual std::string model() const = 0;
  virtual ModelStatus status() const = 0;
};

// The provider `none`.
class NoModel final : public LanguageModel {
 public:
  Task<Result<Generated>> generate(Prompt prompt, OnToken on_token = {}) override;
  bool configured() const override { return false; }
  std::string model() const override { return {}; }
  ModelStatus status() const override { return {}; }
};

}  // namespace lumina::llm
