// One place where text comes from, as the chain (chain.hpp) sees it. Internal to core/llm.
//
// generate() makes one attempt. Errors: unavailable with "timeout", "llm_unavailable" (down, 5xx, 429, broken
// or empty answer; retry_after_seconds when the provider said so), refused with "cancelled",
// "prompt_too_long", "bad_grammar" or "llm_refused". `on_token` is called as language_model.hpp says. Any
// thread; the object lives until every call has ended.
#pragma once
#include "core/llm/language_model.hpp"

namespace lumina::llm {

class Provider {
 public:
  virtual ~Provider() = default;
  virtual Task<Result<Generated>> generate(std::shared_ptr<const Prompt> prompt, OnToken on_token,
                                           std::chrono::milliseconds time) = 0;
  virtual std::string model() const = 0;
  // Without the chain's figures.
  virtual ProviderStatus status() const = 0;
  // How many prompts it works on at once.
  virtual int parallel() const = 0;
  // Whether a second attempt can help: not where nothing lies between.
  virtual bool worth_retrying() const = 0;
};

}  // namespace lumina::llm
