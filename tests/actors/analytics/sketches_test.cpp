// SPDX-License-Identifier: BSD-3-Clause
// Claim: each summary of a stream keeps its stated error, and the merge of the parts is the summary of the whole.
// Observed: random and adversarial streams against exact answers that keep everything. Seeds are printed on failure.
#include <troupe/analytics/distinct_count.hpp>
#include <troupe/analytics/fading_mean.hpp>
#include <troupe/analytics/heavy_hitters.hpp>
#include <troupe/analytics/moments.hpp>
#include <troupe/analytics/quantile_sketch.hpp>
#include <troupe/analytics/sliding_rate.hpp>
#include <troupe/analytics/stable_hash.hpp>
#include <troupe/analytics/top_list.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace troupe::analytics;
using doctest::Approx;

namespace {

/// Streams that are hard for one summary or another.
std::vector<std::vector<double>> streams(unsigned seed) {
  std::mt19937_64 random{seed};
  std::vector<std::vector<double>> all(7);
  std::lognormal_distribution<double> wide{0, 4};
  std::normal_distribution<double> normal{1e8, 1};
  for (int i = 0; i < 5'000; ++i) {
    all[0].push_back(wide(random));
    all[1].push_back(normal(random));
    all[2].push_back((random() % 2 == 0 ? 1 : -1) * wide(random));
    all[3].push_back(7);
    all[4].push_back(i);                                // ascending
    all[5].push_back(i % 100 == 0 ? 1e12 : 1e-3);       // two ends
    all[6].push_back(random() % 3 == 0 ? 0 : -1.0 * i); // zeros
  }
  return all;
}

} // namespace

TEST_CASE("moments: mean and variance are those of two passes") {
  for (const auto& values : streams(1)) {
    moments m;
    for (const double v : values)
      m.add(v);
    const auto count = static_cast<long double>(values.size());
    long double mean = 0;
    for (const double v : values)
      mean += v / count;
    long double squares = 0;
    for (const double v : values)
      squares += (v - mean) * (v - mean);
    CHECK(m.mean() == Approx(static_cast<double>(mean)).epsilon(1e-12));
    CHECK(m.variance() == Approx(static_cast<double>(squares / (count - 1))).epsilon(1e-7));
    CHECK(m.least() == *std::min_element(values.begin(), values.end()));
    CHECK(m.most() == *std::max_element(values.begin(), values.end()));
  }
}

TEST_CASE("moments: the merge of any parts is the whole") {
  std::mt19937_64 random{2};
  for (const auto& values : streams(2)) {
    moments whole;
    std::vector<moments> parts(4); // the last one stays empty
    for (const double v : values) {
      whole.add(v);
      parts[random() % 3].add(v);
    }
    moments merged;
    for (const auto& p : parts)
      merged.merge(p);
    CHECK(merged.count() == whole.count());
    CHECK(merged.mean() == Approx(whole.mean()).epsilon(1e-12));
    CHECK(merged.variance() == Approx(whole.variance()).epsilon(1e-7));
  }
}

TEST_CASE("fading_mean: a held value is reached by half in each half-life whatever the steps are") {
  for (const double step : {0.01, 0.5, 3.0}) {
    CAPTURE(step);
    fading_mean mean{10};
    mean.add(0, 100);
    for (double t = 1; t <= 31; t += step)
      mean.add(t, 0);
    mean.add(31, 0);
    CHECK(mean.mean_at(31) == Approx(100 * std::exp2(-3)));
    CHECK(mean.mean_at(41) == Approx(100 * std::exp2(-4)));
  }
  CHECK(fading_mean{1}.mean_at(5) == 0);
}

TEST_CASE("quantile_sketch: every quantile is within the relative error") {
  for (const double error : {0.01, 0.05, 0.2})
    for (auto values : streams(3)) {
      quantile_sketch sketch{error};
      for (const double v : values)
        sketch.add(v);
      std::sort(values.begin(), values.end());
      for (double q = 0; q <= 1; q += 0.001) {
        const double exact = values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
        REQUIRE(std::abs(sketch.quantile(q) - exact) <= std::abs(exact) * error * (1 + 1e-9) + quantile_sketch::least);
      }
    }
}

TEST_CASE("quantile_sketch: the bound holds up to the largest number") {
  for (const double error : {1e-6, 0.01, 0.2})
    for (const double size : {1.7e308, std::numeric_limits<double>::max()})
      for (const double value : {size, -size}) {
        quantile_sketch sketch{error};
        sketch.add(value);
        CHECK(std::abs(sketch.quantile(0.5) / value - 1) <= error * (1 + 1e-6));
      }
}

