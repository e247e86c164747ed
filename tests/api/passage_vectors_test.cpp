// Passages found by what they mean: vectors made by jobs, kept in rows and in an archive, fused with words.
#include "api/documents.hpp"
#include "core/vector/archive.hpp"
#include "support/http_peer.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>

#include <array>
#include <filesystem>

using namespace lumina;
using namespace lumina::test;

namespace {

bool contains(const std::vector<std::int64_t>& all, std::int64_t one) {
  return std::ranges::find(all, one) != all.end();
}

// A word of a passage, the word of a question that means the same, and what is said of it.
struct Meant {
  std::string_view in_text, asked;
};
constexpr std::array<Meant, 25> meanings{
    {{"automobile", "car"},   {"physician", "doctor"}, {"sofa", "couch"},    {"attorney", "lawyer"},
     {"infant", "baby"},      {"vessel", "ship"},      {"bovine", "cow"},    {"meadow", "pasture"},
     {"grief", "sorrow"},     {"residence", "home"},   {"soil", "ground"},   {"spectacles", "glasses"},
     {"locomotive", "train"}, {"purchase", "buy"},     {"monarch", "king"},  {"combat", "fight"},
     {"beverage", "drink"},   {"feline", "cat"},       {"canine", "dog"},    {"garbage", "rubbish"},
     {"timber", "wood"},      {"repast", "meal"},      {"aviator", "pilot"}, {"cemetery", "graveyard"},
     {"pedagogue", "teacher"}}};
constexpr std::array<std::string_view, 25> people{
    "Helmar Voss", "Ida Quist",  "Bruno Falk",  "Tilda Renner", "Otto Zeman", "Greta Lind",  "Pavel Hruby",
    "Signe Dahl",  "Marek Bily", "Nora Finch",  "Emil Jarosz",  "Wanda Pohl", "Lars Ekdal",  "Runa Skov",
    "Karel Mucha", "Petra Zoch", "Anton Weiss", "Hedda Blom",   "Jonas Rask", "Milena Kral", "Viktor Stahl",
    "Astrid Holm", "Rufus Penn", "Clara Voigt", "Edgar Noll"};

std::string corpus() {
  std::string text;
  for (const auto& m : meanings)
    text += fmt::format("The old chronicle of the town tells how the {} was kept with care for years.\f",
                        m.in_text);
  for (std::size_t i = 0; i < people.size(); ++i)
    text += fmt::format("The register of the town lists {} under the entry {} since the great flood.\f",
                        people[i], 48200 + 7 * i);
  text.pop_back();
  return text;
}
// Each question and the page that answers it.
std::vector<std::pair<std::string, std::int64_t>> questions() {
  std::vector<std::pair<std::string, std::int64_t>> all;
  for (std::size_t i = 0; i < meanings.size(); ++i)
    all.emplace_back(fmt::format("What does the register say of a {} since the flood?", meanings[i].asked),
                     static_cast<std::int64_t>(i) + 1);
  for (std::size_t i = 0; i < people.size(); ++i)
    all.emplace_back(i % 2 == 0 ? fmt::format("Who stands under {}?", 48200 + 7 * i)
                                : fmt::format("What is told of {}?", people[i]),
                     static_cast<std::int64_t>(26 + i));
  return all;
}

// Knows the meanings and nothing else: all other words weigh a little, all the same way.
std::vector<double> vector_of(std::string_view text, std::size_t dimensions) {
  std::vector<double> v(dimensions);
  v[0] = 0.2;
  for (std::size_t i = 0; i < meanings.size(); ++i)
    for (const auto word : {meanings[i].in_text, meanings[i].asked})
      if (text.find(fmt::format(" {} ", word)) != std::string_view::npos ||
          text.find(fmt::format(" {}?", word)) != std::string_view::npos)
        v[1 + i] = 1;
  return v;
}

// A peer that speaks as Ollama does.
class Meaning {
 public:
  explicit Meaning(std::size_t dimensions = 32) : dimensions_(dimensions) {
    peer_.emplace([this](const HttpPeer::Received& request) { return answer(request); });
  }
  TestApp::Configure settings(std::string model = "minilm") const {
    return [url = peer_->url(), model = std::move(model)](config::Config& c) {
      every_kind(c);
      c.embed_provider = config::EmbedProvider::ollama;
      c.embed_base_url = url;
      c.embed_model = model;
      c.llm_timeout = 5;
    };
  }
  std::atomic<bool> down{false};
  std::atomic<int> texts{0};
  std::atomic<std::size_t> dimensions_;

