// SPDX-License-Identifier: BSD-3-Clause
// Claim: a constructor that would empty its arguments does not compile: a restart must find them unchanged.
#include <troupe/system.hpp>

#include <memory>

struct one {};

class target : public troupe::actor<target, one> {
public:
#ifdef TROUPE_MUST_NOT_COMPILE
  explicit target(std::unique_ptr<int>) {}
#else
  explicit target(std::shared_ptr<int>) {}
#endif
  void on(const one&) {}
};

void use(troupe::system& s) {
#ifdef TROUPE_MUST_NOT_COMPILE
  s.spawn<target>(std::make_unique<int>());
#else
  s.spawn<target>(std::make_shared<int>());
#endif
}
