// Judges the built-in sentiment analyser on labelled texts; bench/sentiment/run.sh sets it beside others.
//
//   bench_sentiment_compare DATA_FOLDER HELD_OUT.tsv TEXTS.tsv
//   bench_sentiment_compare DATA_FOLDER              aspects only
//
// Reads DATA_FOLDER/book-reviews.csv and DATA_FOLDER/uci, prints one line a set and method (set, method,
// texts, sign accuracy, AUC, us of processor time a text; tabs between), and writes every text with its set
// and label to TEXTS.tsv, so that other analysers read the very same. A score above 0 is praise, all else
// blame. "built in" are the weights that ship, which never saw the book reviews; "trained here" learns from
// four fifths of a set and is judged on the rest, five times.
#include "modules/reviews/aspects.hpp"
#include "modules/reviews/sentiment_builtin.hpp"
#include "modules/reviews/valence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

using namespace lumina::reviews;

namespace {

struct Labelled {
  std::string text;
  bool praise = false;
};
using Set = std::vector<Labelled>;

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

// Rows of a CSV file whose first column is 1 or 0 and whose second is the text.
Set read_csv(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  Set found;
  std::vector<std::string> row(1);
  bool quoted = false;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (quoted) {
      if (c != '"') row.back() += c;
      if (c == '"' && i + 1 < bytes.size() && bytes[i + 1] == '"')
        row.back() += bytes[++i];
      else if (c == '"')
        quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',') {
      row.emplace_back();
    } else if (c == '\n') {
      if (row.size() == 2 && (row[0] == "1" || row[0] == "0")) found.push_back({row[1], row[0] == "1"});
      row.assign(1, "");
    } else if (c != '\r') {
      row.back() += c;
    }
  }
  return found;
}

// Lines of text, tab, label; or, for the held-out file, origin, label, text.
Set read_tsv(const std::filesystem::path& path, bool label_last) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  Set found;
  for (std::string line; std::getline(in, line);) {
    const std::size_t last = line.rfind('\t');
    if (last == std::string::npos || last + 1 >= line.size()) continue;
    if (label_last) {
      found.push_back({line.substr(0, last), line[last + 1] == '1'});
    } else {
      found.push_back({line.substr(last + 1), line[last - 1] == '1'});
    }
  }
  return found;
}

struct Score {
  double value = 0;
  bool praise = false;
};

// The chance that a praising text scores above a blaming one; ties count half.
double auc(std::vector<Score> scores) {
  std::sort(scores.begin(), scores.end(), [](const Score& a, const Score& b) { return a.value < b.value; });
  double ranks = 0;
  double praising = 0;
  for (std::size_t i = 0; i < scores.size();) {
    std::size_t end = i;
    while (end < scores.size() && scores[end].value == scores[i].value) ++end;
    const double rank = static_cast<double>(i + end + 1) / 2;
    for (; i < end; ++i) {
      if (!scores[i].praise) continue;
      ranks += rank;
      ++praising;
    }
  }
  const double blaming = static_cast<double>(scores.size()) - praising;
  return (ranks - praising * (praising + 1) / 2) / (praising * blaming);
}

using Method = std::function<double(std::string_view)>;

struct Figures {
  std::vector<Score> scores;
  double seconds = 0;

  void judge(const Set& set, const Method& method) {
    const std::clock_t start = std::clock();
    for (const Labelled& l : set) scores.push_back({method(l.text), l.praise});
    seconds += static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  }
  void print(std::string_view set, std::string_view method) const {
    const auto count = static_cast<double>(scores.size());
    const auto right = static_cast<double>(std::count_if(
        scores.begin(), scores.end(), [](const Score& s) { return (s.value > 0) == s.praise; }));
    fmt::print("{}\t{}\t{}\t{:.1f}\t{:.3f}\t{:.0f}\n", set, method, scores.size(), 100 * right / count,
               auc(scores), 1e6 * seconds / count);
  }
};

void judge(std::string_view name, std::string_view method_name, const Set& set, const Method& method) {
  Figures figures;
  figures.judge(set, method);
  figures.print(name, method_name);
}

