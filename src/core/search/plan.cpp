#include "core/search/plan.hpp"

#include "core/base/text.hpp"
#include "core/search/spelling.hpp"

#include <algorithm>
#include <array>

namespace lumina::search {
namespace {

constexpr double synonym_weight = 0.9;
constexpr std::size_t most_corrections = 8;  // of one word, all at the same distance
constexpr int most_corrected_words = 8;      // of one query: looking through the dictionary is what costs
constexpr std::size_t most_synonym_words = 4;

// What a sentence may do without, in the languages that most catalogues have; folded. Librarians add theirs.
constexpr std::array usual_stop_words = {
    std::string_view("a"),   std::string_view("about"), std::string_view("an"),   std::string_view("and"),
    std::string_view("are"), std::string_view("as"),    std::string_view("at"),   std::string_view("au"),
    std::string_view("aux"), std::string_view("be"),    std::string_view("book"), std::string_view("books"),
    std::string_view("by"),  std::string_view("das"),   std::string_view("de"),   std::string_view("del"),
    std::string_view("dem"), std::string_view("den"),   std::string_view("der"),  std::string_view("des"),
    std::string_view("die"), std::string_view("do"),    std::string_view("does"), std::string_view("du"),
    std::string_view("ein"), std::string_view("eine"),  std::string_view("el"),   std::string_view("en"),
    std::string_view("et"),  std::string_view("for"),   std::string_view("from"), std::string_view("how"),
    std::string_view("i"),   std::string_view("il"),    std::string_view("in"),   std::string_view("is"),
    std::string_view("it"),  std::string_view("la"),    std::string_view("las"),  std::string_view("le"),
    std::string_view("les"), std::string_view("los"),   std::string_view("of"),   std::string_view("on"),
    std::string_view("or"),  std::string_view("que"),   std::string_view("that"), std::string_view("the"),
    std::string_view("to"),  std::string_view("un"),    std::string_view("una"),  std::string_view("und"),
    std::string_view("une"), std::string_view("was"),   std::string_view("what"), std::string_view("which"),
    std::string_view("who"), std::string_view("with"),  std::string_view("y")};

std::uint64_t documents_with(const Snapshot& snapshot, std::string_view word) {
  std::uint64_t n = 0;
  for (const auto& part : snapshot.parts)
    if (const auto t = part.segment->term(word)) n += part.segment->documents_with(*t);
  return n;
}

bool begins_a_term(const Snapshot& snapshot, std::string_view word) {
  return std::ranges::any_of(snapshot.parts, [&](const Segment::Part& part) {
    const auto [first, last] = part.segment->terms_beginning(word);
    return first < last;
  });
}

class Planner {
 public:
  Planner(const Snapshot& snapshot, std::string_view text, const Rules& rules)
      : snapshot_(snapshot), text_(text), rules_(rules) {}

  std::expected<Plan, Fault> run(const Query& query) {
    plan_.where = query.plain      ? sentence(text_, 0, ~0U, false)
                  : query.sentence ? quoting(query.root)
                                   : expression(query.root, false);
    if (fault_) return std::unexpected(std::move(*fault_));
    if (!replaced_.empty()) {
      std::size_t from = 0;
      for (const auto& [begin, end, with] : replaced_) {
        plan_.corrected += std::string(text_.substr(from, begin - from)) + with;
        from = end;
      }
      plan_.corrected += text_.substr(from);
    }
    return std::move(plan_);
  }

 private:
  Expression leaf(Leaf leaf) {
    Expression out;
    out.kind = Expression::Kind::leaf;
    out.leaf = plan_.leaves.size();
    plan_.leaves.push_back(std::move(leaf));
    return out;
  }

  // The word, or what stands for it when the index lacks it.
  Leaf word(const Token& token, std::size_t shift, std::uint32_t fields, bool last) {
    Leaf out;
    out.fields = fields;
    out.shown = token.text;
    out.alternatives.push_back({Alternative::Kind::word, {token.text}, 1});
    if (is_known(snapshot_, token.text)) return out;
    if (last && rules_.prefix_last && utf8_length(token.text) > 1 && begins_a_term(snapshot_, token.text)) {
      out.alternatives.push_back({Alternative::Kind::prefix, {token.text}, 1});
      return out;
    }
    const int slips = std::min(rules_.slips.value_or(2), slips_forgiven(token.text));
    const int most =
        rules_.slips && utf8_length(token.text) >= 3 && *rules_.slips > 0 ? *rules_.slips : slips;
    if (most > 0 && ++looked_for_ > most_corrected_words) return out;
    const auto near = nearest_terms(snapshot_, token.text, most, most_corrections);
    for (const auto& n : near)
      out.alternatives.push_back({Alternative::Kind::exact, {n.term}, n.distance == 1 ? 0.9 : 0.8});
    if (!near.empty()) replaced_.emplace_back(shift + token.begin, shift + token.end, near.front().term);
    if (near.empty() && most > 0) try_two_words(token, shift, out);
    return out;
  }

