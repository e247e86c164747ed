// Forms: what is read of them, whole and cut anywhere.
#include "core/http/multipart.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace lumina::http;

namespace {

constexpr auto type = "multipart/form-data; boundary=edge";

std::string fault_of(std::string_view body, std::string_view content_type = type) {
  const auto parts = parse_multipart(body, content_type);
  return parts ? "" : parts.error();
}

// Everything that was said of the parts, in order.
struct Told {
  std::string parts;
  std::string fault;
  bool operator==(const Told&) const = default;
};

Told told(const std::vector<std::string_view>& pieces) {
  Told out;
  std::string bytes;
  const auto close = [&] { out.parts += std::exchange(bytes, {}) + "]"; };
  bool open = false;
  MultipartReader reader(type, {[&](Part&& part) {
                                  if (open) close();
                                  open = true;
                                  out.parts +=
                                      part.name + "/" + part.filename + "/" + part.content_type + "[";
                                },
                                [&](std::string_view more) { bytes += more; }});
  for (const auto piece : pieces) reader.feed(piece);
  reader.finish();
  if (open) close();
  out.fault = reader.fault();
  return out;
}

const std::string form =
    "ignored\r\n--edge\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nEmma\r\n"
    "--edge \t\r\nContent-Disposition: form-data; name=file; filename=\"C:\\\\x\\\\..\\\\a.pdf\"\r\n"
    "Content-Type: application/pdf\r\n\r\n%PDF\r\n--edg\r\n-edge\r\n\r\n--edge\r\n"
    "Content-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n--edge--\r\nnothing";

}  // namespace

TEST_CASE("a form is read part by part", "[G1]") {
  const auto parts = parse_multipart(form, type);
  REQUIRE(parts);
  REQUIRE(parts->size() == 3);
  CHECK(parts->at(0).name == "title");
  CHECK(parts->at(0).bytes == "Emma");
  CHECK(parts->at(1).filename == "a.pdf");
  CHECK(parts->at(1).content_type == "application/pdf");
  CHECK(parts->at(1).bytes == "%PDF\r\n--edg\r\n-edge\r\n");
  CHECK(parts->at(2).bytes.empty());
}

TEST_CASE("a form that is broken says where", "[G1]") {
  CHECK(fault_of(form, "multipart/form-data") == "the Content-Type has no usable boundary");
  CHECK(fault_of(form, "multipart/form-data; boundary=" + std::string(71, 'x')) ==
        "the Content-Type has no usable boundary");
  CHECK(fault_of(form, "multipart/form-data; boundary=other") == "the first boundary is missing");
  CHECK(fault_of("") == "the first boundary is missing");
  CHECK(fault_of("--edge") == "a boundary is not followed by a line end");
  CHECK(fault_of("--edgewise\r\n\r\n\r\n--edge--") == "a boundary is not followed by a line end");
  CHECK(fault_of("--edge\r\nno colon\r\n\r\nx\r\n--edge--") == "the header of a part is broken");
  CHECK(fault_of("--edge\r\nX: " + std::string(9000, 'x') + "\r\n\r\nx\r\n--edge--") ==
        "the header of a part is broken");
  CHECK(fault_of("--edge\r\nX: y") == "the header of a part is broken");
  CHECK(fault_of("--edge\r\n\r\nno end") == "the last boundary is missing");
  std::string many;
  for (int i = 0; i < 33; ++i) many += "--edge\r\n\r\nx\r\n";
  CHECK(fault_of(many + "--edge--") == "there are too many parts");
  CHECK(fault_of(form).empty());
}

TEST_CASE("where a form is cut into pieces makes no difference", "[G1]") {
  const auto whole = told({form});
  CHECK(whole.fault.empty());
  for (std::size_t cut = 0; cut <= form.size(); ++cut)
    CHECK(told({std::string_view(form).substr(0, cut), std::string_view(form).substr(cut)}) == whole);
  std::vector<std::string_view> single;
  for (std::size_t i = 0; i < form.size(); ++i) single.push_back(std::string_view(form).substr(i, 1));
  CHECK(told(single) == whole);

  // Also of forms that are broken in some way: random texts of the tokens that matter.
  std::mt19937 random(20261122);
  const std::vector<std::string> tokens{
      "--edge", "\r\n", "\r\n--edge", "--",      "\r",
      "\n",     "-",    "edge",       " ",       "\t",
      "x",      ":",    "\r\n\r\n",   "name: v", "\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n"};
  for (int i = 0; i < 4000; ++i) {
    std::string body = i % 2 == 0 ? "--edge\r\n" : "";
    for (auto n = random() % 20; n > 0; --n) body += tokens[random() % tokens.size()];
    std::vector<std::string_view> pieces;
    for (std::string_view rest = body; !rest.empty();) {
      const auto size = std::min<std::size_t>(rest.size(), random() % 5);
      pieces.push_back(rest.substr(0, size));
      rest.remove_prefix(size);
    }
    const auto at_once = told({body});
    const auto cut = told(pieces);
    CAPTURE(body);
    CHECK(cut.fault == at_once.fault);
    if (at_once.fault.empty()) CHECK(cut.parts == at_once.parts);
  }
}
