// SPDX-License-Identifier: BSD-3-Clause
// Claim: a key table finds every object that it was given and has not lost, under its key, however the hashes collide.
// Observed: what it finds, beside a map, in random histories.
#include <troupe/journal/key_table.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <map>
#include <memory>
#include <random>
#include <string>

namespace {

struct thing {
  std::string name;
  const std::string& key() const noexcept { return name; }
};

using table = troupe::detail::key_table<thing>;

/// The hash of key number `i`, so that keys lie close together, at the end of the table, too.
std::size_t crowded(std::size_t i) { return (i % 3 == 0 ? ~std::size_t{0} : i / 4) << 8; }

} // namespace

TEST_CASE("key table: it finds what a map finds") {
  std::mt19937 random{11};
  for (int life = 0; life < 50; ++life) {
    table t;
    std::map<std::size_t, std::unique_ptr<thing>> all;
    for (int step = 0; step < 400; ++step) {
      const auto i = random() % 40;
      const auto key = std::to_string(i);
      auto& known = all[i];
      auto* const* const found = t.find(crowded(i), key);
      REQUIRE((found != nullptr ? *found : nullptr) == known.get());
      if (known == nullptr) {
        known = std::make_unique<thing>(key);
        t.make_room();
        t.add(crowded(i), *known);
      } else if (random() % 4 == 0) { // another one takes its place before it goes
        auto other = std::make_unique<thing>(key);
        *t.find(crowded(i), key) = other.get();
        t.erase(crowded(i), *known);
        known = std::move(other);
      } else {
        t.erase(crowded(i), *known);
        known.reset();
      }
    }
    std::size_t there = 0;
    for (const auto& [i, x] : all) {
      there += x != nullptr ? 1 : 0;
      auto* const* const found = t.find(crowded(i), std::to_string(i));
      CHECK((found != nullptr ? *found : nullptr) == x.get());
    }
    CHECK(t.size() == there);
    t.for_each([&](const thing& x) { there -= all[std::stoul(x.name)].get() == &x ? 1 : 0; });
    CHECK(there == 0);
  }
}

TEST_CASE("key table: one that was never used finds and loses nothing") {
  table t;
  const thing x{"x"};
  CHECK(t.find(table::hash_of("x"), "x") == nullptr);
  t.erase(table::hash_of("x"), x);
  CHECK(t.size() == 0);
}
