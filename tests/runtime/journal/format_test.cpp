// SPDX-License-Identifier: BSD-3-Clause
// Claim: a type's format brings values back, also those that an earlier version wrote, and refuses what it cannot read.
// Observed: JSON in, values out; checksums against published ones.
#include <troupe/error.hpp>
#include <troupe/journal/crc32c.hpp>
#include <troupe/journal/format.hpp>
#include <troupe/journal/row_codec.hpp>
#include <troupe/journal/rows.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
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

enum class flags : std::uint64_t { none, all = std::numeric_limits<std::uint64_t>::max() };
enum class sure : bool { no, yes };

/// What has a value of its own kind in it.
struct parts {
  flags large = flags::all;
  sure two = sure::yes;
  nlohmann::json any;
  bool operator==(const parts&) const = default;
  static constexpr std::string_view journal_name = "parts";
  TROUPE_JSON(parts, large, two, any)
};

struct measured {
  double value = 0;
  std::vector<float> row{};
  std::map<std::string, double> named{};
  static constexpr std::string_view journal_name = "measured";
  TROUPE_JSON(measured, value, row, named)
};

/// Integers in every place that JSON can have them.
struct numbers {
  std::int8_t small = 0;
  std::uint64_t large = 0;
  std::int64_t negative = 0;
  colour shade{};
  std::vector<std::uint16_t> row{};
  std::map<int, std::set<int>> sparse{};
  std::map<std::string, std::array<int, 2>> named{};
  std::pair<bool, std::deque<int>> both{};
  double real = 0;
  TROUPE_JSON(numbers, small, large, negative, shade, row, sparse, named, both, real)
};

/// What `numbers` says to that value in the place of its member; "read" if it takes it.
std::string taken(const char* member, const char* value) {
  nlohmann::json json = numbers{};
  json[member] = nlohmann::json::parse(value);
  try {
    numbers n;
    troupe::read_json(json, n);
    return nlohmann::json(n).at(member) == json.at(member) ? "read" : "read as another";
  } catch (const std::exception& e) {
    return e.what();
  }
}

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
  troupe::json_text json;
  troupe::json_format<person>::encode(&p, json);
  CHECK(json.view() == R"({"age":36,"first":"Ada","last":"Lovelace"})");
  CHECK(read(3, std::string{json.view()}) == "Ada|Lovelace|36");
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
    troupe::json_text json;
    troupe::json_format<mixture>::encode(&m, json);
    CAPTURE(json.view());
    CHECK(nlohmann::json::parse(json.view()) == nlohmann::json(m));
    const auto back = troupe::json_format<mixture>::decode(1, json.view());
    CHECK(*static_cast<const mixture*>(back.get()) == m);
  }
  mixture broken;
  broken.text = "\x80";
  troupe::json_text json;
  CHECK_THROWS(troupe::json_format<mixture>::encode(&broken, json));
}

TEST_CASE("journal format: large enumerations and JSON itself come back") {
  for (const auto* any : {"null", "1", "\"text\"", "[1,[2]]", R"({"a":{"b":1}})"}) {
    const parts p{flags::all, sure::yes, nlohmann::json::parse(any)};
    troupe::json_text json;
    troupe::json_format<parts>::encode(&p, json);
    CHECK(*static_cast<const parts*>(troupe::json_format<parts>::decode(1, json.view()).get()) == p);
  }
}

TEST_CASE("journal format: a number that JSON does not have is refused when it is written") {
  const auto refused = [](const measured& m) {
    troupe::json_text json;
    CHECK_THROWS_AS(troupe::json_format<measured>::encode(&m, json), troupe::journal_error);
  };
  refused({.value = std::numeric_limits<double>::quiet_NaN()});
  refused({.row = {1, -std::numeric_limits<float>::infinity()}});
  refused({.named = {{"a", std::numeric_limits<double>::infinity()}}});
}

