// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/archive.hpp>

#include <utility>

namespace troupe::pipeline {

/// The part of a step that has one state, which follows the protocol of `restorable`. Pure.
template <class State>
class stateful {
public:
  template <class... Args>
  explicit stateful(std::in_place_t, Args&&... args) : state_{std::forward<Args>(args)...} {}

  void commit() { state_.commit(); }
  void rollback() { state_.rollback(); }

  template <class A>
  void archive(A& a) requires archivable<State> {
    a(state_);
  }

protected:
  State state_;
};

} // namespace troupe::pipeline