 private:
  HttpPeer::Reply answer(const HttpPeer::Received& request) {
    if (down) return {.status = 500};
    if (request.body.find("unspeakable") != std::string::npos) return {.status = 400};
    boost::json::array all;
    for (const auto& text : boost::json::parse(request.body).at("input").as_array()) {
      ++texts;
      boost::json::array one;
      for (const auto number : vector_of(std::string(text.as_string()), dimensions_)) one.push_back(number);
      all.push_back(std::move(one));
    }
    return {.body = boost::json::serialize(boost::json::object{{"embeddings", std::move(all)}})};
  }
  std::optional<HttpPeer> peer_;
};

boost::json::value embedding(TestApp& app) { return app.librarian().get("/api/v1/ai/status")["embedding"]; }
bool all_embedded(TestApp& app) {
  return eventually([&] {
    const auto now = embedding(app);
    return now.at("passages") != 0 && now.at("embedded") == now.at("passages");
  });
}
std::vector<std::int64_t> pages_found(Client person, const std::string& question, int limit) {
  std::string q;
  for (const char c : question) q += c == ' ' ? "%20" : c == '?' ? "%3F" : std::string(1, c);
  const auto found = person.get(fmt::format("/api/v1/documents/search?q={}&limit={}", q, limit));
  std::vector<std::int64_t> pages;
  for (const auto& one : found.json.as_array()) {
    // Which page a passage is of stands in its text: text files have no pages.
    const std::string text(one.at("text").as_string());
    for (std::size_t i = 0; i < meanings.size(); ++i)
      if (text.find(fmt::format(" {} ", meanings[i].in_text)) != std::string::npos)
        pages.push_back(static_cast<std::int64_t>(i) + 1);
    for (std::size_t i = 0; i < people.size(); ++i)
      if (text.find(people[i]) != std::string::npos) pages.push_back(static_cast<std::int64_t>(26 + i));
  }
  return pages;
}
int hits_at_5(Client person) {
  int hits = 0;
  for (const auto& [question, page] : questions())
    hits += contains(pages_found(person, question, 5), page) ? 1 : 0;
  return hits;
}
int hits_of_vectors_alone() {
  int hits = 0;
  std::vector<std::pair<std::int64_t, std::vector<double>>> all;
  std::string rest = corpus();
  std::int64_t page = 1;
  for (std::size_t end = 0; end != std::string::npos; ++page) {
    end = rest.find('\f');
    all.emplace_back(page, vector_of(rest.substr(0, end), 32));
    if (end != std::string::npos) rest = rest.substr(end + 1);
  }
  const auto cosine = [](const std::vector<double>& a, const std::vector<double>& b) {
    double ab = 0, aa = 0, bb = 0;
    for (std::size_t i = 0; i < a.size(); ++i) ab += a[i] * b[i], aa += a[i] * a[i], bb += b[i] * b[i];
    return ab / std::sqrt(aa * bb);
  };
  for (const auto& [question, right] : questions()) {
    const auto asked = vector_of(question, 32);
    std::vector<std::pair<double, std::int64_t>> order;
    for (const auto& [number, vector] : all) order.emplace_back(-cosine(asked, vector), number);
    std::ranges::sort(order);
    for (std::size_t i = 0; i < 5; ++i) hits += order[i].second == right ? 1 : 0;
  }
  return hits;
}

}  // namespace

TEST_CASE("words and meaning together find what either finds alone", "[G25][G18]") {
  const auto kind = GENERATE(from_databases());
  Meaning meaning;
  auto app = TestApp::on(kind, meaning.settings());
  auto reader = app->patron();
  document(reader, "chronicle.txt", corpus());
  REQUIRE(all_embedded(*app));
  auto plain = TestApp::on(kind, every_kind);
  auto other = plain->patron();
  document(other, "chronicle.txt", corpus());

  const int words = hits_at_5(other), together = hits_at_5(reader), vectors = hits_of_vectors_alone();
  CAPTURE(words, vectors, together);
  CHECK(questions().size() == 50);
  CHECK(words < 50);    // synonyms are not in the texts
  CHECK(vectors < 50);  // names and numbers mean nothing
  CHECK(together >= words);
  CHECK(together >= vectors);
  CHECK(together >= 49);

  const auto now = embedding(*app);
  CHECK(now.at("state") == "ready");
  CHECK(now.at("model") == "minilm");
  CHECK(now.at("dimensions") == 32);
  CHECK(now.at("passages") == 50);
  CHECK(now.at("in_memory") == 50);
  CHECK(now.at("providers").at(0).at("provider") == "ollama");
  CHECK(embedding(*plain).at("state") == "off");
  // What stands in quotation marks has to be there.
  CHECK(pages_found(reader, "%22doctor%22", 5).empty());
  // A passage is shown with what stands beside it.
  const auto one = reader.get("/api/v1/documents/search?q=a%20doctor%20there&limit=1");
  REQUIRE(one.size() == 1);
  CHECK(one[0].at("text").as_string().find("physician") != std::string::npos);
  CHECK(one[0].at("before").as_string().find("automobile") != std::string::npos);
  CHECK(one[0].at("after").as_string().find("sofa") != std::string::npos);
}

