// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/batch.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace troupe::pipeline {

/// What sinks have gathered, on both sides of the pipeline's actors. Copies are the same collection. Threads: any.
template <class T>
class collection {
public:
  collection() : state_{std::make_shared<state>()} {}

  /// Takes what is there out.
  std::vector<T> take() const {
    std::lock_guard lock{state_->mutex};
    return std::exchange(state_->all, {});
  }

  std::size_t size() const {
    std::lock_guard lock{state_->mutex};
    return state_->all.size();
  }

  /// For the runtime: moves `more` to the end.
  void append(std::vector<T>& more) const {
    std::lock_guard lock{state_->mutex};
    state_->all.insert(state_->all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }

private:
  struct state {
    std::mutex mutex; // leaf lock
    std::vector<T> all;
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
    to_.append(staged_);
    staged_.clear();
  }
  void rollback() { staged_.clear(); }

private:
  collection<In> to_;
  std::vector<In> staged_;
};

/// Folds all elements into one value, which is written out at the end: for counts, checksums and the like.
template <class In, class S, class F>
class fold_into {
public:
  static constexpr const char* name = "fold";
  template <class>
  using output = nothing;

  fold_into(collection<S> to, S initial, F f)
      : to_{std::move(to)}, f_{std::move(f)}, now_{initial}, committed_{initial} {}

  template <class X, class Next>
  [[gnu::always_inline]] void on(X&& x, Next&&) {
    f_(now_, std::as_const(x));
  }
  template <class Next>
  void on_end(Next&&) {
    ended_ = true;
  }

  void commit() {
    committed_ = now_;
    if (!ended_)
      return;
    std::vector<S> one{now_};
    to_.append(one);
    ended_ = false;
  }
  void rollback() {
    now_ = committed_;
    ended_ = false;
  }

private:
  collection<S> to_;
  F f_;
  S now_;
  S committed_;
  bool ended_ = false;
};

} // namespace steps

} // namespace troupe::pipeline
