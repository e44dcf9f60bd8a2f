// SPDX-License-Identifier: BSD-3-Clause
// Claim: an actor that names a message and has no handler for it does not compile.
#include <troupe/system.hpp>

struct one {};
struct two {};

class target : public troupe::actor<target, one, two> {
public:
  void on(const one&) {}
#ifndef TROUPE_MUST_NOT_COMPILE
  void on(const two&) {}
#endif
};

void use(troupe::system& s) { s.spawn<target>(); }
