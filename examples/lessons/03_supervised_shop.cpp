// SPDX-License-Identifier: BSD-3-Clause
// Shows: a supervisor; a restart that the customer does not notice; a message that is retried, quarantined, listed and
// replayed; and the books at the end.
//
// Run:   build/release/bin/03_supervised_shop
//
// Output:
//   Dune: sold, label 1
//   Emma: sold, label 1
//   Ulysses: no label, failed
//   Dracula: sold, label 1
//   quarantine: label for shop/printer, tried 2 times, std::runtime_error: out of paper
//   replayed: yes
//   3 restarts, balanced: yes
//   13 accepted, 12 handled, 1 quarantined

#include <troupe/system.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;

// clang-format off
struct take { using reply = bool; };
struct label { std::string title; using reply = int; };
struct place_order { std::string title; using reply = std::string; };
// clang-format on

class stock : public troupe::actor<stock, take> {
public:
  explicit stock(int copies) : copies_{copies} {}
  bool on(const take&) { return copies_-- > 0; }

private:
  int copies_;
};

// [snippet printer]
struct device { // the machine in the back room, which no restart repairs
  std::atomic<bool> jammed{false};
  std::atomic<bool> has_paper{true};
};

class printer : public troupe::actor<printer, label> {
public:
  explicit printer(std::shared_ptr<device> d) : device_{std::move(d)} {}

  int on(const label&) {
    if (device_->jammed.exchange(false)) // pulling the paper out frees it
      throw std::runtime_error{"paper jam"};
    if (!device_->has_paper)
      throw std::runtime_error{"out of paper"};
    return ++printed_;
  }

private:
  std::shared_ptr<device> device_;
  int printed_ = 0;
};
// [end]

class desk : public troupe::actor<desk, place_order> {
public:
  desk(const troupe::ref<stock>& shelf, const troupe::ref<printer>& labels) : shelf_{shelf}, labels_{labels} {}

  troupe::task<std::string> on(const place_order& o) {
    if (!co_await shelf_.ask(take{}))
      co_return "sold out";
    auto printing = labels_.ask(label{o.title});
    const auto printed = co_await printing.outcome();
    co_return printed ? "sold, label " + std::to_string(*printed)
                      : std::string{"no label, "} + to_string(printed.error().code);
  }

private:
  troupe::ref<stock> shelf_;
  troupe::ref<printer> labels_;
};

// [snippet tree]
int main() {
  troupe::system sys;
  auto shop = sys.supervise("shop", {.strategy = troupe::one_for_one, .intensity = 5, .period = 5s});
  auto machine = std::make_shared<device>();
  auto shelf = shop.start<stock>("stock", 100);
  auto labels = shop.start<printer>("printer", {.retries = 1, .mailbox = {.capacity = 100}}, machine);
  auto front = shop.start<desk>("desk", shelf, labels);
  const auto order = [&](const char* title) {
    std::printf("%s: %s\n", title, front.ask(place_order{title}).get().c_str());
  };
  // [end]

  // [snippet failures]
  order("Dune");
  machine->jammed = true;
  order("Emma"); // the printer fails, restarts, and tries again on fresh state
  machine->has_paper = false;
  order("Ulysses"); // it fails at the second attempt too
  machine->has_paper = true;
  order("Dracula"); // nobody has to start the printer again
  // [end]

  // [snippet quarantine]
  for (const troupe::quarantined_message& m : sys.quarantine().list()) {
    std::printf("quarantine: %s for %s, tried %u times, %s\n", m.message_type.c_str(), m.receiver.c_str(), m.attempts,
                m.exception.c_str());
    std::printf("replayed: %s\n", sys.quarantine().replay(m.id) ? "yes" : "no");
  }
  // [end]

  // [snippet books]
  const troupe::shutdown_report report = sys.shutdown();
  const troupe::ledger& b = report.books;
  std::printf("%u restarts, balanced: %s\n", labels.incarnation(), b.balanced() ? "yes" : "no");
  std::printf("%d accepted, %d handled, %d quarantined\n", static_cast<int>(b.accepted), static_cast<int>(b.handled),
              static_cast<int>(b.quarantined));
  return report.exit_code();
}
// [end]
