#include "core/llm/remote.hpp"

#include <fmt/format.h>

namespace lumina::llm {
namespace {

using Milliseconds = std::chrono::milliseconds;

http::ClientOptions client_options(std::uint64_t most_bytes, const std::string& ca_file) {
  http::ClientOptions options;
  options.deadline = std::chrono::minutes(10);  // each call brings its own, shorter one
  options.most_bytes = most_bytes;
  options.ca_file = ca_file;
  return options;
}

// For those who count tokens of servers that do not: English text has about four characters a token.
int estimated_tokens(std::size_t bytes) { return static_cast<int>((bytes + 3) / 4); }

// What the client could not do, in the terms of the chain.
Error failed(const Error& error) {
  Error out{ErrorKind::unavailable, "llm_unavailable", {}, {}, 0};
  out.detail = "The language model's server cannot be used: " + error.detail;
  if (error.code == "timeout") {
    out.code = "timeout";
    out.detail = "The language model did not answer in time";
    out.retry_after_seconds = 10;
  }
  return out;
}

}  // namespace

RemoteProvider::RemoteProvider(Server server, int parallel, const std::string& ca_file)
    : server_(std::move(server)), parallel_(parallel), client_(client_options(most_chat_bytes, ca_file)) {}

Task<Result<Generated>> RemoteProvider::generate(std::shared_ptr<const Prompt> prompt, OnToken on_token,
                                                 Milliseconds time) {
  ChatReader reader(server_.wire, on_token);
  http::Outgoing request = chat_request(server_, *prompt);
  request.deadline = time;
  request.listener = [&reader, &prompt](std::string_view bytes) {
    return !(prompt->cancelled && prompt->cancelled->load()) && reader.feed(bytes);
  };
  const auto answer = co_await client_.send(std::move(request));
  if (!answer && answer.error().code != "stopped") co_return Failure(failed(answer.error()));
  if (answer && (answer->status < 200 || answer->status > 299)) co_return Failure(error_of_status(*answer));
  if (prompt->cancelled && prompt->cancelled->load())
    co_return fail(ErrorKind::refused, "cancelled", "The request was cancelled");
  auto written = reader.finish();
  if (!written) co_return written;
  written->provider = to_string(server_.wire);
  written->model = server_.model;
  if (written->prompt_tokens == 0)
    written->prompt_tokens = estimated_tokens(prompt->system.size() + prompt->user.size());
  if (written->completion_tokens == 0) written->completion_tokens = estimated_tokens(written->text.size());
  co_return written;
}

ProviderStatus RemoteProvider::status() const {
  ProviderStatus status;
  status.provider = to_string(server_.wire);
  status.model = server_.model;
  status.available = true;
  return status;
}

RemoteEmbedder::RemoteEmbedder(Server server, Milliseconds timeout, const std::string& ca_file)
    : server_(std::move(server)), timeout_(timeout), client_(client_options(most_embedding_bytes, ca_file)) {}

ModelStatus RemoteEmbedder::status() const {
  ProviderStatus one;
  one.provider = to_string(server_.wire);
  one.model = server_.model;
  one.available = true;
  ModelStatus out;
  out.providers.push_back(std::move(one));
  return out;
}

Task<Result<Vectors>> RemoteEmbedder::embed(std::vector<std::string> texts, EmbedCall call) {
  if (texts.empty()) co_return Vectors{};
  if (texts.size() > most_texts)
    co_return fail(ErrorKind::refused, "llm_refused",
                   fmt::format("At most {} texts can be embedded at once", most_texts));
  http::Outgoing request = embedding_request(server_, texts);
  request.deadline = std::min(timeout_, call.budget);
  const auto answer = co_await client_.send(std::move(request));
  if (!answer) {
    auto error = failed(answer.error());
    if (error.code == "timeout") error.code = "llm_timeout";
    co_return Failure(std::move(error));
  }
  if (answer->status < 200 || answer->status > 299) co_return Failure(error_of_status(*answer));
  auto vectors = read_embeddings(server_.wire, answer->body, texts.size());
  if (vectors) dimensions_ = vectors->front().size();
  co_return vectors;
}

}  // namespace lumina::llm
