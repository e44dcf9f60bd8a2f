// SPDX-License-Identifier: BSD-3-Clause
// Shows: what a full mailbox does under each overflow policy, and how the sender and the operator learn of it.
// The system is stepped (see 06_simulated_time), so that nothing is handled before `run_until_idle`.
//
// Run:   build/release/bin/04_bounded_mailbox
//
// Output:
//   reject: accepted accepted rejected
//   reject: handled 1 2
//   drop_newest: accepted accepted dropped
//   drop_newest: handled 1 2
//   drop_oldest: accepted accepted accepted
//   drop_oldest: handled 2 3
//   a request to a full mailbox: mailbox_full
//   dead letters: 4

#include <troupe/system.hpp>
#include <troupe/testing/manual_clock.hpp>

#include <cstdio>
#include <memory>
#include <string>
#include <variant>

struct item {
  int number;
  using reply = int;
};

std::string handled; // stepped: all on this thread

class worker : public troupe::actor<worker, item> {
public:
  int on(const item& i) {
    handled += " " + std::to_string(i.number);
    return i.number;
  }
};

int main() {
  troupe::system sys{{.through = {.clock = std::make_shared<troupe::manual_clock>()}, .stepped = 0}};

  // [snippet letters]
  int letters = 0;
  const auto subscription = sys.events().subscribe([&](const troupe::event& e) {
    if (std::holds_alternative<troupe::dead_letter>(e))
      ++letters;
  });
  // [end]

  for (auto policy : {troupe::reject, troupe::drop_newest, troupe::drop_oldest}) {
    const std::string name{to_string(policy)};
    // [snippet bound]
    auto w = sys.root().start<worker>(name, {.mailbox = {.capacity = 2, .overflow = policy}});
    std::printf("%s:", name.c_str());
    for (int i = 1; i <= 3; ++i) {
      const troupe::delivery d = w.tell(item{i});
      std::printf(" %s", to_string(d));
    }
    // [end]
    handled.clear();
    sys.run_until_idle();
    std::printf("\n%s: handled%s\n", name.c_str(), handled.c_str());
  }

  // [snippet ask]
  auto busy = sys.root().start<worker>("busy", {.mailbox = {.capacity = 1}});
  busy.tell(item{0});
  const troupe::result<int> answer = busy.ask(item{1}).try_get();
  if (!answer)
    std::printf("a request to a full mailbox: %s\n", to_string(answer.error().code));
  // [end]
  std::printf("dead letters: %d\n", letters);
}
