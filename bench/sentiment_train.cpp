// Trains the sentiment model that is built into the program, and says what it is worth.
//
//   bench_sentiment_train UCI_FOLDER HELD_OUT.tsv FOLDER
//
// Reads the three files of the UCI sentences (CC BY 4.0), leaves out those in HELD_OUT.tsv
// (tests/data/sentiment), and
// writes sentiment_weights.bin and its checksum, sentiment_weights.inc. The same input gives the same bytes.
#include "modules/reviews/sentiment_builtin.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <unordered_set>
#include <vector>

using namespace lumina::reviews;

namespace {

struct Labelled {
  std::string text;
  double positive = 0;
};

// White space made single, as HELD_OUT.tsv has it, so that the two compare.
std::string single_spaced(const std::string& text) {
  std::istringstream words(text);
  std::string out;
  for (std::string word; words >> word;) out += (out.empty() ? "" : " ") + word;
  return out;
}

std::vector<Labelled> read_sentences(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + file.string());
  std::vector<Labelled> found;
  for (std::string line; std::getline(in, line);) {
    const std::size_t tab = line.rfind('\t');
    if (tab == std::string::npos || tab + 1 >= line.size()) continue;
    found.push_back({single_spaced(line.substr(0, tab)), line[tab + 1] == '1' ? 1.0 : 0.0});
  }
  return found;
}

std::vector<Labelled> read_held_out(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + file.string());
  std::vector<Labelled> found;
  for (std::string line; std::getline(in, line);) {
    const std::size_t first = line.find('\t');
    const std::size_t second = line.find('\t', first + 1);
    if (second == std::string::npos) continue;
    found.push_back({line.substr(second + 1), line[first + 1] == '1' ? 1.0 : 0.0});
  }
  return found;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) {
    fmt::print(stderr, "usage: bench_sentiment_train UCI_FOLDER HELD_OUT.tsv FOLDER\n");
    return 2;
  }
  const std::filesystem::path folder = arguments[1];
  const auto held_out = read_held_out(arguments[2]);
  std::unordered_set<std::string> kept_back;
  for (const Labelled& l : held_out) kept_back.insert(l.text);

  std::vector<Labelled> sentences;
  for (const char* name : {"amazon_cells_labelled.txt", "imdb_labelled.txt", "yelp_labelled.txt"}) {
    for (Labelled& l : read_sentences(folder / name)) {
      if (!kept_back.contains(l.text)) sentences.push_back(std::move(l));
    }
  }
  std::vector<Example> examples;
  for (const Labelled& l : sentences) examples.push_back({l.text, l.positive, 1});
  auto model = LinearModel::train(examples);
  if (!model) {
    fmt::print(stderr, "{}\n", model.error().detail);
    return 1;
  }
  const std::filesystem::path output = arguments[3];
  if (const auto written = write_model(*model, output / "sentiment_weights.bin"); !written) {
    fmt::print(stderr, "{}\n", written.error().detail);
    return 1;
  }
  std::ofstream sum(output / "sentiment_weights.inc");
  sum << fmt::format("0x{:08x}U\n", model_checksum(model->save()));
  sum.close();
  if (!sum) {
    fmt::print(stderr, "cannot write the checksum\n");
    return 1;
  }
  const BuiltinSentiment analyzer(*model);
  std::size_t right = 0;
  for (const Labelled& l : held_out) right += (analyzer.read(l.text).logit > 0) == (l.positive > 0.5) ? 1 : 0;
  fmt::print(
      "{} sentences, {} features, {} bytes; blend {:.2f} + {:.2f} linear + {:.2f} rules; right {:.1f} % in "
      "cross-validation, {} of {} held out\n",
      model->examples(), model->features(), model->save().size(), model->blend().bias, model->blend().linear,
      model->blend().rules, 100 * model->accuracy(), right, held_out.size());
  return 0;
}
