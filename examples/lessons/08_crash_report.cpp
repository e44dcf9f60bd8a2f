// SPDX-License-Identifier: BSD-3-Clause
// Shows: what a crash leaves behind for whoever looks into it, and a child that is stopped and started by name.
//
// Run:   build/release/bin/08_crash_report (in simulated time, so that it always says the same)
//
// Output:
//   shop: shop/till failed: std::runtime_error: no price for 22423 (handling sell)
//         40 ms ago  sell  from outside  took 0 ns
//          0 ns ago  sell  from outside  took 0 ns  FAILED
//   shop  one_for_one  running  2 children
//   |- till  till  waiting  1 queued
//   `- clock  till  running
//   1 message in quarantine
//   1  sell  for shop/till, after 1 attempt, 2026-01-01 00:00:00 UTC
//     std::runtime_error: no price for 22423
//     payload: 3 x 22423
//     caused by: outside
//   clock: out, again: running

#include <troupe/system.hpp>
#include <troupe/testing/manual_clock.hpp>

#include <cstdio>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;

struct sell {
  std::string code;
  int quantity;
  using reply = int;
};

// [snippet payload]
std::string to_string(const sell& s) { return std::to_string(s.quantity) + " x " + s.code; }
// [end]

class till : public troupe::actor<till, sell> {
public:
  int on(const sell& s) const {
    if (s.code != "85123A")
      throw std::runtime_error{"no price for " + s.code};
    return 255 * s.quantity;
  }
};

std::string state_of(const troupe::supervisor& shop, const std::string& name) {
  for (const auto& child : shop.list())
    if (child.name == name)
      return std::string{to_string(child.state)};
  return "not there";
}

int main() {
  auto clock = std::make_shared<troupe::manual_clock>();
  troupe::system sys{{.through = {.clock = clock}, .stepped = 0}};
  // [snippet listen]
  const auto listening = sys.events().subscribe([](const troupe::event& e) {
    const auto* s = std::get_if<troupe::supervision_event>(&e);
    if (s != nullptr && s->what == troupe::supervision_event::kind::failed)
      std::printf("%s", to_string(*s).c_str());
  });
  // [end]
  // [snippet start]
  auto shop = sys.supervise("shop", {.backoff = {.jitter = 0.0, .immediate_first = false}});
  auto t = shop.start<till>("till", {.flight_recorder = 20});
  // [end]
  shop.start<till>("clock");
  (void)t.ask(sell{"85123A", 2});
  sys.advance(40ms);
  auto failing = t.ask(sell{"22423", 3});
  sys.run_until_idle();
  t.tell(sell{"85123A", 1}); // waits for the restart
  // [snippet tree]
  std::printf("%s", to_string(shop.tree(), {.ascii = true}).c_str());
  // [end]
  sys.advance(100ms);
  // [snippet quarantine]
  std::printf("%s", to_string(sys.quarantine().list()).c_str());
  // [end]
  // [snippet by_name]
  shop.stop("clock").get();
  const auto stopped = state_of(shop, "shop/clock");
  shop.restart("clock").get();
  // [end]
  std::printf("clock: %s, again: %s\n", stopped.c_str(), state_of(shop, "shop/clock").c_str());
  return sys.shutdown().exit_code();
}
