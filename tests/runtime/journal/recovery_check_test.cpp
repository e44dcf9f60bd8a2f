// SPDX-License-Identifier: BSD-3-Clause
// Claim: an actor whose state is what its events say passes the recovery check after random commands, with values and with
// their written form; one whose state is not, or whose format loses something, does not.
// Observed: actors made right and wrong on purpose.
#include <troupe/journal/format.hpp>
#include <troupe/journal/sqlite_store.hpp>
#include <troupe/testing/recovery_check.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <random>
#include <string>
#include <unistd.h>
#include <vector>

using namespace std::chrono_literals;

namespace {

struct deposit {
  int amount = 0;
};
struct withdraw {
  int amount = 0;
};
struct promise {
  int amount = 0;
  static constexpr std::string_view journal_name = "promise";
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(promise, amount)
};
struct moved {
  int amount = 0;
  static constexpr std::string_view journal_name = "moved";
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(moved, amount)
};
struct purse_state {
  int total = 0;
  std::vector<int> moves;
  static constexpr std::string_view journal_name = "purse_state";
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(purse_state, total, moves)
  friend bool operator==(const purse_state&, const purse_state&) = default;
};

class purse : public troupe::journaled_actor<purse, purse_state, troupe::events<moved>, deposit, withdraw, promise> {
public:
  static constexpr std::size_t snapshot_every = 5;
  explicit purse(const std::string& key) : journaled_actor{key} {}
  effect<> on(const deposit& m) { return {moved{m.amount}}; }
  effect<> on(const withdraw& m) {
    effect<> fx;
    if (m.amount <= state().total)
      fx.and_event(moved{-m.amount}).schedule("promise", std::chrono::minutes{m.amount}, promise{1});
    return fx;
  }
  effect<> on(const promise& m) { return {moved{m.amount}, moved{m.amount}, moved{-m.amount}}; }
  static void apply(purse_state& s, const moved& e) {
    s.total += e.amount;
    s.moves.push_back(e.amount);
    if (s.moves.size() > 20)
      s.moves.erase(s.moves.begin());
  }
};

int applied = 0;

/// Its `apply` looks at what is no argument.
class forgetful : public troupe::journaled_actor<forgetful, purse_state, troupe::events<moved>, deposit> {
public:
  explicit forgetful(const std::string& key) : journaled_actor{key} {}
  effect<> on(const deposit& m) { return {moved{m.amount}}; }
  static void apply(purse_state& s, const moved& e) { s.total += e.amount + applied++; }
};

/// Some of its commands end it, or fail.
class frail : public troupe::journaled_actor<frail, purse_state, troupe::events<moved>, deposit, withdraw, promise> {
public:
  explicit frail(const std::string& key) : journaled_actor{key} {}
  effect<> on(const deposit& m) { return {moved{m.amount}}; }
  void on(const withdraw&) { stop(); }
  effect<> on(const promise& m) { throw std::runtime_error{"promised " + std::to_string(m.amount)}; }
  void after_restart(const std::exception_ptr&) {
    if (doomed)
      throw std::runtime_error{"doomed"};
  }
  static void apply(purse_state& s, const moved& e) { s.total += e.amount; }
  static inline bool doomed = false;
};

void random_commands(troupe::recovery_check<purse>& check, std::uint64_t seed, int count) {
  std::mt19937_64 dice{seed};
  const auto amount = [&] { return static_cast<int>(dice() % 20); };
  for (int i = 0; i < count; ++i)
    switch (dice() % 4) {
      case 0: check.advance(std::chrono::minutes{amount()}); break;
      case 1: check.after(withdraw{amount()}); break;
      default: check.after(deposit{amount()});
    }
}

} // namespace

TEST_CASE("recovery check: passes an actor that keeps what it is") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    troupe::recovery_check<purse> check{std::string{"purse"}};
    random_commands(check, seed, 100);
    CHECK(check.system().books().balanced());
  }
}

TEST_CASE("recovery check: checks the written form too") {
  const auto directory = std::filesystem::temp_directory_path() / ("troupe_recovery_" + std::to_string(getpid()));
  std::filesystem::create_directories(directory);
  {
    troupe::sqlite_options o;
    o.threads = nullptr;
    troupe::recovery_check<purse> check{
        std::shared_ptr<troupe::journal_store>{troupe::open_sqlite_store((directory / "purse.db").string(), o)},
        std::string{"purse"}};
    random_commands(check, 1, 100);
    check.after(deposit{3});
    CHECK(check.state().moves.back() == 3);
  }
  std::filesystem::remove_all(directory);
}

TEST_CASE("recovery check: finds an apply that looks at what is no argument") {
  applied = 0;
  troupe::recovery_check<forgetful> check{std::string{"purse"}};
  CHECK_THROWS_AS(
      {
        check.after(deposit{1});
        check.after(deposit{1});
      },
      troupe::recovery_mismatch);
}

TEST_CASE("recovery check: goes on after commands that end the actor or fail more than once") {
  troupe::recovery_check<frail> check{std::string{"frail"}};
  check.after(deposit{5});
  check.after(withdraw{0});
  CHECK(check.state().total == 5);
  (void)check.actor().tell(promise{1});
  (void)check.actor().tell(promise{2});
  check.after(deposit{2});
  CHECK(check.state().total == 7);
}

TEST_CASE("recovery check: finds an actor that cannot be restarted") {
  troupe::recovery_check<frail> check{std::string{"frail"}};
  frail::doomed = true;
  CHECK_THROWS_AS(check.after(promise{1}), troupe::recovery_mismatch);
  frail::doomed = false;
}
