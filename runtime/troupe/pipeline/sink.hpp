// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/archive.hpp>
#include <troupe/pipeline/batch.hpp>
#include <troupe/pipeline/restorable.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace troupe::pipeline {

/// What sinks have gathered, on both sides of the pipeline's actors. Copies are the same collection. Threads: any.
template <class T>
class collection {
public:
  collection() : state_{std::make_shared<state>()} {}

  /// Takes what is there out: what each sink has gathered, in its order.
  std::vector<T> take() const {
    std::lock_guard lock{state_->mutex};
    std::vector<T> all;
    for (auto& part : state_->parts) {
      std::move(part.begin(), part.end(), std::back_inserter(all));
      part.clear();
    }
    return all;
  }

  std::size_t size() const {
    std::lock_guard lock{state_->mutex};
    std::size_t n = 0;
    for (const auto& part : state_->parts)
      n += part.size();
    return n;
  }

  /// For sinks that are not one of many: moves `more` to the end.
  void append(std::vector<T>& more) const { append(more, 0); }

  // -- for sinks: each has a part --

  std::size_t begin_part() const {
    std::lock_guard lock{state_->mutex};
    state_->parts.emplace_back();
    return state_->parts.size() - 1;
  }
  void append(std::vector<T>& more, std::size_t part) const {
    std::lock_guard lock{state_->mutex};
    auto& all = state_->parts[part];
    std::move(more.begin(), more.end(), std::back_inserter(all));
  }
  /// What of it was not taken out yet.
  std::vector<T> copy(std::size_t part) const requires std::copyable<T> {
    std::lock_guard lock{state_->mutex};
    return state_->parts[part];
  }

private:
  struct state {
    std::mutex mutex; // leaf lock
    std::vector<std::vector<T>> parts{1};
  };
  std::shared_ptr<state> state_;
};

namespace steps {

/// Calls `f(x)` for each element, once it is sure that the batch with it will not be worked through again. So `f` sees each
/// element once, unless `f` itself throws: then it is called again with that element.
template <class In, class F>
class for_each {
public:
  static constexpr const char* name = "for_each";
  template <class>
  using output = nothing;

  explicit for_each(F f) : f_{std::move(f)} {}

  template <class X, class Next>
  void on(X&& x, Next&&) {
    staged_.push_back(std::forward<X>(x));
  }

  void commit() {
    if (next_ == ready_.size()) {
      ready_.clear();
      next_ = 0;
      ready_.swap(staged_);
    } else {
      ready_.insert(ready_.end(), std::make_move_iterator(staged_.begin()), std::make_move_iterator(staged_.end()));
      staged_.clear();
    }
  }
  void rollback() { staged_.clear(); }

  void run_effects() {
    for (; next_ < ready_.size(); ++next_, ++done_)
      std::invoke(f_, std::as_const(ready_[next_]));
  }
  std::size_t effects_done() const noexcept { return done_; }
  void skip_effect() noexcept {
    ++next_;
    ++done_;
  }
  /// Nothing to keep: a checkpoint is made when all effects have been seen.
  void archive(auto&) noexcept {}

private:
  F f_;
  std::vector<In> staged_; // of the batch at work
  std::vector<In> ready_;  // of those before
  std::size_t next_ = 0;
  std::size_t done_ = 0;
};

/// Appends to a collection.
template <class In>
class collect {
public:
  static constexpr const char* name = "collect";
  template <class>
  using output = nothing;

  explicit collect(collection<In> to) : to_{std::move(to)} {}

  template <class X, class Next>
  void on(X&& x, Next&&) {
    staged_.push_back(std::forward<X>(x));
  }

  void commit() {
    if (staged_.empty())
      return;
    to_.append(staged_, part());
    staged_.clear();
  }
  void rollback() { staged_.clear(); }

  /// What it has gathered ends with the process, so all of it is kept.
  template <class A>
  void archive(A& a) requires archivable<std::vector<In>> {
    if constexpr (A::reads)
      a(restored_);
    else
      a(to_.copy(part()));
  }

  /// What was restored is seen once the run has begun: its start may still fail.
  void run_effects() {
    if (restored_.empty())
      return;
    to_.append(restored_, part());
    restored_.clear();
  }

private:
  std::size_t part() {
    if (!part_)
      part_ = to_.begin_part();
    return *part_;
  }

  collection<In> to_;
  std::optional<std::size_t> part_; // one for each run and instance
  std::vector<In> staged_;
  std::vector<In> restored_;
};

/// Folds all elements into one value, which is written out at the end: for counts, checksums and the like.
template <class In, class S, class F>
class fold_into {
public:
  static constexpr const char* name = "fold";
  template <class>
  using output = nothing;

  fold_into(collection<S> to, S initial, F f) : to_{std::move(to)}, f_{std::move(f)}, state_{sum{std::move(initial)}} {}

  template <class X, class Next>
  [[gnu::always_inline]] void on(X&& x, Next&&) {
    f_(state_.change().value, std::as_const(x));
  }
  template <class Next>
  void on_end(Next&&) {
    state_.change().ended = true;
  }

  void commit() { state_.commit(); }
  void rollback() { state_.rollback(); }

  void run_effects() {
    if (!state_.get().ended || said_)
      return;
    std::vector<S> one{state_.get().value};
    to_.append(one);
    said_ = true;
  }

  template <class A>
  void archive(A& a) requires archivable<S> {
    a(state_);
  }

private:
  struct sum {
    void archive(auto& a) requires archivable<S> { a(value, ended); }
    S value;
    bool ended = false;
  };

  collection<S> to_;
  F f_;
  restorable<sum> state_;
  bool said_ = false;
};

} // namespace steps

} // namespace troupe::pipeline
