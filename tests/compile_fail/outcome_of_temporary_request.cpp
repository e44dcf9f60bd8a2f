// SPDX-License-Identifier: BSD-3-Clause
// Claim: neither does co_await of the outcome of such an ask.
#include <troupe/system.hpp>

#include <string>

struct question {
  std::string text;
  using reply = int;
};

class other : public troupe::actor<other, question> {
public:
  int on(const question&) { return 1; }
};

class target : public troupe::actor<target, question> {
public:
  explicit target(troupe::ref<other> o) : other_{o} {}
  troupe::task<int> on(const question& q) {
#ifdef TROUPE_MUST_NOT_COMPILE
    const auto r = co_await other_.ask(question{q.text}).outcome();
#else
    auto answer = other_.ask(question{q.text});
    const auto r = co_await answer.outcome();
#endif
    co_return r ? 1 : 0;
  }

private:
  troupe::ref<other> other_;
};