void cross_validate(std::string_view name, const Set& set) {
  constexpr std::size_t folds = 5;
  Figures both;
  Figures linear;
  for (std::size_t fold = 0; fold < folds; ++fold) {
    Set judged;
    std::vector<Example> examples;
    for (std::size_t i = 0; i < set.size(); ++i) {
      // Spread without regard to the order of the file.
      if ((i * 2654435761U >> 7U) % folds == fold) {
        judged.push_back(set[i]);
      } else {
        examples.push_back({set[i].text, set[i].praise ? 1.0 : 0.0, 1});
      }
    }
    const auto model = LinearModel::train(examples);
    if (!model) throw std::runtime_error(model.error().detail);
    const BuiltinSentiment analyzer(*model);
    both.judge(judged, [&](std::string_view text) { return analyzer.read(text).logit; });
    linear.judge(judged, [&](std::string_view text) { return model->read(text).logit; });
  }
  both.print(name, "LuminaLib, trained here");
  linear.print(name, "  its linear model alone");
}

void write_texts(std::ofstream& out, std::string_view name, const Set& set) {
  for (const Labelled& l : set) {
    std::string text = l.text;
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c == '\n' || c == '\t' || c == '\r'; }, ' ');
    out << name << '\t' << (l.praise ? '1' : '0') << '\t' << text << '\n';
  }
}

void report(std::string_view name, const Set& set, std::ofstream& texts) {
  write_texts(texts, name, set);
  const BuiltinSentiment shipped;
  judge(name, "LuminaLib, built in", set, [&](std::string_view text) { return shipped.read(text).logit; });
  judge(name, "  its rules alone", set, [](std::string_view text) { return valence(text).balance(); });
}

// How often aspects are spoken of, whether their sentiment has the sign of the label, and what that costs.
void report_aspects(const Set& set) {
  const std::clock_t began = std::clock();
  std::vector<Remarks> all;
  for (const auto& each : set) all.push_back(remarks(each.text));
  const double cost = static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;
  fmt::print("aspects: {:.1f} us a review\n", cost * 1e6 / static_cast<double>(set.size()));
  for (std::size_t a = 0; a < aspect_names.size(); ++a) {
    int speak = 0, judge = 0, right = 0;
    for (std::size_t i = 0; i < set.size(); ++i) {
      double sum = 0;
      bool spoken = false;
      for (const auto& remark : all[i])
        if (static_cast<std::size_t>(remark.aspect) == a) {
          spoken = true;
          sum += remark.sentiment;
        }
      speak += spoken ? 1 : 0;
      if (sum == 0) continue;
      ++judge;
      right += (sum > 0) == set[i].praise ? 1 : 0;
    }
    fmt::print("{}: spoken of in {}, judged in {}, with the sign of the review {:.3f}\n", aspect_names[a],
               speak, judge, judge == 0 ? 0 : static_cast<double>(right) / judge);
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count == 2) {
    try {
      report_aspects(read_csv(std::filesystem::path(arguments[1]) / "book-reviews.csv"));
    } catch (const std::exception& e) {
      return fmt::print(stderr, "{}\n", e.what()), 1;
    }
    return 0;
  }
  if (count != 4) {
    fmt::print(stderr, "usage: bench_sentiment_compare DATA_FOLDER HELD_OUT.tsv TEXTS.tsv\n");
    return 2;
  }
  try {
    const std::filesystem::path data = arguments[1];
    std::ofstream texts(arguments[3], std::ios::binary);
    const Set books = read_csv(data / "book-reviews.csv");
    report("book reviews", books, texts);
    cross_validate("book reviews", books);
    report("short, held out", read_tsv(arguments[2], false), texts);
    Set sentences;
    for (const char* file : {"amazon_cells_labelled.txt", "imdb_labelled.txt", "yelp_labelled.txt"}) {
      const Set some = read_tsv(data / "uci" / file, true);
      sentences.insert(sentences.end(), some.begin(), some.end());
    }
    write_texts(texts, "short, all", sentences);
    cross_validate("short, all", sentences);
    texts.close();
    if (!texts) throw std::runtime_error("cannot write the texts");
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}\n", e.what());
    return 1;
  }
  return 0;
}
