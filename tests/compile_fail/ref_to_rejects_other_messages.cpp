// SPDX-License-Identifier: BSD-3-Clause
// Claim: a narrowed ref sends only its own messages, although the actor handles more.
#include <troupe/system.hpp>

struct one {};
struct two {};

class target : public troupe::actor<target, one, two> {
public:
  void on(const one&) {}
  void on(const two&) {}
};

void use(const troupe::ref<target>& r) {
  const troupe::ref_to<one> narrow = r;
  narrow.tell(one{});
#ifdef TROUPE_MUST_NOT_COMPILE
  narrow.tell(two{});
#endif
}
