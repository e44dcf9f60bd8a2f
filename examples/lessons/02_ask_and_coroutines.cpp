// SPDX-License-Identifier: BSD-3-Clause
// Shows: a handler that asks other actors and waits for them without blocking a thread; deadlines; errors as values.
//
// Run:   build/release/bin/02_ask_and_coroutines
//
// Output:
//   Ada orders 2: sold
//   Ada orders 9: sold out
//   Bob orders 1: card declined, put back
//   take during the stocktaking: timed_out
//   Ada orders 1: bank stopped, put back
//   1 message expired

#include <troupe/system.hpp>

#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

using namespace std::chrono_literals;

// clang-format off
// [snippet messages]
struct restock { int copies; };
struct take { int copies; using reply = bool; };
struct stocktaking {};
struct charge { std::string customer; int cents; using reply = bool; };
struct place_order { std::string customer; int copies; using reply = std::string; };
// [end]
// clang-format on

class stock : public troupe::actor<stock, restock, take, stocktaking> {
public:
  explicit stock(int opening) : copies_{opening} {}
  void on(const restock& r) { copies_ += r.copies; }
  bool on(const take& t) { return t.copies <= copies_ && (copies_ -= t.copies, true); }
  void on(const stocktaking&) { std::this_thread::sleep_for(200ms); } // stands for a long computation

private:
  int copies_;
};

class bank : public troupe::actor<bank, charge> {
public:
  bool on(const charge& c) { return c.customer == "Ada"; }
};

// [snippet desk]
class desk : public troupe::actor<desk, place_order> {
public:
  desk(const troupe::ref<stock>& shelf, const troupe::ref<bank>& money) : shelf_{shelf}, money_{money} {}

  troupe::task<std::string> on(const place_order& o) {
    if (!co_await shelf_.ask(take{o.copies}, 100ms))
      co_return "sold out";

    auto charging = money_.ask(charge{o.customer, 999 * o.copies}, 100ms); // a statement of its own
    const troupe::result<bool> paid = co_await charging.outcome();
    if (paid && *paid)
      co_return "sold";

    shelf_.tell(restock{o.copies});
    if (paid)
      co_return "card declined, put back";
    co_return std::string{"bank "} + to_string(paid.error().code) + ", put back";
  }

private:
  troupe::ref<stock> shelf_;
  troupe::ref<bank> money_;
};
// [end]

// [snippet main]
int main() {
  troupe::system sys;
  auto shelf = sys.spawn<stock>(10);
  auto money = sys.spawn<bank>();
  auto front = sys.spawn<desk>(shelf, money);
  const auto order = [&](const char* who, int copies) {
    const std::string answer = front.ask(place_order{who, copies}).get();
    std::printf("%s orders %d: %s\n", who, copies, answer.c_str());
  };
  order("Ada", 2);
  order("Ada", 9);
  order("Bob", 1);
  // [end]

  // [snippet deadline]
  shelf.tell(stocktaking{});
  const troupe::result<bool> late = shelf.ask(take{1}, 20ms).try_get();
  std::printf("take during the stocktaking: %s\n", to_string(late.error().code));
  // [end]

  // [snippet errors]
  money.stop();
  sys.wait_stopped(money, 1s);
  shelf.ask(restock{0}).get(); // no reply type: returns when it has been handled
  order("Ada", 1);
  // [end]

  const auto report = sys.shutdown();
  std::printf("%d message expired\n", static_cast<int>(report.books.expired));
  return report.exit_code();
}
