// SPDX-License-Identifier: BSD-3-Clause
// Claims: a search goes through every run of a program once; with reduction, through one of each set of runs that differ in
// turns which can change places, and through no other. Observed on small programs with known answers, and on random ones
// whose runs are sorted into these sets by a naive rule.
#include <troupe/testing/search_path.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

using namespace troupe;
using troupe::detail::footprint;
using troupe::detail::search_path;

namespace {

struct plain_runnable final : engine::runnable {
  explicit plain_runnable(std::uint64_t n) : id{n} {}
  engine::run_result run() noexcept override { return engine::run_result::idle; }
  std::uint64_t subject() const noexcept override { return id; }
  const std::uint64_t id;
};

struct event {
  char actor;
  char turn;
  char choice;
  footprint made;
  std::string name() const { return {actor, turn, choice}; }
};
using run = std::vector<event>;

/// Three actors with some turns each. A turn may make one choice among `choices`, and touches what is told.
struct program {
  int turns_each = 1;
  std::function<std::uint32_t(std::uint64_t actor, int turn)> choices = [](auto, auto) { return 1u; };
  std::function<footprint(std::uint64_t actor, int turn, std::uint32_t choice)> touches{};
};

std::vector<run> runs_of(const program& p, bool reduce) {
  std::vector<std::unique_ptr<plain_runnable>> actors;
  for (std::uint64_t id = 1; id <= 3; ++id)
    actors.push_back(std::make_unique<plain_runnable>(id));
  std::vector<run> all;
  search_path path{reduce};
  do {
    path.restart();
    path.turn_over({}); // what the program does before anybody has a turn
    std::deque<engine::runnable*> ready{actors[0].get(), actors[1].get(), actors[2].get()};
    std::map<std::uint64_t, int> had;
    run made;
    while (!ready.empty() && !path.redundant()) {
      const auto place = path.next_turn(ready);
      const auto id = ready[place]->subject();
      const int turn = had[id]++;
      const auto among = p.choices(id, turn);
      const auto choice = among > 1 ? path.next(among) : 0;
      if (had[id] == p.turns_each)
        ready.erase(ready.begin() + place);
      auto f = p.touches(id, turn, choice);
      path.turn_over(f);
      made.push_back({static_cast<char>('0' + id), static_cast<char>('0' + turn), static_cast<char>('a' + choice), f});
    }
    if (!path.redundant())
      all.push_back(made);
  } while (path.advance());
  return all;
}

footprint print_of(std::uint64_t actor, std::initializer_list<std::uint64_t> others) {
  footprint f{.actor = actor};
  f.touch(actor);
  for (const auto o : others)
    f.touch(o);
  return f;
}

/// Whether two turns must keep their order: written down without `footprint`'s own code.
bool depend(const footprint& a, const footprint& b) {
  if (a.everything || b.everything || a.actor == b.actor)
    return true;
  return std::any_of(a.touched.begin(), a.touched.end(),
                     [&](auto id) { return std::find(b.touched.begin(), b.touched.end(), id) != b.touched.end(); });
}

/// The same text for runs that differ in turns which can change places: always the first by name of those that nothing
/// earlier must come before.
std::string normal_form(run rest) {
  std::string text;
  while (!rest.empty()) {
    std::size_t best = rest.size();
    for (std::size_t i = 0; i < rest.size(); ++i) {
      const bool free = std::none_of(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(i),
                                     [&](const event& e) { return depend(e.made, rest[i].made); });
      if (free && (best == rest.size() || rest[i].name() < rest[best].name()))
        best = i;
    }
    text += rest[best].name() + " ";
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(best));
  }
  return text;
}

std::size_t count(bool reduce, int turns_each, std::map<std::uint64_t, std::uint64_t> touches) {
  const auto runs = runs_of(
      {.turns_each = turns_each, .touches = [&](auto id, auto, auto) { return print_of(id, {touches.at(id)}); }},
      reduce);
  std::set<std::string> seen;
  for (const auto& r : runs) {
    std::string order;
    for (const auto& e : r)
      order += e.actor;
    CHECK(seen.insert(order).second);
  }
  return runs.size();
}

} // namespace

