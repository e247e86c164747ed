// What questions are answered from, and which are not answered: the guide for readers that comes with the
// program, and a catalogue of books whose titles and descriptions share words with everything.
#include "api/documents.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>

using namespace lumina;
using namespace lumina::test;

namespace {

std::string guide_of_the_library() {
  std::ifstream file(std::string(LUMINA_SOURCE_DIR) + "/docs/library-guide.pdf", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct KnownBook {
  std::string_view title, author, genre, about;
};
constexpr KnownBook catalogue[] = {
    {"Howards End", "E. M. Forster", "Fiction", ""},
    {"Siddhartha", "Hermann Hesse", "Philosophy",
     "A Brahmin's son leaves home and learns from ascetics, merchants and a river in the time of the "
     "Buddha."},
    {"Robinson Crusoe", "Daniel Defoe", "Adventure",
     "A shipwrecked sailor lives for twenty-eight years on an island, most of them alone."},
    {"Romeo and Juliet", "William Shakespeare", "Drama",
     "Two young people of hostile families in Verona fall in love, with a few days to live."},
    {"War and Peace", "Leo Tolstoy", "Historical fiction",
     "Five families live through the war that Napoleon brings to Russia, and its end."},
    {"The Trial", "Franz Kafka", "Fiction", "A man is arrested one morning and never learns for what."},
    {"The Time Machine", "H. G. Wells", "Science fiction",
     "An inventor travels to the far end of time and finds that mankind has divided in two."},
    {"The Library of the Sea", "Ann Leck", "Fiction",
     "A keeper lends books to sailors and never asks for them back. The library opens once a year."},
    {"Emma", "Jane Austen", "Fiction", "A clever young woman arranges the lives of her neighbours."},
    {"The Island of Doctor Moreau", "H. G. Wells", "Science fiction",
     "A castaway finds an island where animals are being carved into men."}};

void fill(TestApp& app) {
  for (const auto& book : catalogue) {
    std::string more = fmt::format(R"("genre":"{}","copies":2)", book.genre);
    if (!book.about.empty()) more += fmt::format(R"(,"description":"{}")", book.about);
    app.book(std::string(book.title), std::string(book.author), more);
  }
}

Answer ask(Client person, std::string_view question, std::string_view more = "") {
  return person.post("/api/v1/qa", fmt::format(R"({{"question":"{}"{}}})", question, more));
}

bool cites(const Answer& answer, std::string_view title) {
  for (const auto& source : answer["sources"].as_array())
    if (source.at("title").as_string() == title) return true;
  return false;
}

constexpr std::pair<const char*, const char*> of_the_guide[] = {
    {"How long are books lent?", "Books are lent for two weeks"},
    {"How long can I borrow a book?", "Books are lent for two weeks"},
    {"How long are films lent?", "Films and music are lent for one week"},
    {"How long can I keep a film?", "Films and music are lent for one week"},
    {"How often can a book be renewed?", "renewed three times"},
    {"How old must children be for a card?", "age of six"},
    {"How much does an overdue book cost?", "ten cents a day"},
    {"What does an overdue book cost?", "ten cents a day"},
    {"Who can borrow the telescope?", "two readers"},
    {"When is the library open?", "from Tuesday to Saturday"}};

}  // namespace

TEST_CASE("questions about other things are not answered out of the catalogue", "[G23]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  fill(*app);
  auto reader = app->patron();
  document(reader, "library-guide.pdf", guide_of_the_library());
  REQUIRE(eventually([&] { return ask(reader, "Who wrote Emma?")["grounded"] == true; }));
  for (const auto* question : {"When does the war end?",
                               "What time does the train leave?",
                               "And at most?",
                               "Why do people fall in love?",
                               "When is the trial?",
                               "Where is the island?",
                               "How far is the moon?",
                               "How long does a journey around the world take?",
                               "Who is the king of England?",
                               "What is the price of love?",
                               "How old is Emma Watson?",
                               "Who wrote the constitution of Russia?",
                               "Who won the football match?",
                               "What happens at the end?",
                               "What is the capital of France?",
                               "When did the sailor call?",
                               "What is it like to live alone?",
                               "How many animals live in the sea?",
                               "Which machine won the war?",
                               "How long do elephants live in captivity?",
                               "Is there peace in the world?"}) {
    CAPTURE(question);
    const auto answer = ask(reader, question);
    INFO(answer.body);
    REQUIRE(answer.status == 200);
    CHECK(answer["grounded"] == false);
    CHECK(answer["answerable"] == false);
    CHECK(answer["sources"].as_array().empty());
    CHECK(answer["nearest"].is_array());
  }
  const auto first = ask(reader, "What does an overdue book cost?");
  const auto next =
      ask(reader, "And at most?",
          fmt::format(R"(,"session_id":"{}")", std::string_view(first["session_id"].as_string())));
  CHECK_FALSE(cites(next, "Robinson Crusoe"));
  CHECK(next["answer"].as_string().find("five euros") != std::string::npos);
}

TEST_CASE("questions about books are answered out of the catalogue", "[G28]") {
  auto app = TestApp::on(Database::sqlite);
  fill(*app);
  auto reader = app->patron();
  REQUIRE(eventually([&] { return ask(reader, "Who wrote Emma?")["grounded"] == true; }));
  CHECK(ask(reader, "Who wrote Emma?")["answer"].as_string().find("Jane Austen") != std::string::npos);
  for (const auto& [question, title] : std::initializer_list<std::pair<const char*, const char*>>{
           {"Who wrote War and Peace?", "War and Peace"},
           {"Who is the author of The Time Machine?", "The Time Machine"},
           {"Do you have books by Tolstoy?", "War and Peace"},
           {"Do you have anything by Hesse?", "Siddhartha"},
           {"Is Siddhartha available?", "Siddhartha"},
           {"Is Howards End on the shelf?", "Howards End"},
           {"Which novel is about a castaway and animals?", "The Island of Doctor Moreau"},
           {"Books about a shipwrecked sailor", "Robinson Crusoe"},
           {"What is Robinson Crusoe about?", "Robinson Crusoe"},
           {"What is Emma about?", "Emma"},
           {"Who is arrested one morning and never learns for what?", "The Trial"}}) {
    CAPTURE(question);
    const auto answer = ask(reader, question);
    INFO(answer.body);
    CHECK(answer["grounded"] == true);
    CHECK(cites(answer, title));
    CHECK(answer["sources"].as_array().size() <= 3);
  }
  CHECK(ask(reader, "Do you have books about dragons?")["grounded"] == false);
  CHECK(ask(reader, "Do you have books by Joyce?")["grounded"] == false);
}

TEST_CASE("a library's guide answers what readers ask, with and without a catalogue", "[G21][G28]") {
  const bool with_books = GENERATE(false, true);
  auto app = TestApp::on(GENERATE(from_databases()));
  if (with_books) fill(*app);
  auto reader = app->patron();
  const auto id = document(reader, "library-guide.pdf", guide_of_the_library());
  if (with_books) REQUIRE(eventually([&] { return ask(reader, "Who wrote Emma?")["grounded"] == true; }));
  for (const auto& [question, expected] : of_the_guide)
    for (const auto& more : {std::string(), fmt::format(R"(,"document_ids":[{}])", id)}) {
      CAPTURE(question, more, with_books);
      const auto answer = ask(reader, question, more);
      INFO(answer.body);
      CHECK(answer["grounded"] == true);
      REQUIRE(!answer["sources"].as_array().empty());
      CHECK(answer["sources"].at(0).at("document_id") == id);
      std::string quote(answer["sources"].at(0).at("quote").as_string());
      std::ranges::replace(quote, '\n', ' ');
      CHECK(quote.find(expected) != std::string::npos);
    }
}

TEST_CASE("the sources of a streamed answer are those of the answer", "[G26][G22]") {
  auto app = TestApp::on(Database::sqlite);
  auto reader = app->patron();
  document(reader, "library-guide.pdf", guide_of_the_library());
  const auto stream = reader.post("/api/v1/qa", R"({"question":"How long are films lent?"})",
                                  {{"Accept", "text/event-stream"}});
  INFO(stream.body);
  const auto data_of = [&](std::string_view event) {
    const auto at = stream.body.find(fmt::format("event: {}\ndata: ", event));
    REQUIRE(at != std::string::npos);
    const auto begin = stream.body.find("data: ", at) + 6;
    return boost::json::parse(stream.body.substr(begin, stream.body.find('\n', begin) - begin));
  };
  const auto sources = data_of("sources");
  REQUIRE(sources.as_array().size() == 1);
  CHECK(boost::json::serialize(sources) == boost::json::serialize(data_of("done").at("sources")));
  CHECK(sources.at(0).at("quote").as_string().find("one week") != std::string::npos);
  CHECK(stream.body.find("event: sources") < stream.body.find("event: token"));
}

TEST_CASE("the export of a person holds documents, questions and what recommendations may use", "[A21]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  auto reader = app->patron(), other = app->patron(2);
  CHECK(reader.get("/api/v1/users/me/export")["recommendation_settings"].at("personal") == true);
  const auto id = document(reader, "library-guide.pdf", guide_of_the_library(), {{"title", "The guide"}});
  REQUIRE(
      reader.put(fmt::format("/api/v1/documents/{}/grants/{}", id, other.user_id()), R"({"access":"view"})")
          .status < 300);
  const auto asked = ask(reader, "How long are films lent?");
  REQUIRE(asked["grounded"] == true);
  REQUIRE(reader.put("/api/v1/users/me/recommendations", R"({"personal":false})").status == 200);
  const auto record = reader.get("/api/v1/users/me/export");
  INFO(record.body);
  REQUIRE(record.status == 200);
  REQUIRE(record["documents"].as_array().size() == 1);
  const auto& mine = record["documents"].at(0);
  CHECK(mine.at("id") == id);
  CHECK(mine.at("title") == "The guide");
  CHECK(mine.at("filename") == "library-guide.pdf");
  CHECK(mine.at("current") == true);
  CHECK(mine.at("status") == "ready");
  REQUIRE(record["document_grants"].as_array().size() == 1);
  CHECK(record["document_grants"].at(0).at("user_id") == other.user_id());
  REQUIRE(record["questions"].as_array().size() == 1);
  CHECK(record["questions"].at(0).at("question") == "How long are films lent?");
  CHECK(record["questions"].at(0).at("session_id") == asked["session_id"]);
  CHECK(record["questions"].at(0).at("answer").at("answer") == asked["answer"]);
  CHECK(record["recommendation_settings"].at("personal") == false);
  const auto theirs = other.get("/api/v1/users/me/export");
  CHECK(theirs["documents"].as_array().empty());
  CHECK(theirs["questions"].as_array().empty());
  CHECK(theirs["document_grants"].at(0).at("document_id") == id);
}

TEST_CASE("a summary without a model is heard as tokens", "[F8]") {
  auto app = TestApp::on(Database::sqlite);
  const auto book = app->book("Emma", "Jane Austen",
                              R"("description":"Emma arranges lives. She is often wrong. She learns.")");
  const auto told = [](const Answer& stream) {
    std::string out;
    std::size_t count = 0;
    constexpr std::string_view mark = "event: token\ndata: ";
    for (auto at = stream.body.find(mark); at != std::string::npos; at = stream.body.find(mark, at + 1)) {
      const auto begin = at + mark.size();
      out += boost::json::parse(stream.body.substr(begin, stream.body.find('\n', begin) - begin))
                 .at("text")
                 .as_string();
      ++count;
    }
    CHECK(count >= 1);
    const auto begin = stream.body.find("event: done\ndata: ") + 18;
    REQUIRE(begin > 18);
    CHECK(boost::json::parse(stream.body.substr(begin, stream.body.find('\n', begin) - begin))
              .at("summary")
              .as_string() == std::string_view(out));
  };
  const http::Headers as_stream{{"Accept", "text/event-stream"}};
  const auto path = fmt::format("/api/v1/books/{}/generate-summary", book);
  told(app->librarian().post(path, "", as_stream));
  told(app->librarian().post(path, "", as_stream));  // what was kept
  told(app->patron().post("/api/v1/generate-summary",
                          R"({"content":"A ferry crosses the bay. It carries nobody. The captain sings."})",
                          as_stream));
}

TEST_CASE("a text that is too long to sum up is refused as too large", "[F6]") {
  auto app = TestApp::on(Database::sqlite);
  auto reader = app->patron();
  const auto body = fmt::format(R"({{"content":"{}"}})", std::string(400'001, 'a'));
  const auto refused = reader.post("/api/v1/generate-summary", body);
  CHECK(refused.status == 413);
  CHECK(refused.code() == "text_too_long");
  CHECK(refused.detail().find("400000 characters") != std::string::npos);
  CHECK(reader.post("/api/v1/generate-summary", body, {{"Accept", "text/event-stream"}}).status == 413);
  CHECK(reader.post("/api/v1/generate-summary", R"({"content":""})").status == 422);
  // Bounds are told as plain numbers.
  const auto wrong = app->librarian().post(
      "/api/v1/books", R"({"title":"Emma","author":"Jane Austen","page_count":100000000})");
  CHECK(wrong.status == 422);
  INFO(wrong.body);
  CHECK(wrong.body.find("e+0") == std::string::npos);
  CHECK(wrong.body.find("100000") != std::string::npos);
}

TEST_CASE("a book whose only review gives the plot away has a review, and says why none is summed up",
          "[E16]") {
  auto app = TestApp::on(GENERATE(from_databases()));
  const auto book = app->book();
  const auto path = fmt::format("/api/v1/books/{}/analysis", book);
  CHECK(app->anybody().get(path)["average_rating"].to_number<double>() == 0);
  auto reader = app->patron();
  REQUIRE(reader.post(fmt::format("/api/v1/borrows/{}/borrow", book)).status == 201);
  REQUIRE(reader
              .post("/api/v1/reviews",
                    fmt::format(R"({{"book_id":{},"review_text":"{}","rating":4,"spoiler":true}})", book,
                                "She marries Mr. Knightley in the end, which I loved."))
              .status == 201);
  const auto analysis = app->anybody().get(path);
  INFO(analysis.body);
  CHECK(analysis["total_reviews"] == 1);
  CHECK(analysis["average_rating"].to_number<double>() == 4);
  CHECK(analysis["summary"] == "Every review of this book gives something away; none is summed up here.");
  CHECK(analysis["summary_source"] == "none");
}