TEST_CASE("quantile_sketch: the merge of parts is the whole") {
  std::mt19937_64 random{4};
  for (const auto& values : streams(4)) {
    quantile_sketch whole;
    std::vector<quantile_sketch> parts(3);
    for (const double v : values) {
      whole.add(v);
      parts[random() % 3].add(v);
    }
    quantile_sketch merged;
    for (const auto& p : parts)
      merged.merge(p);
    CHECK(merged == whole);
  }
}

TEST_CASE("quantile_sketch: beyond its buckets only the smallest sizes lose their bound") {
  quantile_sketch sketch{0.001};
  std::vector<double> values;
  for (int i = 0; i < 4'000; ++i)
    values.push_back(std::pow(10.0, -8 + i * 0.005));
  for (const double v : values)
    sketch.add(v);
  CHECK(sketch.count() == 4'000);
  for (const double q : {0.9, 0.99, 1.0})
    CHECK(sketch.quantile(q) == Approx(values[static_cast<std::size_t>(q * 3'999)]).epsilon(0.0011));
}

TEST_CASE("distinct_count: the error is within four times the stated one") {
  for (const std::uint64_t count : {1u, 10u, 1'000u, 20'000u, 60'000u, 300'000u}) {
    CAPTURE(count);
    distinct_count<12> small;
    distinct_count<14> large;
    for (std::uint64_t round = 0; round < 2; ++round) // repeats count nothing
      for (std::uint64_t key = 0; key < count; ++key) {
        small.add(stable_hash(key));
        large.add(stable_hash(key));
      }
    const auto exact = static_cast<double>(count);
    CHECK(std::abs(small.estimate() - exact) <= 4 * 1.04 / 64 * exact + 0.5);
    CHECK(std::abs(large.estimate() - exact) <= 4 * 1.04 / 128 * exact + 0.5);
  }
  CHECK(distinct_count<>{}.estimate() == 0);
}

TEST_CASE("distinct_count: the merge of overlapping parts is the whole") {
  distinct_count<10> whole;
  std::vector<distinct_count<10>> parts(3);
  for (std::uint64_t key = 0; key < 10'000; ++key) {
    whole.add(stable_hash(key));
    parts[key % 3].add(stable_hash(key));
    parts[key % 2].add(stable_hash(key));
  }
  parts[0].merge(parts[1]);
  parts[0].merge(parts[2]);
  CHECK(parts[0] == whole);
}

TEST_CASE("heavy_hitters: counts are within their bounds and no frequent key is missing") {
  std::mt19937_64 random{5};
  constexpr std::size_t capacity = 20;
  for (int kind = 0; kind < 4; ++kind) {
    CAPTURE(kind);
    std::map<int, std::uint64_t> exact;
    heavy_hitters<int> whole{capacity};
    std::vector<heavy_hitters<int>> parts(3, heavy_hitters<int>{capacity});
    for (int i = 0; i < 20'000; ++i) {
      const double u = static_cast<double>(random() >> 11) * 0x1p-53;
      const int key = kind == 0   ? static_cast<int>(1 / (u + 1e-4)) // skewed
                      : kind == 1 ? static_cast<int>(random() % 1'000)
                      : kind == 2 ? i                     // all different
                                  : (i % 3 == 0 ? 7 : i); // one in a flood
      ++exact[key];
      whole.add(key);
      parts[random() % 3].add(key);
    }
    auto merged = parts[0];
    merged.merge(parts[1]);
    merged.merge(parts[2]);
    for (const auto* sketch : {&whole, &merged}) {
      CHECK(sketch->total() == 20'000);
      std::set<int> counted;
      for (const auto& c : sketch->top(capacity)) {
        counted.insert(c.key);
        REQUIRE(exact[c.key] <= c.count);
        REQUIRE(exact[c.key] + c.error >= c.count);
        REQUIRE(c.error <= 20'000 / capacity);
      }
      CHECK(sketch->unseen() <= 20'000 / capacity);
      for (const auto& [key, count] : exact)
        if (!counted.contains(key))
          REQUIRE(count <= sketch->unseen());
    }
  }
}

TEST_CASE("heavy_hitters: the counters are those of a plain list, of which the least goes first") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    const std::size_t capacity = 1 + random() % 40;
    const std::uint64_t keys = 1 + random() % 200;
    heavy_hitters<std::string> sketch{capacity};
    std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> plain; // count, error
    for (int i = 0; i < 2'000; ++i) {
      const auto key = std::to_string(random() % keys * (random() % 2 != 0 ? 1 : 16)); // some come often
      const auto times = 1 + random() % 5;
      sketch.add(key, times);
      if (const auto known = plain.find(key); known != plain.end()) {
        known->second.first += times;
      } else if (plain.size() < capacity) {
        plain.emplace(key, std::pair{times, std::uint64_t{0}});
      } else {
        const auto least = std::min_element(plain.begin(), plain.end(), [](const auto& a, const auto& b) {
          return std::pair{a.second.first, a.first} < std::pair{b.second.first, b.first};
        });
        const auto floor = least->second.first;
        plain.erase(least);
        plain.emplace(key, std::pair{floor + times, floor});
      }
    }
    const auto found = sketch.top(capacity);
    REQUIRE(found.size() == plain.size());
    for (const auto& c : found)
      CHECK(plain.at(c.key) == std::pair{c.count, c.error});
  }
}

TEST_CASE("heavy_hitters: a merged sketch that goes on counting keeps its bounds") {
  heavy_hitters<int> a{2};
  heavy_hitters<int> b{2};
  for (const int key : {1, 1, 1, 2, 3})
    a.add(key);
  for (const int key : {4, 4, 5, 5, 6})
    b.add(key);
  std::map<int, std::uint64_t> exact{{1, 3}, {2, 1}, {3, 1}, {4, 2}, {5, 2}, {6, 1}};
  a.merge(b);
  for (const int key : {2, 2, 7, 4, 2}) {
    ++exact[key];
    a.add(key);
    for (const auto& c : a.top(2)) {
      REQUIRE(exact[c.key] <= c.count);
      REQUIRE(exact[c.key] + c.error >= c.count);
    }
  }
}

TEST_CASE("heavy_hitters: counts are exact while there are enough counters") {
  heavy_hitters<std::string> sketch{3};
  for (const char* key : {"b", "a", "c", "a", "b", "a"})
    sketch.add(key);
  const std::vector<heavy_hitters<std::string>::counter> wanted{{"a", 3, 0}, {"b", 2, 0}, {"c", 1, 0}};
  CHECK(sketch.top(5) == wanted);
  CHECK(sketch.top(1).size() == 1);
}

TEST_CASE("top_list: the greatest are kept in order and merged exactly") {
  std::mt19937_64 random{6};
  for (const std::size_t most : {0u, 1u, 5u, 100u}) {
    std::vector<int> all;
    top_list<int> whole{most};
    std::vector<top_list<int>> parts(3, top_list<int>{most});
    for (int i = 0; i < 60; ++i) {
      const int v = static_cast<int>(random() % 40);
      all.push_back(v);
      whole.add(v);
      parts[random() % 3].add(v);
    }
    std::sort(all.rbegin(), all.rend());
    all.resize(std::min(all.size(), most));
    parts[2].merge(parts[0]);
    parts[2].merge(parts[1]);
    CHECK(whole.values() == all);
    CHECK(parts[2].values() == all);
  }
}

TEST_CASE("sliding_rate: events are counted within the window up to a slot") {
  std::mt19937_64 random{7};
  using time_point = sliding_rate<10>::time_point;
  sliding_rate<10> whole{1s};
  std::vector<sliding_rate<10>> parts(2, whole);
  std::vector<time_point> all;
  time_point now{-5s};
  for (int i = 0; i < 5'000; ++i) {
    now += std::chrono::microseconds{random() % 20'000};
    const time_point at = now - std::chrono::milliseconds{random() % 300}; // late, within the window
    all.push_back(at);
    whole.add(at);
    parts[random() % 2].add(at);
    const auto since = [&](auto age) {
      return static_cast<std::uint64_t>(
          std::count_if(all.begin(), all.end(), [&](time_point t) { return t > now - age && t <= now; }));
    };
    const auto counted = whole.count(now);
    REQUIRE(counted >= since(900ms));
    REQUIRE(counted <= since(1s));
  }
  parts[0].merge(parts[1]);
  CHECK(parts[0].count(now) == whole.count(now));
  CHECK(whole.per_second(now) == Approx(static_cast<double>(whole.count(now))));
  CHECK(whole.count(now + 2s) == 0);
}

TEST_CASE("stable_hash: hashes are the same in every process and spread") {
  CHECK(stable_hash(std::uint64_t{0}) == 0xe220a8397b1dcdaf); // the first number of SplitMix64 with these seeds
  CHECK(stable_hash(std::uint64_t{1}) == 0x910a2dec89025cc1);
  CHECK(stable_hash("troupe") == stable_hash(std::string{"troupe"}));
  std::set<std::uint64_t> seen;
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    seen.insert(stable_hash(i) >> 32);
    seen.insert(stable_hash(std::to_string(i)) >> 32);
  }
  seen.insert(stable_hash("") >> 32);
  seen.insert(stable_hash(std::string_view{"\0", 1}) >> 32);
  CHECK(seen.size() >= 20'000); // of 20,002, a few collisions at 32 bits allowed
}