  // "newyork": a space was left out.
  void try_two_words(const Token& token, std::size_t shift, Leaf& out) {
    std::uint64_t best = 0;
    std::pair<std::string, std::string> parts;
    for (std::size_t i = utf8_prefix(token.text, 1).size(); i < token.text.size(); ++i) {
      if ((static_cast<unsigned char>(token.text[i]) & 0xC0U) == 0x80U) continue;
      const auto left = std::string_view(token.text).substr(0, i);
      const auto right = std::string_view(token.text).substr(i);
      if (utf8_length(left) < 2 || utf8_length(right) < 2) continue;
      const auto weaker = std::min(documents_with(snapshot_, left), documents_with(snapshot_, right));
      if (weaker <= best) continue;
      best = weaker;
      parts = {std::string(left), std::string(right)};
    }
    if (best == 0) return;
    out.alternatives.push_back({Alternative::Kind::phrase, {parts.first, parts.second}, 0.9});
    replaced_.emplace_back(shift + token.begin, shift + token.end, parts.first + " " + parts.second);
  }

  // Adds what means the same as the words from `at` on, to each of them.
  void add_synonyms(const std::vector<Token>& tokens, std::vector<Leaf>& leaves) const {
    if (rules_.vocabulary == nullptr || rules_.vocabulary->synonyms.empty()) return;
    for (std::size_t at = 0; at < tokens.size(); ++at) {
      std::string key;
      for (std::size_t n = 1; n <= most_synonym_words && at + n <= tokens.size(); ++n) {
        key += (n > 1 ? " " : "") + tokens[at + n - 1].text;
        const auto known = rules_.vocabulary->synonyms.find(key);
        if (known == rules_.vocabulary->synonyms.end()) continue;
        for (const auto& meaning : known->second) {
          Alternative other{Alternative::Kind::phrase, {}, synonym_weight};
          for (auto& t : tokens_of(meaning)) other.words.push_back(std::move(t.text));
          if (other.words.size() == 1) other.kind = Alternative::Kind::word;
          if (other.words.empty()) continue;
          for (std::size_t i = at; i < at + n; ++i) leaves[i].alternatives.push_back(other);
        }
      }
    }
  }

  bool is_stop_word(std::string_view word) const {
    return std::ranges::binary_search(usual_stop_words, word) ||
           (rules_.vocabulary != nullptr && rules_.vocabulary->stop_words.contains(word));
  }

  // `shift`: where the text stands in the query.
  Expression sentence(std::string_view text, std::size_t shift, std::uint32_t fields, bool strict) {
    auto tokens = tokens_of(text);
    // What follows in a pasted page adds time and memory, and no meaning.
    if (const auto room = most_query_words - std::min(most_query_words, plan_.leaves.size());
        tokens.size() > room) {
      if (room == 0 && !fault_) fault_ = Fault{utf8_length(text_.substr(0, shift)), "has more than 64 words"};
      tokens.resize(room);
    }
    std::vector<Leaf> leaves;
    bool all_optional = true;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      leaves.push_back(word(tokens[i], shift, fields, !strict && i + 1 == tokens.size()));
      leaves.back().optional = !strict && is_stop_word(tokens[i].text);
      all_optional = all_optional && leaves.back().optional;
    }
    if (all_optional)
      for (auto& l : leaves) l.optional = false;
    for (auto& l : leaves) l.negative = l.optional;
    add_synonyms(tokens, leaves);
    Expression out;
    out.kind = strict ? Expression::Kind::all : Expression::Kind::sentence;
    if (tokens.empty() && !trim(text).empty()) {
      // Signs only: nothing can have them.
      out.kind = Expression::Kind::condition;
      out.condition.emplace();
      return out;
    }
    for (auto& l : leaves) out.children.push_back(leaf(std::move(l)));
    if (out.children.empty()) out.kind = Expression::Kind::all;
    return out;
  }

  // Words with phrases among them.
  Expression quoting(const Node& root) {
    Expression out;
    out.kind = Expression::Kind::sentence;
    const auto gather = [&](const auto& self, const Node& node) -> void {
      if (node.kind == Node::Kind::all) {
        for (const auto& child : node.children) self(self, child);
        return;
      }
      auto part =
          node.kind == Node::Kind::phrase ? text(node, false) : sentence(node.text, node.at, ~0U, false);
      if (part.kind == Expression::Kind::condition) return;  // nothing but signs
      if (part.kind == Expression::Kind::leaf) {
        plan_.leaves[part.leaf].required = true;
        out.children.push_back(std::move(part));
        return;
      }
      for (auto& child : part.children) {
        auto& word = plan_.leaves[child.leaf];
        word.optional = word.negative = is_stop_word(word.shown);
        out.children.push_back(std::move(child));
      }
    };
    gather(gather, root);
    if (out.children.empty()) {
      out.kind = Expression::Kind::condition;
      out.condition.emplace();
    }
    return out;
  }