TEST_CASE("by meaning nobody finds what they may not read", "[G18][G25]") {
  Meaning meaning;
  auto app = TestApp::on(GENERATE(from_databases()), meaning.settings());
  auto owner = app->patron(1), stranger = app->patron(2);
  const auto id = document(owner, "secret.txt", "The town hides its grief for the lost bridge.");
  const auto own = document(stranger, "own.txt", "The garden of the town is kept for all to see.");
  REQUIRE(all_embedded(*app));
  const std::string target = "/api/v1/documents/search?q=a%20sorrow%20there";
  CHECK(owner.get(target)[0].at("document_id") == id);
  const auto seen_by_stranger = [&] {
    std::vector<std::int64_t> ids;
    for (const auto& one : stranger.get(target).json.as_array())
      ids.push_back(one.at("document_id").as_int64());
    return ids;
  };
  CHECK_FALSE(contains(seen_by_stranger(), id));
  const auto grant = fmt::format("/api/v1/documents/{}/grants/{}", id, stranger.user_id());
  REQUIRE(owner.put(grant, R"({"access":"view"})").status < 300);
  CHECK(seen_by_stranger().front() == id);
  REQUIRE(owner.del(grant).status < 300);
  CHECK_FALSE(contains(seen_by_stranger(), id));
  CHECK(stranger.get(fmt::format("{}&document_ids={}", target, own)).size() <= 1);
  // Deleted documents are gone at once.
  REQUIRE(owner.del(fmt::format("/api/v1/documents/{}", id)).status == 204);
  CHECK_FALSE(contains(seen_by_stranger(), id));
  CHECK(owner.get(target).size() == 0);
  CHECK(app->number("SELECT count(*) FROM passage_vectors") == 1);
}

TEST_CASE("while the embedding model is away words find passages, and vectors come when it is back",
          "[G18][H26]") {
  Meaning meaning;
  meaning.down = true;
  auto app = TestApp::on(GENERATE(from_databases()), meaning.settings());
  auto reader = app->patron();
  const auto id = document(reader, "boat.txt", "The vessel left the harbour in spring.");
  CHECK(reader.get("/api/v1/documents/search?q=harbour")[0].at("document_id") == id);
  CHECK(reader.get("/api/v1/documents/search?q=a%20ship%20there").size() == 0);
  CHECK(embedding(*app).at("embedded") == 0);
  meaning.down = false;
  // As the round of every minute does it.
  REQUIRE(app->admin().post("/api/v1/admin/schedules/vectors.make/run").status < 300);
  REQUIRE(all_embedded(*app));
  CHECK(eventually([&] { return reader.get("/api/v1/documents/search?q=a%20ship%20there").size() == 1; }));
}

TEST_CASE("a text that the model refuses keeps no other from its vector and is not sent again",
          "[G18][H26]") {
  Meaning meaning;
  auto app = TestApp::on(GENERATE(from_databases()), meaning.settings());
  auto reader = app->patron();
  document(reader, "two.txt", "The unspeakable name of the town.\fThe vessel left the harbour in spring.");
  REQUIRE(all_embedded(*app));
  CHECK(app->number("SELECT count(*) FROM passage_vectors WHERE vector = ''") == 1);
  CHECK(reader.get("/api/v1/documents/search?q=a%20ship%20there")[0].at("text").as_string().find("vessel") !=
        std::string::npos);
  CHECK(reader.get("/api/v1/documents/search?q=unspeakable").size() == 1);
}

TEST_CASE("vectors outlast a restart and nothing is embedded again", "[G19]") {
  Meaning meaning;
  auto app = TestApp::on(GENERATE(from_databases()), meaning.settings());
  auto reader = app->patron();
  document(reader, "chronicle.txt", corpus());
  REQUIRE(all_embedded(*app));
  const std::string target = "/api/v1/documents/search?q=of%20a%20doctor%20there&limit=1";
  REQUIRE(reader.get(target)[0].at("text").as_string().find("physician") != std::string::npos);
  const auto file = std::filesystem::path(app->app().config().data_dir) / "vectors" / "passages";
  const auto embedded = meaning.texts.load();

  app->restart();
  CHECK(std::filesystem::exists(file));
  CHECK(reader.get(target)[0].at("text").as_string().find("physician") != std::string::npos);
  CHECK(meaning.texts == embedded + 1);  // the question
  CHECK(eventually([&] { return embedding(*app).at("in_memory") == 50; }));

  // A file that is cut off, altered or missing: the rows are enough.
  const auto whole = vector::read_file(file).value();
  const auto damaged = GENERATE(as<std::string>{}, "cut", "altered", "missing");
  auto bytes = whole;
  if (damaged == "cut") bytes.resize(bytes.size() / 2);
  if (damaged == "altered") bytes[bytes.size() / 3] = static_cast<char>(bytes[bytes.size() / 3] ^ 0x10);
  if (damaged == "missing")
    std::filesystem::remove(file);
  else
    REQUIRE(vector::write_file(file, bytes));
  app->restart();
  CHECK(reader.get(target)[0].at("text").as_string().find("physician") != std::string::npos);
  CHECK(meaning.texts == embedded + 2);
}

