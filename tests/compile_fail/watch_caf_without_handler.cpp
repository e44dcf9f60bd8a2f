// SPDX-License-Identifier: BSD-3-Clause
// Claim: an actor without a handler for `stopped`, who would not be told, cannot watch a CAF actor.
#include <troupe/engine/caf.hpp>
#include <troupe/system.hpp>

struct look {};

class target : public troupe::actor<target, look> {
public:
  void on(const look&) {}
#ifndef TROUPE_MUST_NOT_COMPILE
  void on(const troupe::stopped&) {}
#endif
};

void use(const troupe::ref<target>& r, const caf::actor& who) { troupe::watch_caf(r, who); }
