#include "modules/books/oai.hpp"

#include "core/base/text.hpp"
#include "core/marc/writer.hpp"
#include "core/xml/writer.hpp"
#include "modules/books/changed_books.hpp"
#include "modules/books/dublin_core.hpp"
#include "modules/books/marc_record.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

namespace lumina::books {
namespace {

constexpr int page_size = 100;
constexpr std::string_view scheme = "oai:luminalib:book/";
constexpr Timestamp far_future{253402300800000};  // the year 10000

struct Fault {
  std::string code, message;
};

struct Harvest {
  std::string prefix;
  Timestamp from{0}, end = far_future;  // `end` is the first moment that is not asked for
  ChangePlace place;
  std::int64_t sent = 0;
};

std::string token_of(const Harvest& h) {
  return base64url_encode(boost::json::serialize(
      boost::json::array{h.prefix, h.from.ms, h.end.ms, h.place.at.ms, h.place.id.value, h.sent}));
}
std::optional<Harvest> harvest_of(std::string_view token) {
  const auto text = base64url_decode(token);
  if (!text) return {};
  boost::system::error_code error;
  const auto value = boost::json::parse(*text, error);
  if (error || !value.is_array() || value.get_array().size() != 6) return {};
  const auto& parts = value.get_array();
  if (!parts[0].is_string()) return {};
  for (std::size_t i = 1; i < 6; ++i)
    if (!parts[i].is_int64()) return {};
  Harvest h;
  h.prefix = std::string_view(parts[0].get_string());
  if (h.prefix != "oai_dc" && h.prefix != "marc21") return {};
  h.from = {parts[1].get_int64()};
  h.end = {parts[2].get_int64()};
  h.place = {{parts[3].get_int64()}, {parts[4].get_int64()}};
  h.sent = parts[5].get_int64();
  return h;
}

std::optional<BookId> id_of(std::string_view identifier) {
  if (!identifier.starts_with(scheme)) return {};
  identifier.remove_prefix(scheme.size());
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(identifier.data(), identifier.data() + identifier.size(), id);
  if (error != std::errc{} || end != identifier.data() + identifier.size() || id <= 0) return {};
  return BookId{id};
}

void write_header(const ChangedBook& changed, xml::Writer& w) {
  w.open("header", {{"status", changed.book ? "" : "deleted"}});
  w.element("identifier", fmt::format("{}{}", scheme, changed.id.value));
  w.element("datestamp", to_rfc3339(changed.at));
  w.close();
}
void write_record(const ChangedBook& changed, std::string_view prefix, xml::Writer& w) {
  w.open("record");
  write_header(changed, w);
  if (changed.book) {
    w.open("metadata");
    if (prefix == "marc21")
      marc::write_marcxml(to_marc(*changed.book), w, true);
    else
      write_oai_dc(*changed.book, w);
    w.close();
  }
  w.close();
}

// One request, answered in one unit of work.
class Answer {
 public:
  Answer(db::Transaction& tx, const OaiRequest& request) : tx_(tx), request_(request), w_(body_) {}

  std::string text() {
    std::string verb;
    std::optional<Fault> fault;
    for (const auto& [name, value] : request_.arguments) {
      if (name == "verb" && !verb.empty()) fault = Fault{"badVerb", "The verb is given twice"};
      if (name == "verb" && verb.empty()) verb = value;
      if (name != "verb" && !arguments_.emplace(name, value).second)
        fault = Fault{"badArgument", "The argument " + name + " is given twice"};
    }
    if (!fault) fault = run(verb);
    std::string out;
    xml::Writer w(out);
    w.declaration();
    w.open("OAI-PMH",
           {{"xmlns", "http://www.openarchives.org/OAI/2.0/"},
            {"xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"},
            {"xsi:schemaLocation",
             "http://www.openarchives.org/OAI/2.0/ http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd"}});
    w.element("responseDate", to_rfc3339(request_.now));
    // The arguments are repeated only when they could be understood.
    const bool repeat = !fault || (fault->code != "badVerb" && fault->code != "badArgument");
    const auto argument = [&](const char* name) {
      const auto found = arguments_.find(name);
      return repeat && found != arguments_.end() ? std::string_view(found->second) : std::string_view{};
    };
    w.element("request", request_.address,
              {{"verb", repeat ? std::string_view(verb) : std::string_view{}},
               {"identifier", argument("identifier")},
               {"metadataPrefix", argument("metadataPrefix")},
               {"from", argument("from")},
               {"until", argument("until")},
               {"set", argument("set")},
               {"resumptionToken", argument("resumptionToken")}});
    if (fault)
      w.element("error", fault->message, {{"code", fault->code}});
    else
      w.raw(body_);
    w.close();
    out += '\n';
    return out;
  }

