// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/control_call.hpp>
#include <troupe/engine/system_core.hpp>
#include <troupe/journal/pending_write.hpp>
#include <troupe/ref.hpp>

#include <utility>

namespace troupe::detail {

awaited_write::~awaited_write() {
  if (shared_ != nullptr)
    shared_->abandoned = true;
}

void awaited_write::await(std::coroutine_handle<> h) {
  shared_->waiter = h;
  shared_->message = cell::current()->in_hand();
}

void awaited_write::notify(envelope& e) { shared_->message = &e; }

journal_session::journal_session(cell& owner, const std::string& key, std::span<const journal_type* const> types)
    : owner_{owner}, journal_{owner.core().journals->open(key, types)} {}

bool journal_session::append(const std::vector<journal_record>& records, awaited_write& write) {
  // Made only by a store that does not write at once.
  const auto completion = [this, &write]() -> journal::completion {
    write.shared_ = std::make_shared<awaited_write::state>();
    return [owner = cell_pointer{owner_}, shared = write.shared_](std::exception_ptr failure) {
      owner->send_control(make_control([shared, failure](cell& c) {
        c.hold_lane(-1);
        shared->ended = true;
        shared->failure = failure;
        if (shared->abandoned)
          return;
        if (shared->waiter)
          c.resume(shared->waiter, shared->message);
        else
          c.finish_if_ended(shared->message);
      }));
    };
  };
  journal_append a{};
  a.events = records;
  if (journal_->append(a, completion) == journal::status::durable)
    return true;
  owner_.hold_lane(+1);
  return false;
}

} // namespace troupe::detail
