// SPDX-License-Identifier: BSD-3-Clause
// Shows: the program on the front page: an actor, a request, a failure, and the restart that repairs it.
//
// Run:   build/release/bin/00_hello
//
// Output:
//   42
//   std::invalid_argument: cannot add a negative number
//   1

// [snippet program]
#include <troupe/system.hpp>

#include <cstdio>
#include <stdexcept>

struct add {
  int n;
  using reply = int;
};

class counter : public troupe::actor<counter, add> {
public:
  int on(const add& a) {
    if (a.n < 0)
      throw std::invalid_argument{"cannot add a negative number"};
    return total_ += a.n;
  }

private:
  int total_ = 0;
};

int main() {
  troupe::system sys;
  auto c = sys.spawn<counter>();
  c.tell(add{40});
  std::printf("%d\n", c.ask(add{2}).get());
  auto refused = c.ask(add{-1}).try_get(); // the handler throws: the actor restarts
  std::printf("%s\n", refused.error().what.c_str());
  std::printf("%d\n", c.ask(add{1}).get()); // same address, fresh state
  return sys.shutdown().exit_code();
}
// [end]