 private:
  std::optional<Fault> run(const std::string& verb) {
    if (verb == "Identify") return only({}) ? identify() : unknown_argument();
    if (verb == "ListMetadataFormats") return only({"identifier"}) ? formats() : unknown_argument();
    if (verb == "ListSets")
      return only({"resumptionToken"}) ? Fault{"noSetHierarchy", "The repository has no sets"}
                                       : unknown_argument();
    if (verb == "GetRecord") return only({"identifier", "metadataPrefix"}) ? record() : unknown_argument();
    if (verb == "ListRecords" || verb == "ListIdentifiers")
      return only({"from", "until", "set", "metadataPrefix", "resumptionToken"}) ? list(verb)
                                                                                 : unknown_argument();
    return Fault{"badVerb", verb.empty() ? "The verb is missing" : "There is no such verb"};
  }
  bool only(std::initializer_list<std::string_view> known) const {
    return std::ranges::all_of(arguments_, [&](const auto& argument) {
      return std::ranges::find(known, argument.first) != known.end();
    });
  }
  static std::optional<Fault> unknown_argument() {
    return Fault{"badArgument", "An argument is not known to this verb"};
  }
  const std::string* get(const char* name) const {
    const auto found = arguments_.find(name);
    return found == arguments_.end() ? nullptr : &found->second;
  }

  std::optional<Fault> identify() {
    w_.open("Identify");
    w_.element("repositoryName", "LuminaLib");
    w_.element("baseURL", request_.address);
    w_.element("protocolVersion", "2.0");
    // The protocol wants an address; nobody's is published.
    w_.element("adminEmail", "library@" + host());
    w_.element("earliestDatestamp", to_rfc3339(first_change(tx_).value_or(Timestamp{0})));
    w_.element("deletedRecord", "persistent");
    w_.element("granularity", "YYYY-MM-DDThh:mm:ssZ");
    w_.close();
    return {};
  }
  std::string host() const {
    auto rest = std::string_view(request_.address);
    rest.remove_prefix(std::min(rest.size(), rest.find("//") + 2));
    return std::string(rest.substr(0, rest.find_first_of(":/")));
  }

  std::optional<Fault> formats() {
    if (const auto* identifier = get("identifier")) {
      const auto id = id_of(*identifier);
      if (!id || !changed(tx_, *id)) return Fault{"idDoesNotExist", "There is no such book"};
    }
    w_.open("ListMetadataFormats");
    const auto format = [&](std::string_view prefix, std::string_view schema, std::string_view name) {
      w_.open("metadataFormat");
      w_.element("metadataPrefix", prefix);
      w_.element("schema", schema);
      w_.element("metadataNamespace", name);
      w_.close();
    };
    format("oai_dc", "http://www.openarchives.org/OAI/2.0/oai_dc.xsd",
           "http://www.openarchives.org/OAI/2.0/oai_dc/");
    format("marc21", "http://www.loc.gov/standards/marcxml/schema/MARC21slim.xsd", marc::slim_namespace);
    w_.close();
    return {};
  }

