// SPDX-License-Identifier: BSD-3-Clause
// Claim: windows and joins come to what a naive computation over all elements comes to, in order and disordered, with batches
// that fail in between.
// Observed: random series; the pure states are fed batch by batch, each batch rolled back and repeated now and then.
#include <troupe/pipeline/accumulators.hpp>
#include <troupe/pipeline/aligned_windows.hpp>
#include <troupe/pipeline/join.hpp>
#include <troupe/pipeline/session_windows.hpp>
#include <troupe/pipeline/watermark.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <tuple>
#include <vector>

using namespace troupe::pipeline;
using namespace std::chrono_literals;

namespace {

struct item {
  int key;
  event_time time;
  std::int64_t value;
};

event_time at(std::int64_t us) { return event_time{event_duration{us}}; }

/// `n` items over `span`, out of order by less than `bound`.
std::vector<item> series(std::uint64_t seed, std::size_t n, std::int64_t span, std::int64_t bound) {
  std::mt19937_64 random{seed};
  std::vector<item> all(n);
  for (auto& x : all)
    x = {static_cast<int>(random() % 7),
         at(static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(span)) - span / 2),
         static_cast<std::int64_t>(random() % 100)};
  std::vector<std::pair<std::int64_t, item>> order;
  for (const auto& x : all)
    order.emplace_back(x.time.time_since_epoch().count() +
                           (bound > 0 ? static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(bound)) : 0),
                       x);
  std::ranges::stable_sort(order, {}, &std::pair<std::int64_t, item>::first);
  for (std::size_t i = 0; i < n; ++i)
    all[i] = order[i].second;
  return all;
}

/// Sum and count: merges.
struct total {
  void add(const item& x) {
    sum += x.value;
    ++n;
  }
  void merge(const total& other) {
    sum += other.sum;
    n += other.n;
  }
  auto result() const { return std::pair{sum, n}; }
  std::int64_t sum = 0;
  std::int64_t n = 0;
};

/// The same, without merge.
struct plain_total {
  void add(const item& x) { inner.add(x); }
  auto result() const { return inner.result(); }
  total inner;
};

using answers = std::multiset<std::tuple<int, event_time, event_time, std::int64_t, std::int64_t>>;

/// Feeds all items in batches to `state`, through `feed(state, item, said)` and `pass(state, watermark, said)`. Batches fail
/// by chance, at some point; what they said is then forgotten, they are rolled back, and repeated.
template <class State, class Feed, class Pass>
answers through(State state, const std::vector<item>& items, event_duration bound, std::uint64_t seed, Feed feed,
                Pass pass) {
  std::mt19937_64 random{seed};
  answers said;
  bounded_disorder clock{bound};
  for (std::size_t i = 0; i < items.size();) {
    const auto end = std::min(items.size(), i + 1 + random() % 20);
    for (;;) {
      const auto stop_at = random() % 3 == 0 ? i + random() % (end - i + 1) : end;
      answers now;
      auto seen = clock;
      for (auto k = i; k < stop_at; ++k) {
        feed(state, items[k], now);
        seen.observe(items[k].time);
      }
      if (stop_at == end) {
        pass(state, seen.watermark(), now);
        if (random() % 4 != 0) {
          state.commit();
          clock = seen;
          said.merge(now);
          break;
        }
      }
      state.rollback();
    }
    i = end;
  }
  pass(state, end_of_time, said);
  state.commit();
  CHECK(state.size() == 0);
  return said;
}

template <class A>
answers aligned(sliding kind, const std::vector<item>& items, event_duration bound, std::uint64_t seed) {
  aligned_windows<int, A> windows{kind, event_duration{0}, A{}};
  return through(
      windows, items, bound, seed,
      [](auto& w, const item& x, answers&) {
        CHECK(w.add(
            x.key, x.time, [&](A& a) { a.add(x); }, [](const window&) { FAIL("late"); }));
      },
      [](auto& w, event_time to, answers& said) {
        w.advance(to, [&](const window& over, const keyed_table<int, A>& all) {
          all.for_each([&](int key, const A& a) {
            said.insert({key, over.start, over.end, a.result().first, a.result().second});
          });
        });
      });
}