TEST_CASE("journal format: a number that is not one of its member's is refused with the member's name") {
  struct row {
    const char* member;
    const char* value;
    std::string result;
  };
  const std::string i8 = " is not a whole number from -128 to 127";
  const std::string u64 = " is not a whole number from 0 to 18446744073709551615";
  const std::string i64 = " is not a whole number from -9223372036854775808 to 9223372036854775807";
  const std::string i32 = " is not a whole number from -2147483648 to 2147483647";
  const row rows[] = {
      {"small", "-128", "read"},
      {"small", "127", "read"},
      {"small", "5.0", "read"},
      {"small", "-5.0", "read"},
      {"small", "128", "small: 128" + i8},
      {"small", "-129", "small: -129" + i8},
      {"small", "2.5", "small: 2.5" + i8},
      {"small", "1e39", "small: 1e+39" + i8},
      {"small", "\"5\"", "[json.exception.type_error.302] type must be number, but is string"},
      {"large", "18446744073709551615", "read"},
      {"large", "18446744073709551616", "large: 1.8446744073709552e+19" + u64},
      {"large", "-1", "large: -1" + u64},
      {"negative", "-9223372036854775808", "read"},
      {"negative", "9223372036854775807", "read"},
      {"negative", "9223372036854775808", "negative: 9223372036854775808" + i64},
      {"negative", "-1e19", "negative: -1e+19" + i64},
      {"shade", "1", "read"},
      {"shade", "1e39", "shade: 1e+39" + i32},
      {"row", "[1,65535]", "read"},
      {"row", "[1,65536]", "row: 65536 is not a whole number from 0 to 65535"},
      {"sparse", "[[1,[2,3]]]", "read"},
      {"sparse", "[[1,[2,1e39]]]", "sparse: 1e+39" + i32},
      {"sparse", "[[0.5,[]]]", "sparse: 0.5" + i32},
      {"named", R"({"a":[1,-2]})", "read"},
      {"named", R"({"a":[1,1e39]})", "named: 1e+39" + i32},
      {"both", "[true,[7]]", "read"},
      {"both", "[true,[1e10]]", "both: 10000000000.0" + i32},
      {"real", "1e39", "read"},
  };
  for (const auto& r : rows) {
    CAPTURE(r.member);
    CAPTURE(r.value);
    CHECK(taken(r.member, r.value) == r.result);
  }
  CHECK(taken("row", "{}") != "read");
  CHECK(taken("named", "[]") != "read");
  CHECK_THROWS_WITH_AS(troupe::json_format<int>::decode(1, "1e39"), doctest::Contains("1e+39"), troupe::journal_error);
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

TEST_CASE("json text: grows over its first room, and keeps what it has") {
  troupe::json_text text;
  std::string expected;
  for (int i = 0; i < 2'000; ++i) {
    text.add_number(i * 1'000'003LL);
    text += ',';
    text += std::string_view{"abcdefgh"}.substr(0, static_cast<std::size_t>(i % 9));
    expected += std::to_string(i * 1'000'003LL) + ',' +
                std::string(std::string_view{"abcdefgh"}.substr(0, static_cast<std::size_t>(i % 9)));
    REQUIRE(text.view() == expected);
  }
  text.clear();
  CHECK(text.view().empty());
  text += "[]";
  CHECK(text.view() == "[]");
}

TEST_CASE("crc32c: gives the published checksums, in one piece or in two") {
  for (const auto crc : {&troupe::crc32c, &troupe::crc32c_by_table}) {
    // RFC 3720, appendix B.4, and the check value of the catalogue of CRC algorithms.
    CHECK(crc("123456789", 0) == 0xe3069283);
    CHECK(crc(std::string(32, '\0'), 0) == 0x8a9136aa);
    CHECK(crc(std::string(32, '\xff'), 0) == 0x62a8ab43);
    std::string ascending;
    for (int i = 0; i < 32; ++i)
      ascending.push_back(static_cast<char>(i));
    CHECK(crc(ascending, 0) == 0x46dd794e);
    for (std::size_t cut = 0; cut <= 32; ++cut)
      CHECK(crc(ascending.substr(cut), crc(ascending.substr(0, cut), 0)) == 0x46dd794e);
  }
}

TEST_CASE("crc32c: pieces have the checksum of what they make together") {
  std::string all;
  for (int i = 0; i < 40; ++i)
    all.push_back(static_cast<char>(37 * i));
  const std::string_view bytes = all;
  for (std::size_t first = 0; first <= 20; ++first)
    for (std::size_t second = first; second <= bytes.size(); ++second) {
      const std::array pieces{bytes.substr(0, first), bytes.substr(first, second - first), bytes.substr(second)};
      REQUIRE(troupe::crc32c_of(pieces) == troupe::crc32c_by_table(bytes, 0));
    }
  CHECK(troupe::crc32c_of({}) == 0);
}

TEST_CASE("rows: checksums are those that files hold which were written before") {
  const troupe::record_row row{2, 1'700'000'000'123'456, "units_reserved", 1, R"({"tid":17,"quantity":3})"};
  CHECK(troupe::checksum_of("stock/1/2", row) == 0x0c6d78fa);
  CHECK(troupe::checksum_of("stock/1/2", troupe::handled_row{"clerk/1", 7}) == 0x04b38cf9);
  troupe::outbox_row sent{row, "clerk/1", std::nullopt, ""};
  CHECK(troupe::checksum_of("stock/1/2", sent) == 0x492a7125);
  sent.due = 1'700'000'000'999'999;
  sent.timer = "lapse";
  CHECK(troupe::checksum_of("stock/1/2", sent) == 0x783f9714);
  CHECK(troupe::checksum_of_head("stock/1/2", 9) == 0x1f269005);
  CHECK(troupe::checksum_of_place("stock/1/2", 4, 3) == 0xe52b55f6);
}

TEST_CASE("rows: a time beyond the calendar becomes its nearer end") {
  using troupe::time_of, troupe::wall_time_point;
  constexpr auto most = std::numeric_limits<troupe::row_time>::max();
  CHECK(time_of(1'000'001) == wall_time_point{} + std::chrono::microseconds{1'000'001});
  CHECK(wall_time_point::max() - time_of(most) < std::chrono::microseconds{1});
  CHECK(time_of(-most) - wall_time_point::min() < std::chrono::microseconds{1});
}
