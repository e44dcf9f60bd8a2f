// SPDX-License-Identifier: BSD-3-Clause
// Claim: a durable message that its target does not handle does not compile.
#include <troupe/journal/journaled_actor.hpp>

struct known {};
struct unknown {};
struct happened {};
struct nothing {};

class target : public troupe::journaled_actor<target, nothing, troupe::events<happened>, known> {
public:
  explicit target(const std::string& key) : journaled_actor{key} {}
  void on(const known&) {}
  static void apply(nothing&, const happened&) {}
};

class sender : public troupe::journaled_actor<sender, nothing, troupe::events<happened>, known> {
public:
  explicit sender(const std::string& key) : journaled_actor{key} {}
  effect<> on(const known&) {
    effect<> fx;
    fx.send(troupe::durable_ref<target>{system(), "target"}, known{});
#ifdef TROUPE_MUST_NOT_COMPILE
    fx.send(troupe::durable_ref<target>{system(), "target"}, unknown{});
#endif
    return fx;
  }
  static void apply(nothing&, const happened&) {}
};