answers naive_aligned(sliding kind, const std::vector<item>& items) {
  std::map<std::tuple<int, event_time>, total> windows;
  for (const auto& x : items)
    for (auto start = at(0) + kind.offset - 1'000 * kind.step; start <= x.time; start += kind.step)
      if (x.time < start + kind.size)
        windows[{x.key, start}].add(x);
  answers all;
  for (const auto& [where, t] : windows)
    all.insert({std::get<0>(where), std::get<1>(where), std::get<1>(where) + kind.size, t.sum, t.n});
  return all;
}

} // namespace

TEST_CASE("aligned_windows: results are those of a naive computation, for all kinds of windows, orders and failures") {
  const sliding kinds[] = {{10us, 10us}, {10us, 10us, 3us}, {10us, 2us}, {10us, 5us, 1us},
                           {10us, 3us},  {7us, 11us},       {1us, 1us}};
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    for (const auto& kind : kinds) {
      for (std::int64_t bound : {0, 5, 40}) {
        CAPTURE(seed);
        CAPTURE(kind.size.count());
        CAPTURE(kind.step.count());
        CAPTURE(bound);
        const auto items = series(seed, 200, seed % 2 == 0 ? 150 : 900, bound);
        const auto expected = naive_aligned(kind, items);
        CHECK(aligned<total>(kind, items, event_duration{bound}, seed) == expected);
        CHECK(aligned<plain_total>(kind, items, event_duration{bound}, seed) == expected);
      }
    }
  }
}

TEST_CASE("aligned_windows: what is late within the lateness changes the result, and what is later is refused") {
  for (const auto& kind : {sliding{10us, 10us}, sliding{10us, 5us}}) {
    CAPTURE(kind.step.count());
    aligned_windows<int, total> windows{kind, 20us, total{}};
    const auto add = [&](std::int64_t t, std::vector<window>& late) {
      const item x{1, at(t), 1};
      return windows.add(
          1, x.time, [&](total& a) { a.add(x); }, [&](const window& w) { late.push_back(w); });
    };
    std::vector<window> late;
    CHECK(add(12, late));
    std::size_t complete = 0;
    windows.advance(at(20), [&](const window&, const auto&) { ++complete; });
    CHECK(complete == (kind.step == 10us ? 1 : 2)); // [10,20), and [5,15)
    CHECK(late.empty());
    CHECK(add(13, late));
    CHECK(late.size() == (kind.step == 10us ? 1 : 2));
    CHECK(windows.current(1, window{at(10), at(20)}).n == 2);
    windows.advance(at(40), [](const window&, const auto&) {});
    CHECK_FALSE(add(14, late));
    CHECK(add(25, late));
  }
}

TEST_CASE("session_windows: results are those of a naive computation, in any order and with failures") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    for (std::int64_t bound : {0, 10, 100}) {
      CAPTURE(seed);
      CAPTURE(bound);
      const auto items = series(seed, 150, seed % 3 == 0 ? 300 : 3'000, bound);
      constexpr auto gap = 12us;
      answers expected;
      for (int key = 0; key < 7; ++key) {
        std::vector<item> mine;
        std::ranges::copy_if(items, std::back_inserter(mine), [&](const item& x) { return x.key == key; });
        std::ranges::stable_sort(mine, {}, &item::time);
        for (std::size_t i = 0; i < mine.size();) {
          total t;
          auto k = i;
          do
            t.add(mine[k++]);
          while (k < mine.size() && mine[k].time - mine[k - 1].time < gap);
          expected.insert({key, mine[i].time, mine[k - 1].time + gap, t.sum, t.n});
          i = k;
        }
      }
      const auto said = through(
          session_windows<int, total>{session{gap}, event_duration{0}, total{}}, items, event_duration{bound}, seed,
          [](auto& w, const item& x, answers&) {
            CHECK(w.add(
                x.key, x.time, [&](total& a) { a.add(x); }, [](const window&, const total&) { FAIL("late"); }));
          },
          [](auto& w, event_time to, answers& all) {
            w.advance(to, [&](int key, const window& over, const total& a) {
              all.insert({key, over.start, over.end, a.sum, a.n});
            });
          });
      CHECK(said == expected);
    }
  }
}

