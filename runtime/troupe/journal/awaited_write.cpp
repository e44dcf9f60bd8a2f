// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/journal/journal_session.hpp>

#include <utility>

namespace troupe::detail {

void awaited_write::await(std::coroutine_handle<> h, envelope* on_behalf_of) {
  shared_->waiter = h;
  shared_->message = on_behalf_of;
}

void awaited_write::release_to(std::unique_ptr<abandoned_step> step) noexcept {
  shared_->abandoned = true;
  shared_->step = std::move(step);
  shared_.reset();
}

void awaited_write::state::send(std::shared_ptr<state> s, cell& to, std::exception_ptr failure) noexcept {
  auto& message = *s;
  message.failure = std::move(failure);
  message.self = std::move(s);
  to.send_control(&message);
}

void awaited_write::state::deliver(cell& to) noexcept {
  const auto kept = std::move(self);
  const auto how = std::exchange(failure, nullptr);
  to.hold_lane(-1);
  ended = true;
  if (session != nullptr)
    session->written(kept, how);
  step.reset();
  to.resume_held();
}

void awaited_write::state::refuse(cell&) noexcept {
  const auto kept = std::move(self); // perhaps the last to do so
  step.reset();
}

} // namespace troupe::detail
