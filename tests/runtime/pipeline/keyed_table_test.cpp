// SPDX-License-Identifier: BSD-3-Clause
// Claim: a keyed table is a map that forgets what was done since the last commit.
// Observed: random operations, commits and rollbacks, compared with a std::map and a copy of it at each commit.
#include <troupe/pipeline/keyed_table.hpp>

#include <doctest/doctest.h>

#include <compare>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>

using troupe::pipeline::keyed_table;

namespace {

template <class K, class V>
std::map<K, V> contents(const keyed_table<K, V>& t) {
  std::map<K, V> all;
  t.for_each([&](const K& k, const V& v) { CHECK(all.emplace(k, v).second); });
  CHECK(all.size() == t.size());
  return all;
}

/// A value that is put back word by word, with members that do not fill its words.
struct small {
  explicit small(std::string_view text) : n{static_cast<std::uint64_t>(text.size())} {}
  small& operator+=(std::string_view text) {
    last = text.empty() ? ' ' : text.back();
    n = n * 31 + static_cast<unsigned char>(last);
    return *this;
  }
  friend auto operator<=>(const small&, const small&) = default;
  std::uint64_t n;
  char last = ' ';
};

template <class K, class V = std::string, class MakeKey>
void compare_with_map(std::uint64_t seed, std::uint64_t keys, MakeKey make_key) {
  std::mt19937_64 random{seed};
  keyed_table<K, V> table;
  std::map<K, V> model;
  auto committed = model;
  for (int i = 0; i < 5'000; ++i) {
    const K key = make_key(random() % keys);
    switch (random() % 16) {
      case 0:
        table.commit();
        committed = model;
        break;
      case 1:
        table.rollback();
        model = committed;
        CHECK(contents(table) == model);
        break;
      case 2:
      case 3:
      case 4:
      case 5: CHECK(table.erase(key) == (model.erase(key) == 1)); break;
      case 6: {
        auto* found = table.touch_existing(key);
        REQUIRE((found != nullptr) == model.contains(key));
        if (found != nullptr) {
          *found += "!";
          model.at(key) += "!";
        }
        break;
      }
      case 7: {
        const auto* found = table.find(key);
        REQUIRE((found != nullptr) == model.contains(key));
        if (found != nullptr) {
          table.touch_found(*found) += "?";
          model.at(key) += "?";
        }
        break;
      }
      case 8:
        if (const auto* found = table.find(key)) {
          table.erase_found(*found);
          model.erase(key);
        }
        break;
      default: {
        const auto text = std::to_string(random() % 100);
        table.touch(key, V("new ")) += text;
        model.try_emplace(key, V("new ")).first->second += text;
      }
    }
    const auto* found = table.find(key);
    REQUIRE((found != nullptr) == model.contains(key));
    if (found != nullptr)
      CHECK(*found == model.at(key));
  }
  CHECK(contents(table) == model);
  const auto copy = table;
  CHECK(contents(copy) == model);
}

} // namespace

TEST_CASE("keyed_table: random changes, commits and rollbacks leave what a map would hold") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    compare_with_map<std::int64_t>(seed, 5 + seed * 20, [](std::uint64_t n) { return static_cast<std::int64_t>(n); });
    compare_with_map<std::int64_t, small>(seed, 5 + seed * 20,
                                          [](std::uint64_t n) { return static_cast<std::int64_t>(n); });
    compare_with_map<std::string>(seed, 40, [](std::uint64_t n) { return "key " + std::to_string(n); });
    compare_with_map<std::pair<std::int64_t, std::string>>(seed, 40, [](std::uint64_t n) {
      return std::pair{static_cast<std::int64_t>(n % 6), std::to_string(n / 6)};
    });
  }
}

TEST_CASE("keyed_table: values stay where they are while the table grows and others come and go") {
  keyed_table<std::int64_t, std::string> table;
  std::map<std::int64_t, const std::string*> places;
  for (std::int64_t k = 0; k < 10'000; ++k) {
    places[k] = &table.touch(k, std::to_string(k));
    if (k % 3 == 0)
      table.erase(k / 2);
    if (k % 100 == 0)
      table.commit();
  }
  table.for_each([&](std::int64_t k, const std::string& value) {
    CHECK(&value == places[k]);
    CHECK(value == std::to_string(k));
  });
}

TEST_CASE("keyed_table: memory is used again, within a batch and after clearing") {
  keyed_table<std::int64_t, std::string> table;
  std::set<const std::string*> places;
  for (std::int64_t k = 0; k < 1'000; ++k) {
    places.insert(&table.touch(k, "x"));
    table.erase(k);
  }
  CHECK(places.size() == 1);
  for (int round = 0; round < 3; ++round) {
    for (std::int64_t k = 0; k < 16; ++k)
      places.insert(&table.touch(k, "x"));
    table.commit();
    table.clear();
    CHECK(table.empty());
    CHECK(table.find(3) == nullptr);
  }
  CHECK(places.size() == 16);
}

TEST_CASE("keyed_table: a batch copies a value once, however often it touches it") {
  struct counting {
    counting() = default;
    counting(const counting& other) : copies{other.copies} { ++*copies; }
    counting(counting&&) noexcept = default;
    counting& operator=(const counting&) = delete;
    int* copies = nullptr;
  };
  int copies = 0;
  counting initial;
  initial.copies = &copies;
  keyed_table<int, counting> table;
  for (int i = 0; i < 100; ++i)
    table.touch(i, initial);
  table.commit();
  copies = 0;
  for (int n = 0; n < 10; ++n)
    for (int i = 0; i < 100; ++i)
      table.touch(i, initial);
  CHECK(copies == 100);
}

TEST_CASE("key_hash: neighbouring keys spread evenly over partitions and over a table") {
  using troupe::pipeline::key_hash;
  using troupe::pipeline::partition_of;
  for (std::size_t partitions : {2, 3, 7, 16}) {
    std::map<std::size_t, int> counts;
    for (std::int64_t k = 0; k < 10'000; ++k)
      ++counts[partition_of(key_hash(k), partitions)];
    CHECK(counts.size() == partitions);
    for (const auto& [p, n] : counts) {
      CHECK(p < partitions);
      CHECK(n > 0.9 * 10'000 / static_cast<double>(partitions));
      CHECK(n < 1.1 * 10'000 / static_cast<double>(partitions));
    }
  }
  // Nor do keys with a pattern meet in a few partitions.
  for (unsigned shift = 0; shift < 48; shift += 4) {
    CAPTURE(shift);
    std::map<std::size_t, int> counts;
    for (std::int64_t k = 0; k < 10'000; ++k)
      ++counts[partition_of(key_hash(k << shift), 8)];
    CHECK(counts.size() == 8);
    for (const auto& [p, n] : counts)
      CHECK(n > 1'000);
  }
  // The bits that choose a place in a table do not depend on those that choose the partition.
  std::map<std::uint64_t, int> tops;
  for (std::int64_t k = 0; k < 20'000; ++k)
    if (partition_of(key_hash(k), 2) == 0)
      ++tops[key_hash(k) >> 61];
  CHECK(tops.size() == 8);
  for (const auto& [top, n] : tops)
    CHECK(n > 1'000);
}