TEST_CASE("join_state: each two with the same key meet once, in any order and with failures") {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    CAPTURE(seed);
    const auto items = series(seed, 120, 1'000, 50);
    const auto is_left = [](const item& x) { return x.value % 2 == 0; };
    for (const bool limited : {false, true}) {
      answers expected;
      for (const auto& l : items)
        for (const auto& r : items)
          if (is_left(l) && !is_left(r) && l.key == r.key)
            expected.insert({l.key, l.time, r.time, l.value, r.value});
      join_options o;
      if (limited)
        o = {2'000us, 2'000us}; // longer than the series
      using state = join_state<int, item, item>;
      const auto said = through(
          state{o}, items, 50us, seed,
          [&](auto& s, const item& x, answers& now) {
            const auto match = [&](const item& l, const item& r) {
              now.insert({l.key, l.time, r.time, l.value, r.value});
            };
            is_left(x) ? s.add_left(x.key, x.time, x, match) : s.add_right(x.key, x.time, x, match);
          },
          [&](auto& s, event_time to, answers&) {
            s.advance(to);
            if (to == end_of_time && !limited)
              s = state{o};
          });
      CHECK(said == expected);
    }
  }
}

TEST_CASE("join_state: what is out of date is forgotten") {
  join_state<int, int, int> state{{10us, 5us}};
  const auto none = [](int, int) { FAIL("no match"); };
  for (int i = 0; i < 1'000; ++i) {
    state.add_left(i, at(i), i, none);
    state.add_right(-1 - i, at(i), i, none);
    state.advance(at(i));
    state.commit();
    CHECK(state.size() <= 16);
  }
}

TEST_CASE("windowed_join_state: those in the same window meet, and complete windows are forgotten") {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    CAPTURE(seed);
    const auto items = series(seed, 150, 1'000, 30);
    const auto is_left = [](const item& x) { return x.value % 3 == 0; };
    answers expected;
    for (const auto& l : items)
      for (const auto& r : items)
        if (is_left(l) && !is_left(r) && l.key == r.key &&
            window_start(l.time, 40us, 0us) == window_start(r.time, 40us, 0us))
          expected.insert({l.key, l.time, r.time, l.value, r.value});
    const auto said = through(
        windowed_join_state<int, item, item>{tumbling{40us}}, items, 30us, seed,
        [&](auto& s, const item& x, answers& now) {
          const auto match = [&](const item& l, const item& r, const window& w) {
            CHECK(w.contains(l.time));
            CHECK(w.contains(r.time));
            now.insert({l.key, l.time, r.time, l.value, r.value});
          };
          CHECK((is_left(x) ? s.add_left(x.key, x.time, x, match) : s.add_right(x.key, x.time, x, match)));
        },
        [](auto& s, event_time to, answers&) { s.advance(to); });
    CHECK(said == expected);
  }
}

TEST_CASE("lookup_state: each element meets the version that was valid at its time, whatever the order of coming") {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    CAPTURE(seed);
    const auto items = series(seed, 150, 1'000, 60);
    const auto is_version = [](const item& x) { return x.value % 4 == 0; };
    answers expected;
    for (const auto& x : items) {
      if (is_version(x))
        continue;
      const item* best = nullptr;
      for (const auto& v : items)
        if (is_version(v) && v.key == x.key && v.time <= x.time && (best == nullptr || v.time >= best->time))
          best = &v;
      expected.insert(
          {x.key, x.time, best == nullptr ? at(0) : best->time, x.value, best == nullptr ? -1 : best->value});
    }
    using state = lookup_state<int, item, item>;
    const auto said = through(
        state{}, items, 60us, seed,
        [&](auto& s, const item& x, answers&) { is_version(x) ? s.put(x.key, x.time, x) : s.ask(x.key, x.time, x); },
        [](auto& s, event_time to, answers& now) {
          s.advance(to, [&](const item& x, const item* v) {
            now.insert({x.key, x.time, v == nullptr ? at(0) : v->time, x.value, v == nullptr ? -1 : v->value});
          });
          if (to == end_of_time)
            s = state{};
        });
    CHECK(said == expected);
  }
}