TEST_CASE("search path: goes through every order once") {
  CHECK(count(false, 1, {{1, 1}, {2, 2}, {3, 3}}) == 6);
  CHECK(count(false, 2, {{1, 1}, {2, 2}, {3, 3}}) == 90);   // 6! / 2!^3
  CHECK(count(true, 2, {{1, 99}, {2, 99}, {3, 99}}) == 90); // all touch the same: nothing can change places
}

TEST_CASE("search path: of orders that differ in independent turns only, one is enough") {
  CHECK(count(true, 3, {{1, 1}, {2, 2}, {3, 3}}) == 1);
  CHECK(count(true, 2, {{1, 99}, {2, 99}, {3, 3}}) == 6); // 4! / 2!^2, wherever the third one goes
}

TEST_CASE("search path: each order is run with each result of the choices within its turns") {
  program p{.touches = [](auto id, auto, auto) { return print_of(id, {}); }};
  p.choices = [](auto id, auto) { return static_cast<std::uint32_t>(id); };
  CHECK(runs_of(p, false).size() == 6 * 1 * 2 * 3);
  CHECK(runs_of(p, true).size() == 1 * 2 * 3);
}

TEST_CASE("search path: with reduction random programs are run once for each set of equivalent runs") {
  const auto* given = std::getenv("TROUPE_TEST_SEED"); // NOLINT(concurrency-mt-unsafe)
  const std::uint64_t seed = given != nullptr ? std::stoull(given) : std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 random{seed};
  for (int round = 0; round < 300; ++round) {
    CAPTURE(round);
    // What a turn touches may depend on its choices; then it is taken to touch all, and some runs come twice.
    const bool by_choice = round % 2 != 0;
    std::map<std::string, footprint> prints;
    std::map<std::string, std::uint32_t> among;
    program p{.turns_each = 2};
    p.choices = [&](std::uint64_t id, int turn) {
      return among.try_emplace(std::to_string(10 * id + static_cast<unsigned>(turn)), random() % 6 == 0 ? 2 : 1)
          .first->second;
    };
    p.touches = [&](std::uint64_t id, int turn, std::uint32_t choice) {
      const auto [at, fresh] =
          prints.try_emplace(std::to_string(100 * id + 10 * static_cast<unsigned>(turn) + (by_choice ? choice : 0)));
      if (fresh) {
        at->second = print_of(id, {});
        for (auto n = random() % 3; n > 0; --n)
          at->second.touch(1 + random() % 5); // another actor, or what two may have in common
        at->second.everything = random() % 10 == 0;
      }
      return at->second;
    };
    std::set<std::string> all, reduced;
    for (const auto& r : runs_of(p, false))
      all.insert(normal_form(r));
    for (const auto& r : runs_of(p, true)) {
      const bool fresh = reduced.insert(normal_form(r)).second;
      CHECK((fresh || by_choice));
    }
    CHECK(reduced == all);
  }
}

TEST_CASE("search path: turns are independent if they have nothing in common, and in doubt they are not") {
  const auto a = print_of(1, {5, 3, 3});
  CHECK(a.touched == std::vector<std::uint64_t>{1, 3, 5});
  CHECK(a.independent_of(print_of(2, {4, 6})));
  CHECK_FALSE(a.independent_of(print_of(2, {4, 5})));
  CHECK_FALSE(a.independent_of(print_of(2, {1})));
  CHECK_FALSE(a.independent_of(footprint{.actor = 1}));
  auto all = print_of(2, {});
  all.everything = true;
  CHECK_FALSE(a.independent_of(all));
  CHECK_FALSE(all.independent_of(a));
  auto both = print_of(2, {4});
  both.merge(a);
  CHECK(both.actor == 1);
  CHECK(both.touched == std::vector<std::uint64_t>{1, 2, 3, 4, 5});
  CHECK_FALSE(both.everything);
  both.merge(all);
  CHECK(both.everything);
}
