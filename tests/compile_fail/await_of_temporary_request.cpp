// SPDX-License-Identifier: BSD-3-Clause
// Claim: co_await of an ask with a temporary that is not trivial does not compile: g++ 12 would break it.
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
    co_return co_await other_.ask(question{q.text});
#else
    auto answer = other_.ask(question{q.text});
    co_return co_await answer;
#endif
  }

private:
  troupe::ref<other> other_;
};
