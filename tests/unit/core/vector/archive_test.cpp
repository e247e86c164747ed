#include "core/vector/archive.hpp"

#include "core/security/random.hpp"

#include <catch2/catch.hpp>

namespace lumina::vector {
namespace {

std::string example(std::uint32_t version) {
  ArchiveWriter writer("LUMTESTS", version);
  writer.put<std::int64_t>(-5);
  writer.put_text("some text");
  writer.put_all(std::vector<float>{1, 2.5F});
  return std::move(writer).finish();
}

TEST_CASE("what was put is taken in the same order") {
  const auto bytes = example(1);
  auto reader = ArchiveReader::open(bytes, "LUMTESTS", 1).value();
  CHECK(reader.take<std::int64_t>() == -5);
  CHECK(reader.take_text() == "some text");
  CHECK(reader.take_all<float>() == std::vector<float>{1, 2.5F});
  CHECK(reader.status());
}

TEST_CASE("archives of another kind, a newer format or with changed bytes are refused") {
  const auto bytes = example(2);
  CHECK(ArchiveReader::open(bytes, "LUMOTHER", 2).error().code == "model_damaged");
  CHECK(ArchiveReader::open(bytes, "LUMTESTS", 1).error().code == "model_newer");
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto changed = bytes;
    changed[i] = static_cast<char>(changed[i] + 1);
    CHECK_FALSE(ArchiveReader::open(changed, "LUMTESTS", 2));
    CHECK_FALSE(ArchiveReader::open(std::string_view(bytes).substr(0, i), "LUMTESTS", 2));
  }
}

TEST_CASE("a length that lies is a fault, not an allocation, even under a good checksum") {
  std::string bytes = "LUMTESTS";
  const std::uint32_t version = 1;
  const std::uint64_t lie = ~std::uint64_t{0} / 2;
  bytes.append(reinterpret_cast<const char*>(&version), sizeof version);
  bytes.append(reinterpret_cast<const char*>(&lie), sizeof lie);
  bytes += security::sha256(bytes);
  auto list = ArchiveReader::open(bytes, "LUMTESTS", 1).value();
  CHECK(list.take_all<double>().empty());
  CHECK(list.take<int>() == 0);
  CHECK(list.status().error().code == "model_damaged");
  auto text = ArchiveReader::open(bytes, "LUMTESTS", 1).value();
  CHECK(text.take_text().empty());
  CHECK_FALSE(text.status());
}

TEST_CASE("bytes that are left over are a fault") {
  const auto bytes = example(1);
  auto reader = ArchiveReader::open(bytes, "LUMTESTS", 1).value();
  reader.take<std::int64_t>();
  CHECK_FALSE(reader.status());
}

TEST_CASE("files are replaced whole, and a folder or a missing file is an error") {
  const auto folder = std::filesystem::temp_directory_path() / ("lumina-archive-" + security::opaque_token());
  std::filesystem::create_directories(folder);
  const auto path = folder / "model";
  CHECK(read_file(path).error().kind == ErrorKind::not_found);
  CHECK(write_file(path, "first"));
  CHECK(write_file(path, "second"));
  CHECK(read_file(path).value() == "second");
  CHECK(std::distance(std::filesystem::directory_iterator(folder), {}) == 1);
  CHECK_FALSE(read_file(folder));
  CHECK_FALSE(write_file(folder / "none" / "model", "x"));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace lumina::vector
