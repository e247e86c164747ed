// How the servers of language models speak: what is sent to them, and how their answers are read.
//
//   ollama       POST /api/chat, newline-delimited JSON; POST /api/embed
//   openai       POST /v1/chat/completions, server-sent events ending with [DONE]; POST /v1/embeddings.
//                Any server that is compatible: vLLM, llama.cpp, LM Studio, LiteLLM
//   huggingface  POST /models/{model}, one JSON document; the same path with inputs for feature extraction
//
// Pure, no sockets. An answer is an error unless its format says that it is whole: Error kind unavailable,
// code "llm_unavailable". Lines over 1 MiB and numbers that are no numbers are errors too. Sources: Ollama
// docs/api.md, OpenAI API reference (chat/create, embeddings/create), Hugging Face Inference API reference.
#pragma once
#include "core/http/client.hpp"
#include "core/llm/language_model.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lumina::llm {

enum class Wire : std::uint8_t { ollama, openai, huggingface };
std::string_view to_string(Wire wire);

struct Server {
  Wire wire = Wire::ollama;
  std::string base_url;  // empty: the usual address of the wire
  std::string model;
  std::string api_key;  // may be empty
};
// Where requests go: base_url or the usual one, without a slash at the end.
std::string base_of(const Server& server);

http::Outgoing chat_request(const Server& server, const Prompt& prompt);
http::Outgoing embedding_request(const Server& server, const std::vector<std::string>& texts);

// Reads the answer to chat_request() as it comes, in pieces of any size.
class ChatReader {
 public:
  ChatReader(Wire wire, const OnToken& on_token) : wire_(wire), on_token_(on_token) {}
  // False: nothing more is wanted; finish() says why.
  bool feed(std::string_view bytes);
  // After the last byte. Text, tokens; without provider, model and time.
  Result<Generated> finish();

 private:
  bool line(std::string_view text);
  bool ollama_line(std::string_view text);
  bool openai_event(std::string_view data);
  void whole_document();
  bool say(std::string_view piece);
  bool broken(std::string why);

  const Wire wire_;
  const OnToken& on_token_;
  std::string pending_;
  Generated out_;
  bool done_ = false, cancelled_ = false;
  std::optional<std::string> fault_;
};

// One vector a text, length 1 each.
Result<std::vector<std::vector<float>>> read_embeddings(Wire wire, std::string_view body, std::size_t count);
// Makes its length 1; false when that cannot be.
bool normalize(std::vector<float>& vector);

// What a status that is not 2xx means.
Error error_of_status(const http::Incoming& answer);

}  // namespace lumina::llm