TEST_CASE("watermark_merge: is the least of the inputs that are neither idle nor ended, and never goes back") {
  std::mt19937_64 random{7};
  for (int run = 0; run < 200; ++run) {
    const std::size_t n = 1 + random() % 9;
    watermark_merge merge{n};
    std::vector<event_time> times(n, start_of_time);
    std::vector<int> state(n, 0); // 1 idle, 2 ended
    auto now = start_of_time;
    for (int i = 0; i < 100; ++i) {
      const auto k = random() % n;
      switch (random() % 12) {
        case 0:
          merge.idle(k);
          state[k] = std::max(state[k], 1);
          break;
        case 1:
          if (random() % 4 == 0) {
            merge.end(k);
            state[k] = 2;
          }
          break;
        default: {
          const auto t = at(static_cast<std::int64_t>(random() % 1'000));
          times[k] = std::max(times[k], t);
          merge.advance(k, times[k]);
          if (state[k] == 1)
            state[k] = 0;
        }
      }
      auto least = end_of_time;
      bool all_ended = true;
      bool any_active = false;
      for (std::size_t j = 0; j < n; ++j) {
        all_ended = all_ended && state[j] == 2;
        if (state[j] == 0) {
          any_active = true;
          least = std::min(least, times[j]);
        }
      }
      if (any_active || all_ended)
        now = std::max(now, least);
      CHECK(merge.watermark() == now);
      CHECK(merge.all_ended() == all_ended);
    }
  }
}

TEST_CASE("window_start: windows cover all of time without gaps, before 1970 too") {
  for (std::int64_t step : {1, 3, 10})
    for (std::int64_t offset = 0; offset <= std::min<std::int64_t>(step, 2); ++offset)
      for (std::int64_t t = -50; t < 50; ++t) {
        const auto start = window_start(at(t), event_duration{step}, event_duration{offset});
        CHECK(start <= at(t));
        CHECK(at(t) < start + event_duration{step});
        CHECK(((start.time_since_epoch().count() - offset) % step) == 0);
      }
}

TEST_CASE("aligned_windows: what happened at the ends of time belongs to windows that end with it") {
  const auto last = end_of_time - 1us;
  const auto held = [&](auto windows, std::initializer_list<event_time> times) {
    std::vector<std::pair<window, std::int64_t>> said;
    for (const auto t : times) {
      CHECK(windows.add(
          1, t,
          [&](auto& a) {
            a.add(item{1, t, 1});
          },
          [](const window&) {}));
      windows.each_open(t, [&](const window& w) { CHECK(w.contains(std::min(t, last))); });
    }
    for (const auto watermark : {at(0), end_of_time}) {
      windows.advance(watermark, [&](const window& w, const auto& all) {
        all.for_each([&](int, const auto& a) { said.emplace_back(w, a.result().second); });
      });
      windows.commit();
    }
    CHECK(windows.size() == 0);
    return said;
  };
  using row = std::pair<window, std::int64_t>;
  const auto end = end_of_time.time_since_epoch().count();     // ends with 7
  const auto start = start_of_time.time_since_epoch().count(); // ends with 8

  CHECK(held(aligned_windows<int, total>{tumbling{10us}, 5us, total{}}, {last, end_of_time, start_of_time}) ==
        std::vector<row>{{{start_of_time, at(start + 10)}, 1}, {{at(end - 7), end_of_time}, 2}});
  CHECK(held(aligned_windows<int, plain_total>{sliding{20us, 10us}, 5us, {}}, {last, end_of_time}) ==
        std::vector<row>{{{at(end - 17), end_of_time}, 2}, {{at(end - 7), end_of_time}, 2}});
  CHECK(held(aligned_windows<int, total>{sliding{20us, 10us}, 5us, {}}, {last, end_of_time}) ==
        std::vector<row>{{{at(end - 17), end_of_time}, 2}, {{at(end - 7), end_of_time}, 2}});
  CHECK(held(aligned_windows<int, total>{sliding{2us, 1us}, 0us, {}}, {end_of_time}) ==
        std::vector<row>{{{at(end - 2), end_of_time}, 1}, {{last, end_of_time}, 1}});
  for (const auto offset : {0us, 3us, 10us}) {
    CHECK_FALSE(held(aligned_windows<int, total>{sliding{20us, 10us, offset}, 0us, {}}, {start_of_time, last}).empty());
    CHECK_FALSE(held(aligned_windows<int, plain_total>{sliding{20us, 10us, offset}, 0us, {}}, {start_of_time}).empty());
  }
}

TEST_CASE("session_windows: a session near the end of time, or with an endless gap, ends with time") {
  for (const auto gap : {event_duration{10}, event_duration::max()}) {
    session_windows<int, count> sessions{session{gap}, 0us, count{}};
    const auto from = gap == event_duration::max() ? at(1'000) : end_of_time - 10us;
    std::vector<window> said;
    for (const auto d : {0us, 4us, 2us})
      CHECK(sessions.add(
          1, from + d, [](count& c) { ++c.n; }, [](const window&, const count&) {}));
    sessions.advance(from + 5us, [&](int, const window&, const count&) { FAIL("it is not complete"); });
    sessions.commit();
    sessions.advance(end_of_time, [&](int, const window& w, const count& c) {
      said.push_back(w);
      CHECK(c.n == 3);
    });
    CHECK(said == std::vector<window>{{from, end_of_time}});
    CHECK(sessions.size() == 0);
  }
}

TEST_CASE(
    "session_windows: a session that was complete and goes on says its result again when it is complete once more") {
  session_windows<int, count> sessions{session{10us}, 20us, count{}};
  std::vector<std::tuple<std::int64_t, std::int64_t, std::uint64_t>> said;
  const auto add = [&](std::int64_t t) {
    return sessions.add(
        1, at(t), [](count& c) { ++c.n; },
        [&](const window& w, const count& c) {
          said.emplace_back(w.start.time_since_epoch().count(), w.end.time_since_epoch().count(), c.n);
        });
  };
  const auto advance = [&](std::int64_t t) {
    sessions.advance(at(t), [&](int, const window& w, const count& c) {
      said.emplace_back(w.start.time_since_epoch().count(), w.end.time_since_epoch().count(), c.n);
    });
    sessions.commit();
  };
  add(0);
  advance(12); // complete
  add(5);      // late: longer, and not complete any more
  advance(14);
  advance(15); // complete again
  add(3);      // late: changes nothing but the number
  advance(24);
  CHECK(add(-5));
  advance(40);
  CHECK(sessions.size() == 0);
  CHECK_FALSE(add(5));
  CHECK(said == decltype(said){{0, 10, 1}, {0, 15, 2}, {0, 15, 3}, {-5, 15, 4}});
}

TEST_CASE("window: what is no window is refused with the name of its member") {
  struct row {
    std::optional<std::string> said;
    std::optional<std::string> wanted;
  };
  const row rows[] = {
      {validate(tumbling{.size = 1us}), std::nullopt},
      {validate(tumbling{.size = 0us}), "tumbling.size must be above 0, not 0 us"},
      {validate(tumbling{.size = 10us, .offset = 10us}), std::nullopt},
      {validate(tumbling{.size = 10us, .offset = 11us}), "tumbling.offset must be 0..10 us, not 11 us"},
      {validate(tumbling{.size = 10us, .offset = -1us}), "tumbling.offset must be 0..10 us, not -1 us"},
      {validate(sliding{.size = 1us, .step = 1us}), std::nullopt},
      {validate(sliding{.size = -1us, .step = 1us}), "sliding.size must be above 0, not -1 us"},
      {validate(sliding{.size = 1us, .step = 0us}), "sliding.step must be above 0, not 0 us"},
      {validate(sliding{.size = 9us, .step = 3us, .offset = 4us}), "sliding.offset must be 0..3 us, not 4 us"},
      {validate(session{.gap = 1us}), std::nullopt},
      {validate(session{.gap = 0us}), "session.gap must be above 0, not 0 us"},
      {validate(counted{.size = 1}), std::nullopt},
      {validate(counted{.size = 0}), "counted.size must be at least 1"},
  };
  for (const auto& r : rows) {
    CAPTURE(r.wanted.value_or("fine"));
    CHECK(r.said == r.wanted);
  }
}

TEST_CASE("accumulators: two halves merged come to what the whole comes to") {
  const std::vector<std::int64_t> all{3, 1, 4, 1, 5, 9, 2, 6};
  const auto value = [](std::int64_t x) { return x; };
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    sum_of sum{value}, right{value};
    early<count> n{3, count{}}, more{3, count{}};
    for (std::size_t i = 0; i < all.size(); ++i) {
      (i < cut ? sum : right).add(all[i]);
      (i < cut ? n : more).add(all[i]);
    }
    sum.merge(right);
    n.merge(more);
    CHECK(sum.result() == 31);
    CHECK(n.result() == 8);
    CHECK(!n.speaks());
    n.add(std::int64_t{0});
    CHECK(n.speaks()); // the ninth
  }
}
