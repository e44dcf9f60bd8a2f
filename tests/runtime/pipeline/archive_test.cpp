// SPDX-License-Identifier: BSD-3-Clause
// Claim: what is written down is read back as it was, and what is no archive of that type is refused.
// Observed: on values of all kinds of types, cut at each byte.
#include <troupe/pipeline/accumulators.hpp>
#include <troupe/pipeline/aligned_windows.hpp>
#include <troupe/pipeline/archive.hpp>
#include <troupe/pipeline/epochs.hpp>
#include <troupe/pipeline/join.hpp>
#include <troupe/pipeline/session_windows.hpp>
#include <troupe/seams.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

using namespace troupe::pipeline;
using namespace std::chrono_literals;

namespace {

struct point {
  void archive(auto& a) { a(x, name); }
  friend bool operator==(const point&, const point&) = default;
  int x = 0;
  std::string name;
};

struct aggregate {
  int x = 0;
};

template <class T>
std::string written(const T& x) {
  archive_writer w;
  w(x);
  return w.take();
}

template <class T>
T read(const std::string& text, T into = {}) {
  archive_reader r{text};
  r(into);
  r.finish();
  return into;
}

static_assert(archivable<std::map<std::pair<int, std::string>, std::vector<std::optional<point>>>>);
static_assert(!archivable<std::string_view> && !archivable<int*> && !archivable<aggregate>);
static_assert(!archivable<std::vector<aggregate>> && !archivable<keyed_table<int, aggregate>>);
static_assert(archivable<aligned_windows<int, count>> && !archivable<aligned_windows<int, gather<aggregate>>>);

event_time at(std::int64_t ms) { return event_time{std::chrono::milliseconds{ms}}; }

} // namespace

TEST_CASE("archive: values of all kinds are read back as they were") {
  using value = std::tuple<std::int8_t, double, std::string, std::vector<point>, std::map<int, std::set<char>>,
                           std::variant<int, point>, std::optional<point>, std::array<short, 3>, event_time>;
  const value x{-3,
                2.5,
                std::string("a\0b", 3),
                {{1, "one"}, {2, ""}},
                {{4, {'x', 'y'}}, {5, {}}},
                point{7, "seven"},
                std::nullopt,
                {1, -2, 3},
                at(1'500)};
  CHECK(read<value>(written(x)) == x);
}

TEST_CASE("archive: text that was cut, or goes on, is refused") {
  const std::vector<point> all{{1, "one"}, {2, "two"}};
  const auto text = written(all);
  for (std::size_t n = 0; n < text.size(); ++n)
    CHECK_THROWS_AS(read<std::vector<point>>(text.substr(0, n)), archive_error);
  CHECK_THROWS_AS(read<std::vector<point>>(text + 'x'), archive_error);
  const std::uint64_t huge = ~std::uint64_t{0};
  CHECK_THROWS_WITH_AS(read<std::string>(written(huge)), doctest::Contains("elements"), archive_error);
}

TEST_CASE("archive: windows, sessions and joins go on from their archive as if nothing had been") {
  using session_type = session_windows<int, gather<int>>;
  using window_type = aligned_windows<int, gather<int>>;
  using join_type = join_state<int, int, int>;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    auto random = troupe::seeded_random(seed);
    session_type sessions{session{50ms}, 30ms, {}};
    window_type windows{sliding{40ms, 20ms}, 30ms, {}};
    join_type joined{{30ms, 60ms}};
    std::vector<std::string> said, expected;
    const auto run = [&](auto& s, auto& w, auto& j, auto random_now, std::vector<std::string>& to) {
      for (int i = 0; i < 200; ++i) {
        const int key = static_cast<int>(random_now->below(4));
        const auto t = at(i * 3 + static_cast<std::int64_t>(random_now->below(40)));
        const auto say = [&](const char* what, const window& win, const std::vector<int>& all) {
          auto line = what + std::to_string(win.start.time_since_epoch().count()) + ' ' +
                      std::to_string(win.end.time_since_epoch().count());
          for (const int x : all)
            line += ' ' + std::to_string(x);
          to.push_back(std::move(line));
        };
        s.add(
            key, t, [&](gather<int>& a) { a.add(i); },
            [&](const window& win, const gather<int>& a) { say("late ", win, a.all); });
        w.add(
            key, t, [&](gather<int>& a) { a.add(i); }, [&](const window& win) { say("again ", win, {}); });
        const auto match = [&](int l, int r) { to.push_back("m" + std::to_string(l) + ' ' + std::to_string(r)); };
        if (random_now->below(2) == 0)
          j.add_left(key, t, i, match);
        else
          j.add_right(key, t, i, match);
        if (i % 10 == 9) {
          std::vector<std::string> some; // in no particular order of keys
          std::swap(some, to);
          const auto now = at(i * 3 - 10);
          s.advance(now, [&](int, const window& win, const gather<int>& a) { say("s", win, a.all); });
          w.advance(now, [&](const window& win, const auto& table) {
            table.for_each([&](int, const gather<int>& a) { say("w", win, a.all); });
          });
          j.advance(now);
          std::ranges::sort(to);
          some.insert(some.end(), to.begin(), to.end());
          to = std::move(some);
          s.commit();
          w.commit();
          j.commit();
        }
      }
    };
    run(sessions, windows, joined, random, said);
    const auto s = written(sessions), w = written(windows), j = written(joined);
    session_type sessions2 = read<session_type>(s, {session{50ms}, 30ms, {}});
    window_type windows2 = read<window_type>(w, {sliding{40ms, 20ms}, 30ms, {}});
    join_type joined2 = read<join_type>(j, join_type{{30ms, 60ms}});
    said.clear();
    run(sessions, windows, joined, troupe::seeded_random(seed + 99), expected);
    run(sessions2, windows2, joined2, troupe::seeded_random(seed + 99), said);
    CHECK(said == expected);
    CHECK(said.size() > 50);
  }
}

TEST_CASE("epochs: a checkpoint is complete when each stage has said what it keeps, or has ended") {
  epochs e{3, 7};
  CHECK_FALSE(e.take());
  CHECK(e.begin() == 8);
  e.note(0, 8, "a");
  e.note(0, 8, "again");
  e.note(1, 7, "of the last one");
  e.note_end(2, "c for good");
  CHECK_FALSE(e.take());
  e.note(1, 8, "b");
  CHECK(e.take() == std::vector<std::string>{"a", "b", "c for good"});
  CHECK_FALSE(e.under_way());

  SUBCASE("what a stage said for an epoch holds for it, though it has ended since") {
    CHECK(e.begin() == 9);
    e.note(0, 9, "a9");
    e.note_end(0, "a for good");
    e.note(1, 9, "b9");
    CHECK(e.take() == std::vector<std::string>{"a9", "b9", "c for good"});
    CHECK_FALSE(e.last());
    e.note_end(1, "b for good");
    CHECK(e.last() == std::vector<std::string>{"a for good", "b for good", "c for good"});
  }
}