  std::optional<Fault> record() {
    const auto *identifier = get("identifier"), *prefix = get("metadataPrefix");
    if (!identifier || !prefix) return Fault{"badArgument", "identifier and metadataPrefix are required"};
    if (*prefix != "oai_dc" && *prefix != "marc21") return no_such_format();
    const auto id = id_of(*identifier);
    const auto found = id ? changed(tx_, *id) : std::nullopt;
    if (!found) return Fault{"idDoesNotExist", "There is no such book"};
    w_.open("GetRecord");
    write_record(*found, *prefix, w_);
    w_.close();
    return {};
  }
  static std::optional<Fault> no_such_format() {
    return Fault{"cannotDisseminateFormat", "The formats are oai_dc and marc21"};
  }

  // The moment that an argument names: a day, or a second; `next` gives the first moment behind it.
  static std::optional<Timestamp> moment(const std::string& text, bool next) {
    const bool day = text.size() == 10, second = text.size() == 20 && text.ends_with('Z');
    if (!day && !second) return {};
    const auto at = parse_rfc3339(text);
    if (!at) return {};
    return next ? *at + std::chrono::milliseconds(day ? 86'400'000 : 1000) : *at;
  }

  std::optional<Fault> list(const std::string& verb) {
    Harvest harvest;
    if (const auto* token = get("resumptionToken")) {
      if (arguments_.size() > 1) return Fault{"badArgument", "A resumptionToken stands alone"};
      const auto read = harvest_of(*token);
      if (!read) return Fault{"badResumptionToken", "The token is none of this repository"};
      harvest = *read;
    } else {
      const auto *prefix = get("metadataPrefix"), *from = get("from"), *until = get("until");
      if (!prefix) return Fault{"badArgument", "metadataPrefix is required"};
      if (*prefix != "oai_dc" && *prefix != "marc21") return no_such_format();
      if (get("set")) return Fault{"noSetHierarchy", "The repository has no sets"};
      harvest.prefix = *prefix;
      if (from && until && from->size() != until->size())
        return Fault{"badArgument", "from and until differ in granularity"};
      if (from) {
        const auto at = moment(*from, false);
        if (!at) return Fault{"badArgument", "from is no UTC date"};
        harvest.from = *at;
      }
      if (until) {
        const auto at = moment(*until, true);
        if (!at) return Fault{"badArgument", "until is no UTC date"};
        harvest.end = *at;
      }
      if (harvest.end <= harvest.from) return Fault{"badArgument", "from is after until"};
      harvest.place = {harvest.from - std::chrono::milliseconds(1), {INT64_MAX}};
    }
    auto found = changed_after(tx_, harvest.place, harvest.end, page_size + 1);
    if (found.empty() && harvest.sent == 0) return Fault{"noRecordsMatch", "Nothing changed in that time"};
    const bool more = found.size() > static_cast<std::size_t>(page_size);
    if (more) found.pop_back();
    w_.open(verb);
    for (const auto& changed : found) {
      if (verb == "ListIdentifiers")
        write_header(changed, w_);
      else
        write_record(changed, harvest.prefix, w_);
    }
    const auto cursor = std::to_string(harvest.sent);
    const bool resumed = get("resumptionToken") != nullptr;
    if (more) {
      harvest.sent += static_cast<std::int64_t>(found.size());
      harvest.place = {found.back().at, found.back().id};
      const auto total = std::to_string(count_changed(tx_, harvest.from, harvest.end));
      w_.element("resumptionToken", token_of(harvest), {{"completeListSize", total}, {"cursor", cursor}});
    } else if (resumed) {
      // The last part of a list ends with an empty token.
      w_.element("resumptionToken", "", {{"cursor", cursor}});
    }
    w_.close();
    return {};
  }

  db::Transaction& tx_;
  const OaiRequest& request_;
  std::map<std::string, std::string> arguments_;
  std::string body_;
  xml::Writer w_;
};

}  // namespace

Task<Result<std::string>> oai_answer(db::Database& database, OaiRequest request) {
  auto work = [request = std::move(request)](db::Transaction& tx) { return Answer(tx, request).text(); };
  return database.read(std::move(work));
}

}  // namespace lumina::books
