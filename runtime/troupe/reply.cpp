// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/system_core.hpp>
#include <troupe/engine/worker.hpp>
#include <troupe/reply.hpp>

namespace troupe::detail {

void wait_outside(reply_slot& slot) {
  if (cell::current() != nullptr || engine::worker::current() != nullptr)
    throw usage_error{"reply::get() would block a worker: inside an actor, co_await the reply"};
  if (slot.settled())
    return;
  const auto* in = slot.opened_outside();
  if (in == nullptr)
    throw usage_error{"a reply that an actor asked for can be awaited only by that actor"};
  if (in->drive)
    in->drive([&] { return slot.settled(); });
  else
    slot.wait();
}

void park(reply_slot& slot, std::coroutine_handle<> h) {
  turn_guard guard;
  auto* self = cell::current();
  if (self == nullptr || self != slot.asker() || self->in_hand() == nullptr)
    throw usage_error{"a reply can be awaited only by the actor that asked, in a handler"};
  guard.park();
  slot.await(h, self->in_hand());
}

} // namespace troupe::detail
