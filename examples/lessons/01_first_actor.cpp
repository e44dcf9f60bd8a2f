// SPDX-License-Identifier: BSD-3-Clause
// Shows: an actor, its messages, and how to talk to it: `tell` for a message, `ask` for one with a reply.
//
// Run:   build/release/bin/01_first_actor
//
// Output:
//   took 12 copies: yes
//   took 12 copies: no
//   3 copies left
//   4 messages accepted, 4 handled

// [snippet messages]
#include <troupe/system.hpp>

#include <cstdio>

struct restock {
  int copies;
};

struct take {
  int copies;
  using reply = bool;
};

struct count {
  using reply = int;
};
// [end]

// [snippet actor]
class stock : public troupe::actor<stock, restock, take, count> {
public:
  explicit stock(int opening) : copies_{opening} {}

  void on(const restock& r) { copies_ += r.copies; }

  bool on(const take& t) {
    if (t.copies > copies_)
      return false;
    copies_ -= t.copies;
    return true;
  }

  int on(const count&) const { return copies_; }

private:
  int copies_;
};
// [end]

// [snippet main]
int main() {
  troupe::system sys;
  troupe::ref<stock> shelf = sys.spawn<stock>(10);

  shelf.tell(restock{5});
  for (int i = 0; i < 2; ++i) {
    const bool taken = shelf.ask(take{12}).get();
    std::printf("took 12 copies: %s\n", taken ? "yes" : "no");
  }
  std::printf("%d copies left\n", shelf.ask(count{}).get());
  // [end]

  // [snippet end]
  const troupe::shutdown_report report = sys.shutdown();
  std::printf("%d messages accepted, %d handled\n", static_cast<int>(report.books.accepted),
              static_cast<int>(report.books.handled));
  return report.exit_code();
}
// [end]
