// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/mailbox/block_pool.hpp>
#include <troupe/mailbox/control_lane.hpp>

#include <new>
#include <utility>

namespace troupe::detail {

/// A control message made of two functions of the cell: one for a live cell, one for a stopped cell.
template <class Deliver, class Refuse>
class control_call final : public control_message {
public:
  static control_message* make(Deliver d, Refuse r) {
    constexpr auto c = block_pool::class_for(sizeof(control_call));
    return new (block_pool::allocate(c, sizeof(control_call))) control_call{std::move(d), std::move(r)};
  }

private:
  control_call(Deliver d, Refuse r) : deliver_{std::move(d)}, refuse_{std::move(r)} {}
  ~control_call() = default;

  void deliver(cell& to) noexcept override {
    auto call = std::move(deliver_);
    dispose(); // first: the call may end the cell's turn
    call(to);
  }

  void refuse(cell& to) noexcept override {
    auto call = std::move(refuse_);
    dispose();
    call(to);
  }

  void dispose() noexcept {
    constexpr auto c = block_pool::class_for(sizeof(control_call));
    this->~control_call();
    block_pool::release(c, this);
  }

  Deliver deliver_;
  Refuse refuse_;
};

template <class Deliver, class Refuse>
control_message* make_control(Deliver d, Refuse r) {
  return control_call<Deliver, Refuse>::make(std::move(d), std::move(r));
}

/// Nothing to do if the cell has stopped.
template <class Deliver>
control_message* make_control(Deliver d) {
  return make_control(std::move(d), [](cell&) {});
}

} // namespace troupe::detail