  Expression expression(const Node& node, bool negative) {
    Expression out;
    switch (node.kind) {
      case Node::Kind::all:
      case Node::Kind::any:
        out.kind = node.kind == Node::Kind::all ? Expression::Kind::all : Expression::Kind::any;
        for (const auto& child : node.children) out.children.push_back(expression(child, negative));
        return out;
      case Node::Kind::none_of:
        out.kind = Expression::Kind::none_of;
        out.children.push_back(expression(node.children[0], !negative));
        return out;
      default:
        return text(node, negative);
    }
  }

  Expression text(const Node& node, bool negative) {
    std::uint32_t fields = ~0U;
    if (!node.field.empty()) {
      const auto known = rules_.field ? rules_.field(node.field) : std::nullopt;
      if (!known) {
        auto condition = rules_.special(node.field, node.text);
        Expression out;
        out.kind = Expression::Kind::condition;
        if (condition)
          out.condition = std::move(*condition);
        else if (!fault_)
          fault_ = Fault{utf8_length(text_.substr(0, node.begin)), std::move(condition.error())};
        return out;
      }
      fields = *known;
    }
    const auto before = plan_.leaves.size();
    Expression out;
    const bool quoted = node.kind == Node::Kind::phrase;
    if (node.kind == Node::Kind::word) {
      // A word with a hyphen is several.
      out = sentence(node.text, node.at, fields, true);
      if (out.children.size() == 1) out = Expression(out.children[0]);
    } else {
      Leaf l;
      l.fields = fields;
      l.shown = quoted ? "\"" + node.text + "\"" : node.text + "*";
      Alternative a{quoted ? Alternative::Kind::phrase : Alternative::Kind::prefix, {}, 1};
      for (auto& t : tokens_of(node.text)) a.words.push_back(std::move(t.text));
      if (quoted && a.words.size() == 1) a.kind = Alternative::Kind::exact;
      if (a.words.empty()) {
        out.kind = Expression::Kind::condition;
        out.condition.emplace();
        return out;
      }
      if (!quoted && a.words.size() > 1) {
        // "jean-pau*": all but the last are whole words.
        out.kind = Expression::Kind::all;
        for (std::size_t i = 0; i < a.words.size(); ++i) {
          Leaf one = l;
          one.alternatives.push_back(
              {i + 1 == a.words.size() ? Alternative::Kind::prefix : Alternative::Kind::word,
               {a.words[i]},
               1});
          out.children.push_back(leaf(std::move(one)));
        }
      } else {
        l.alternatives.push_back(std::move(a));
        out = leaf(std::move(l));
      }
    }
    for (auto i = before; i < plan_.leaves.size(); ++i) plan_.leaves[i].negative = negative;
    return out;
  }

  struct Replaced {
    std::size_t begin, end;
    std::string with;
    Replaced(std::size_t b, std::size_t e, std::string w) : begin(b), end(e), with(std::move(w)) {}
  };

  const Snapshot& snapshot_;
  const std::string_view text_;
  const Rules& rules_;
  Plan plan_;
  std::vector<Replaced> replaced_;
  std::optional<Fault> fault_;
  int looked_for_ = 0;  // words that the index lacks
};

}  // namespace

std::string vocabulary_key(std::string_view text) {
  std::string key;
  for (const auto& token : tokens_of(text)) key += (key.empty() ? "" : " ") + token.text;
  return key;
}

std::vector<Meant> meant_by(const Segment& segment, const Alternative& one) {
  std::vector<Meant> out;
  if (one.kind == Alternative::Kind::exact) {
    if (const auto t = segment.term(one.words[0])) out.push_back({*t, ~LanguageSet{0}});
  } else if (one.kind == Alternative::Kind::prefix) {
    const auto [first, last] = segment.terms_beginning(one.words[0]);
    for (auto t = first; t < last; ++t) out.push_back({t, ~LanguageSet{0}});
  } else {
    std::map<TermNumber, LanguageSet> found;
    std::vector<TermNumber> terms;
    for (Language l = 0; l < 32; ++l) {
      if ((segment.languages() & set_of(l)) == 0) continue;
      terms.clear();
      segment.terms_with_stem(stem_of(one.words[0], l), l, terms);
      for (const auto t : terms) found[t] |= set_of(l);
    }
    for (const auto& [t, languages] : found) out.push_back({t, languages});
  }
  return out;
}

bool is_known(const Snapshot& snapshot, std::string_view word) {
  const Alternative asked{Alternative::Kind::word, {std::string(word)}, 1};
  return std::ranges::any_of(snapshot.parts, [&](const Segment::Part& part) {
    return part.segment->term(word).has_value() || !meant_by(*part.segment, asked).empty();
  });
}

std::expected<Plan, Fault> make_plan(const Snapshot& snapshot, const Query& query, std::string_view text,
                                     const Rules& rules) {
  return Planner(snapshot, text, rules).run(query);
}

}  // namespace lumina::search
