// SPDX-License-Identifier: BSD-3-Clause
// Claim: `try_get` of a reply that has a name, and could be asked again, does not compile; that of one that is given away does.
#include <troupe/system.hpp>

#include <utility>

struct question {
  using reply = int;
};

class target : public troupe::actor<target, question> {
public:
  int on(const question&) { return 1; }
};

void use(const troupe::ref<target>& r) {
  auto answer = r.ask(question{});
#ifdef TROUPE_MUST_NOT_COMPILE
  (void)answer.try_get();
#else
  (void)std::move(answer).try_get();
#endif
}
