// SPDX-License-Identifier: BSD-3-Clause
// Claim: a type's format brings values back, also those that an earlier version wrote, and refuses what it cannot read.
// Observed: JSON in, values out; checksums against published ones.
#include <troupe/error.hpp>
#include <troupe/journal/crc32c.hpp>
#include <troupe/journal/format.hpp>
#include <troupe/journal/row_codec.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace {

/// Its version 1 had a `name` in one piece, version 2 no `age`.
struct person {
  std::string first;
  std::string last;
  int age = 0;

  static constexpr std::string_view journal_name = "person";
  static constexpr int journal_version = 3;
  static void upcast(int from, nlohmann::json& j) {
    if (from == 1) {
      const auto name = j.at("name").get<std::string>();
      const auto blank = name.find(' ');
      j = {{"first", name.substr(0, blank)}, {"last", name.substr(blank + 1)}};
    } else if (from == 2) {
      j["age"] = -1;
    }
  }
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(person, first, last, age)
};

struct anonymous {};

enum class colour { red, green };

/// One of everything that is written without nlohmann::json.
struct mixture {
  bool yes = true;
  std::uint8_t small = 200;
  std::int64_t large = std::numeric_limits<std::int64_t>::min();
  colour shade = colour::green;
  std::string text;
  std::vector<bool> flags{true, false};
  std::array<int, 2> pair{1, -2};
  std::vector<std::string> empty{};
  std::map<std::string, int> named{{"a", 1}};
  double real = 0.5;
  static constexpr std::string_view journal_name = "mixture";
  bool operator==(const mixture&) const = default;
  TROUPE_JSON(mixture, yes, small, large, shade, text, flags, pair, empty, named, real)
};

std::string read(int version, std::string_view json) {
  const auto value = troupe::json_format<person>::decode(version, json);
  const auto& p = *static_cast<const person*>(value.get());
  return p.first + '|' + p.last + '|' + std::to_string(p.age);
}

} // namespace

template <>
inline constexpr std::string_view troupe::journal_name<int> = "number";

TEST_CASE("journal format: a value comes back") {
  const person p{"Ada", "Lovelace", 36};
  std::string json;
  troupe::json_format<person>::encode(&p, json);
  CHECK(json == R"({"age":36,"first":"Ada","last":"Lovelace"})");
  CHECK(read(3, json) == "Ada|Lovelace|36");
}

TEST_CASE("journal format: an earlier version goes through each step to the present one") {
  CHECK(read(1, R"({"name":"Ada Lovelace"})") == "Ada|Lovelace|-1");
  CHECK(read(2, R"({"first":"Ada","last":"Lovelace"})") == "Ada|Lovelace|-1");
}

TEST_CASE("journal format: a later version, none, and what is not its JSON are refused") {
  CHECK_THROWS_WITH_AS(read(4, "{}"), "this program knows versions 1 to 3", troupe::journal_error);
  CHECK_THROWS_AS(read(0, "{}"), troupe::journal_error);
  CHECK_THROWS(read(3, "{}"));
  CHECK_THROWS(read(3, "{\"first\":"));
}

TEST_CASE("journal format: what is written at once reads as what nlohmann::json writes") {
  for (const auto* text : {"", "plain", "a \"quote\" and a \\", "line\nend\t", "Ž 🐎", "\x7f"}) {
    mixture m;
    m.text = text;
    std::string json;
    troupe::json_format<mixture>::encode(&m, json);
    CAPTURE(json);
    CHECK(nlohmann::json::parse(json) == nlohmann::json(m));
    const auto back = troupe::json_format<mixture>::decode(1, json);
    CHECK(*static_cast<const mixture*>(back.get()) == m);
  }
  mixture broken;
  broken.text = "\x80";
  std::string json;
  CHECK_THROWS(troupe::json_format<mixture>::encode(&broken, json));
}

TEST_CASE("journal format: a type has one if it is named, by a member or by a specialisation") {
  CHECK(troupe::journal_type_of<person>.format->name == "person");
  CHECK(troupe::journal_type_of<person>.format->version == 3);
  CHECK(troupe::journal_type_of<int>.format->name == "number");
  CHECK(troupe::journal_type_of<int>.format->version == 1);
  CHECK(troupe::journal_type_of<anonymous>.format == nullptr);
}

TEST_CASE("journal format: a key is text of a bounded length") {
  CHECK_NOTHROW(troupe::check_key("key", "stock/85123A"));
  CHECK_NOTHROW(troupe::check_key("key", "Ž 🐎"));
  CHECK_NOTHROW(troupe::check_key("key", std::string(1'000, 'x')));
  for (const auto& bad :
       {std::string{}, std::string(1'001, 'x'), std::string("a\0b", 3), std::string{"\x80"}, std::string{"\xc0\xaf"},
        std::string{"\xed\xa0\x80"}, std::string{"\xf4\x90\x80\x80"}, std::string{"a\xe2\x82"}})
    CHECK_THROWS_AS(troupe::check_key("key", bad), troupe::usage_error);
}

TEST_CASE("crc32c: gives the published checksums, in one piece or in two") {
  // RFC 3720, appendix B.4, and the check value of the catalogue of CRC algorithms.
  CHECK(troupe::crc32c("123456789") == 0xe3069283);
  CHECK(troupe::crc32c(std::string(32, '\0')) == 0x8a9136aa);
  CHECK(troupe::crc32c(std::string(32, '\xff')) == 0x62a8ab43);
  std::string ascending;
  for (int i = 0; i < 32; ++i)
    ascending.push_back(static_cast<char>(i));
  CHECK(troupe::crc32c(ascending) == 0x46dd794e);
  for (std::size_t cut = 0; cut <= 32; ++cut)
    CHECK(troupe::crc32c(ascending.substr(cut), troupe::crc32c(ascending.substr(0, cut))) == 0x46dd794e);
}

TEST_CASE("rows: a time beyond the calendar becomes its nearer end") {
  using troupe::time_of, troupe::wall_time_point;
  constexpr auto most = std::numeric_limits<troupe::row_time>::max();
  CHECK(time_of(1'000'001) == wall_time_point{} + std::chrono::microseconds{1'000'001});
  CHECK(wall_time_point::max() - time_of(most) < std::chrono::microseconds{1});
  CHECK(time_of(-most) - wall_time_point::min() < std::chrono::microseconds{1});
}
