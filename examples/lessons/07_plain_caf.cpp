// SPDX-License-Identifier: BSD-3-Clause
// Shows: plain CAF actors and Troupe actors in one process: a CAF actor asks one of ours and is told of its end, and one
// of ours watches a CAF actor.
//
// Run:   build/release/bin/07_plain_caf
//
// Output:
//   CAF got 3 copies
//   ours saw the CAF actor end: normal
//   CAF saw ours end

#include <troupe/engine/caf.hpp>

#include <caf/all.hpp>

#include <chrono>
#include <cstdio>

using namespace std::chrono_literals;

// [snippet messages]
struct take {
  int copies;
  using reply = int;
};
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(take)
// [end]

class stock : public troupe::actor<stock, take> {
public:
  int on(const take& t) { return t.copies; }
  void on(const troupe::stopped& who) {
    std::printf("ours saw the CAF actor end: %s\n", to_string(who.reason));
    stop();
  }
};

int main() {
  // [snippet request]
  troupe::system sys;
  auto shelf = sys.spawn<stock>();
  troupe::allow_caf_requests<take>();

  auto handle = shelf.to_caf();
  caf::scoped_actor self{sys.caf()};
  self->request(handle, 1s, take{3})
      .receive([](int copies) { std::printf("CAF got %d copies\n", copies); },
               [](caf::error&) { std::printf("CAF got an error\n"); });
  // [end]

  // [snippet watch]
  auto guest = sys.caf().spawn([](caf::event_based_actor* a) -> caf::behavior { return {[a](int) { a->quit(); }}; });
  self->monitor(handle);
  troupe::watch_caf(shelf, guest);
  caf::anon_send(guest, 1);
  self->receive([](const caf::down_msg&) { std::printf("CAF saw ours end\n"); });
  // [end]
  return sys.shutdown().exit_code();
}
