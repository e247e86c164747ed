// Which questions are about the catalogue, and which books answer them.
#include "modules/ai/catalogue_question.hpp"

#include <catch2/catch.hpp>

using namespace lumina::ai;
using Kind = BookEvidence::Kind;

namespace {

Kind asked(std::string_view question, const BookWords& book) {
  return match(read_catalogue_question(question), book);
}

constexpr BookWords howards{"Howards End", "E. M. Forster", "Fiction", "A house and who should have it."};
constexpr BookWords trial{"The Trial", "Franz Kafka", "Fiction", "A man is arrested one morning."};
constexpr BookWords whale{"Moby-Dick; or, The Whale", "Herman Melville", "Adventure",
                          "A captain hunts a white whale over all the seas. Only one man is saved."};

}  // namespace

TEST_CASE("words of a title are no question about it", "[G23]") {
  CHECK(asked("When does the war end?", howards) == Kind::none);
  CHECK(asked("When does it end?", howards) == Kind::none);
  CHECK(asked("What happens at Howards End?", howards) == Kind::asked_for);
  CHECK(asked("When is the trial?", trial) == Kind::none);
  CHECK(asked("Who is arrested?", trial) == Kind::none);
  CHECK(asked("Why is a man arrested one morning?", trial) == Kind::none);
  CHECK(asked("", trial) == Kind::none);
  CHECK(asked("books", trial) == Kind::none);
}

TEST_CASE("questions that name a title or ask for books are answered by whoever holds every word", "[G28]") {
  CHECK(asked("Who wrote the trial?", trial) == Kind::asked_for);
  CHECK(asked("Who wrote the song of the trial?", trial) == Kind::none);
  CHECK(asked("Is The Trial on the shelf?", trial) == Kind::asked_for);
  CHECK(asked("What is the trial about?", trial) == Kind::asked_for);
  CHECK(asked("do you have anything by kafka", trial) == Kind::asked_for);
  CHECK(asked("do you have books by joyce", trial) == Kind::none);
  CHECK(asked("Tell me about Moby Dick", whale) == Kind::asked_for);
  CHECK(asked("Which books are about whales and captains?", whale) == Kind::asked_for);
  CHECK(asked("Which books are about whales and dragons?", whale) == Kind::none);
  CHECK(asked("Who hunts a white whale?", whale) == Kind::holds_all);
  CHECK(asked("Who wrote about a white whale?", whale) == Kind::none);
}

TEST_CASE("what is like a book is asked with nothing beside it", "[G28]") {
  const auto like = read_catalogue_question("What is like Dune and on the shelf?");
  REQUIRE(!like.like.empty());
  CHECK(like.like.front() == "dune");
  CHECK(only_like(like, 1));
  CHECK_FALSE(only_like(read_catalogue_question("What is like Dune but with dragons?"), 1));
  CHECK(read_catalogue_question("Do you like Dune?").like.empty());
  CHECK(read_catalogue_question("Which science fiction books are there?").for_books);
  CHECK_FALSE(read_catalogue_question("What does a book cost?").for_books);
}

TEST_CASE("a book answers with the sentence that holds most of the question", "[G28]") {
  const std::string_view text = "A captain hunts a white whale. Only one man is saved.";
  const auto best = best_sentence("Which book has a man who is saved?", text);
  CHECK(text.substr(best.first, best.second - best.first) == "Only one man is saved.");
  CHECK(best_sentence("Anything?", text).first == 0);
  CHECK(best_sentence("Anything?", "") == std::pair<std::size_t, std::size_t>{0, 0});
}
