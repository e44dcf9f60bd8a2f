// SPDX-License-Identifier: BSD-3-Clause
// A service built against the installed package: supervised, asked, restarted, shut down. Prints "ok" if all went well.
#include <troupe/system.hpp>

#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <variant>

using namespace std::chrono_literals;

struct greet {
  std::string name;
  using reply = std::string;
};

class greeter : public troupe::actor<greeter, greet> {
public:
  explicit greeter(std::string word) : word_{std::move(word)} {}

  std::string on(const greet& g) {
    if (g.name.empty())
      throw std::invalid_argument{"nobody to greet"};
    ++greeted_;
    return word_ + ", " + g.name + " (" + std::to_string(greeted_) + ")";
  }

private:
  std::string word_;
  int greeted_ = 0;
};

bool expect(bool holds, const char* what) {
  if (!holds)
    std::fprintf(stderr, "failed: %s\n", what);
  return holds;
}

int main() {
  troupe::system sys{{.workers = 2}};
  const auto listening = sys.events().subscribe([](const troupe::event& e) {
    std::visit([](const auto& what) { std::fprintf(stderr, "%s\n", to_string(what).c_str()); }, e);
  });
  auto desk = sys.supervise("desk", {.strategy = troupe::one_for_one, .intensity = 5, .period = 5s});
  auto door = desk.start<greeter>("door", {.retries = 1, .mailbox = {.capacity = 100}}, "hello");

  bool good = expect(door.ask(greet{"Ada"}).get() == "hello, Ada (1)", "a request is answered");
  good &= expect(door.ask(greet{"Bob"}, 2s).get() == "hello, Bob (2)", "state is kept between requests");

  const auto refused = door.ask(greet{""}).try_get();
  good &= expect(!refused && refused.error().code == troupe::errc::failed, "a failure reaches its asker");
  good &= expect(door.ask(greet{"Eve"}).get() == "hello, Eve (1)", "the same address answers on fresh state");
  good &= expect(door.incarnation() == 2, "the message was tried on two incarnations");
  good &= expect(sys.quarantine().size() == 1, "the message is in the quarantine");
  good &= expect(sys.find<greeter>("desk/door") == door, "an actor is found by its path");

  const auto report = sys.shutdown();
  good &= expect(report.complete && report.drained, "the shutdown is complete");
  good &=
      expect(report.books.balanced() && report.books.accepted == 4 && report.books.handled == 3, "the books balance");
  if (!good)
    return 1;
  std::puts("ok");
  return report.exit_code();
}