TEST_CASE("another model, or another length, makes all vectors anew and compares none with old ones",
          "[G18]") {
  const bool renamed = GENERATE(true, false);
  Meaning meaning(32);
  auto app = TestApp::on(GENERATE(from_databases()), meaning.settings("minilm"));
  auto reader = app->patron();
  document(reader, "chronicle.txt", corpus());
  REQUIRE(all_embedded(*app));
  meaning.dimensions_ = 48;
  auto changed = app->app().config();
  meaning.settings(renamed ? "bge" : "minilm")(changed);
  if (renamed) {
    app->app().reload(changed);
  } else {
    // The server gives other vectors under the same name: the next answer tells.
    reader.get("/api/v1/documents/search?q=of%20a%20doctor%20there");
    REQUIRE(app->admin().post("/api/v1/admin/schedules/vectors.make/run").status < 300);
  }
  REQUIRE(eventually([&] {
    const auto now = embedding(*app);
    return now.at("dimensions") == 48 && now.at("embedded") == 50;
  }));
  CHECK(app->number("SELECT count(*) FROM passage_vectors v JOIN embedding_models m ON m.id = v.model_id "
                    "WHERE m.dimensions = 48") == 50);
  CHECK(app->number("SELECT count(*) FROM passage_vectors") == 50);
  const auto found = reader.get("/api/v1/documents/search?q=of%20a%20doctor%20there&limit=1");
  REQUIRE(found.size() == 1);
  CHECK(found[0].at("text").as_string().find("physician") != std::string::npos);
}

TEST_CASE("books are found by an embedding model's vectors, and by the library's own when it is away",
          "[H26][C16][H5]") {
  Meaning meaning;
  auto app = TestApp::on(GENERATE(from_databases()), meaning.settings());
  auto admin = app->admin();
  const auto id = app->book("The long farewell", "Ann Hill", R"("description":"A story of grief and time.")");
  const auto other =
      app->book("Early mornings", "Bo Dale", R"("description":"All about a feline of the town.")");
  const auto third = app->book("Late evenings", "Cy Reed", R"("description":"The sorrow of a keeper.")");
  const auto made = [&] {
    return eventually([&] {
      const auto now = embedding(*app);
      return now.at("books") == 3 && now.at("books_embedded") == 3;
    });
  };
  const auto begin = [&] { return admin.post("/api/v1/admin/schedules/vectors.make/run").status < 300; };
  REQUIRE(begin());
  REQUIRE(made());
  auto reader = app->patron();
  // No word of the query stands in the record.
  const std::string by_meaning = "/api/v1/books/search?q=a%20cat%20there&mode=semantic";
  const auto found = reader.get(by_meaning);
  REQUIRE(found.status == 200);
  REQUIRE(found["items"].as_array().size() == 1);
  CHECK(found["items"].at(0).at("book").at("id") == other);
  const auto hybrid = reader.get("/api/v1/books/search?q=a%20cat%20there&mode=hybrid");
  REQUIRE(hybrid["items"].as_array().size() >= 1);
  CHECK(hybrid["items"].at(0).at("book").at("id") == other);
  // What is similar shares a meaning, not a word.
  const auto similar = reader.get(fmt::format("/api/v1/recommendations/similar/{}", id));
  REQUIRE(similar.size() >= 1);
  CHECK(similar[0].at("id") == third);

  // A changed record gets another vector.
  REQUIRE(app->librarian()
              .put(fmt::format("/api/v1/books/{}", third),
                   R"({"title":"Late evenings","author":"Cy Reed","description":"The meadow of a keeper."})")
              .status == 200);
  REQUIRE(begin());
  REQUIRE(made());
  CHECK(eventually([&] {
    const auto now = reader.get("/api/v1/books/search?q=the%20pasture%20there&mode=semantic");
    return now["items"].as_array().size() == 1 && now["items"].at(0).at("book").at("id") == third;
  }));

  // Without the model nothing stalls: words, or the library's own vectors, answer.
  meaning.down = true;
  const auto without = reader.get("/api/v1/books/search?q=feline&mode=hybrid");
  REQUIRE(without.status == 200);
  CHECK(without["items"].at(0).at("book").at("id") == other);
  CHECK(reader.get(fmt::format("/api/v1/recommendations/similar/{}", id)).status == 200);
}
