// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/archive.hpp>

#include <utility>

namespace troupe::pipeline {

/// A value that a failed batch puts back to what it was: for small states that are cheap to copy at each batch.
///
/// All state of a stage follows the protocol seen here: changes are provisional until `commit`, and `rollback` undoes those
/// since the last one. Pure.
template <class S>
class restorable {
public:
  restorable() = default;
  explicit restorable(S value) : value_{value}, committed_{std::move(value)} {}

  const S& get() const noexcept { return value_; }
  S& change() noexcept { return value_; }

  void commit() { committed_ = value_; }
  void rollback() { value_ = committed_; }

  template <class A>
  void archive(A& a) requires archivable<S> {
    a(value_);
    if constexpr (A::reads)
      committed_ = value_;
  }

private:
  S value_{};
  S committed_{};
};

} // namespace troupe::pipeline
