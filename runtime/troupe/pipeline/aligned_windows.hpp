// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/archive.hpp>
#include <troupe/pipeline/keyed_table.hpp>
#include <troupe/pipeline/restorable.hpp>
#include <troupe/pipeline/window.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace troupe::pipeline {

/// The open tumbling or sliding windows of many keys, with one accumulator `A` for each window and key.
///
/// Elements go into *panes*. Where windows overlap, `A` merges and the size is a multiple of the step, a pane is one step
/// long: an element is added once, and a window is merged from its panes when it is complete. Otherwise each window is a pane
/// of its own, and an element is added to all that contain it. State is freed pane by pane as the watermark passes.
///
/// What a batch changes can be rolled back (see restorable). Pure.
template <class K, class A>
class aligned_windows {
public:
  using table = keyed_table<K, A>;

  aligned_windows(sliding kind, event_duration lateness, A prototype)
      : kind_{kind}, lateness_{lateness}, prototype_{std::move(prototype)} {
    shared_ = merges<A> && kind.size > kind.step && kind.size % kind.step == event_duration{0};
  }
  aligned_windows(tumbling kind, event_duration lateness, A prototype)
      : aligned_windows{sliding{kind.size, kind.size, kind.offset}, lateness, std::move(prototype)} {}

  /// A copy is what was committed last, without anything provisional.
  aligned_windows(const aligned_windows& other)
      : kind_{other.kind_}, lateness_{other.lateness_}, prototype_{other.prototype_}, shared_{other.shared_},
        watermark_{other.watermark_} {
    for (const auto& p : other.panes_)
      panes_.push_back(std::make_unique<pane>(*p));
  }
  aligned_windows(aligned_windows&&) noexcept = default;
  aligned_windows& operator=(aligned_windows other) noexcept {
    std::swap(kind_, other.kind_);
    std::swap(lateness_, other.lateness_);
    std::swap(prototype_, other.prototype_);
    std::swap(shared_, other.shared_);
    std::swap(watermark_, other.watermark_);
    panes_.swap(other.panes_);
    recent_ = nullptr;
    touched_.swap(other.touched_);
    retired_.swap(other.retired_);
    spare_.swap(other.spare_);
    return *this;
  }

  /// Adds what happened at `t`, by calling `add(accumulator)`, once for each pane that `t` falls into. Calls
  /// `late(window)` for each window that is complete already and changed by it.
  ///
  /// Returns false if there was a window for it, but all of them are gone: it is late for good.
  template <class Add, class Late>
  [[gnu::always_inline]] bool add(const K& key, event_time t, Add&& add_to, Late&& late) {
    if (recent_ == nullptr || t < recent_->start || t >= recent_end_) [[unlikely]]
      return add_elsewhere(key, t, add_to, late);
    add_to(recent_->accumulators.touch(key, prototype_));
    return true;
  }

  /// The accumulator of a window and key as it is now.
  A current(const K& key, const window& w) const {
    A sum = prototype_;
    bool first = true;
    for (const auto& p : panes_) {
      if (p->start < w.start || p->start >= w.end || (!shared_ && p->start != w.start))
        continue;
      if (const auto* a = p->accumulators.find(key)) {
        if (first)
          sum = *a;
        else if constexpr (merges<A>)
          sum.merge(*a);
        first = false;
      }
    }
    return sum;
  }

  /// The start of the last window with `t` in it, or before it.
  event_time last_window(event_time t) const noexcept { return window_start(t, kind_.step, kind_.offset); }

  /// `f(window)` for each window with `t` in it that is not complete yet.
  template <class F>
  void each_open(event_time t, F&& f) const {
    for_each_start(std::min(t, last_moment), [&](event_time start) {
      if (end_of(start) > watermark_.get())
        f(window{start, end_of(start)});
      return true;
    });
  }

  /// Event time has reached `watermark`. Calls `complete(window, table)` for each window that is complete now and holds
  /// anything, in the order of time, and forgets those whose lateness is over.
  template <class F>
  void advance(event_time watermark, F&& complete) {
    const auto before = watermark_.get();
    if (watermark <= before)
      return;
    if (shared_)
      complete_merged(before, watermark, complete);
    else
      for (const auto& p : panes_)
        if (const auto end = end_of(p->start); end > before && end <= watermark)
          complete(window{p->start, end}, std::as_const(p->accumulators));
    watermark_.change() = watermark;
    recent_ = nullptr;
    retire();
  }

  event_time watermark() const noexcept { return watermark_.get(); }

  /// Accumulators held.
  std::size_t size() const noexcept {
    std::size_t n = 0;
    for (const auto& p : panes_)
      n += p->accumulators.size();
    return n;
  }

  void commit() noexcept {
    for (auto* p : touched_) {
      p->accumulators.commit();
      p->touched = false;
      p->fresh = false;
    }
    touched_.clear();
    recent_ = nullptr;
    watermark_.commit();
    for (auto& p : retired_) {
      if (spare_.size() < 2) {
        p->accumulators.clear();
        spare_.push_back(std::move(p));
      }
    }
    retired_.clear();
  }

  template <class Archive>
  void archive(Archive& a) requires archivable<K> && archivable<A> {
    a(watermark_);
    if constexpr (Archive::reads) {
      for (auto n = a.count(); n > 0; --n) {
        auto p = std::make_unique<pane>();
        a(p->start);
        p->accumulators.archive(a, prototype_);
        p->fresh = p->touched = false;
        insert(std::move(p));
      }
    } else {
      a(std::uint64_t{panes_.size()});
      for (const auto& p : panes_) {
        a(p->start);
        p->accumulators.archive(a, prototype_);
      }
    }
  }

  void rollback() {
    for (auto& p : retired_)
      insert(std::move(p));
    retired_.clear();
    for (auto* p : touched_) {
      p->accumulators.rollback();
      p->touched = false;
    }
    touched_.clear();
    std::erase_if(panes_, [](const auto& p) { return p->fresh; });
    recent_ = nullptr;
    watermark_.rollback();
  }

private:
  struct pane {
    event_time start;
    table accumulators;
    bool touched = false; // by the batch at work
    bool fresh = false;   // opened by the batch at work
  };

  static constexpr event_time last_moment = end_of_time - event_duration{1}; // no window begins where time ends

  event_time end_of(event_time start) const noexcept { return later_by(start, kind_.size); }

  /// `f(start)` for each window with `t` in it, the last one first, until that says false.
  template <class F>
  [[gnu::always_inline]] void for_each_start(event_time t, F&& f) const {
    const auto of = [](auto x) { return static_cast<std::uint64_t>(x.count()); }; // differences may need all 64 bits
    auto start = window_start(t, kind_.step, kind_.offset);
    auto behind = of(t.time_since_epoch()) - of(start.time_since_epoch());
    for (; behind < of(kind_.size) && f(start) && start >= start_of_time + kind_.step; behind += of(kind_.step))
      start -= kind_.step;
  }

  /// As `add`, for the first element of a batch in a pane, and for what is in several panes or complete windows.
  template <class Add, class Late>
  [[gnu::noinline]] bool add_elsewhere(const K& key, event_time t, Add& add_to, Late& late) {
    t = std::min(t, last_moment);
    if (shared_) {
      const auto start = window_start(t, kind_.step, kind_.offset);
      if (!alive(start)) // the last window that holds the pane is the one that begins with it
        return false;
      add_to(open(start).accumulators.touch(key, prototype_));
      for (auto first = first_with(start); first <= start && end_of(first) <= watermark_.get();
           first = later_by(first, kind_.step))
        if (alive(first))
          late(window{first, end_of(first)});
      return true;
    }
    bool taken = false;
    bool any = false;
    for_each_start(t, [&](event_time start) {
      any = true;
      if (!alive(start))
        return false; // and so are those before it
      add_to(open(start).accumulators.touch(key, prototype_));
      taken = true;
      if (end_of(start) <= watermark_.get())
        late(window{start, end_of(start)});
      return true;
    });
    return taken || !any;
  }

  /// Where windows are shared: the start of the first window that holds the pane from `start`.
  event_time first_with(event_time start) const noexcept { return earlier_by(start, kind_.size - kind_.step); }

  /// The window that begins at `start` still takes elements.
  bool alive(event_time start) const noexcept {
    return later_by(end_of(start), lateness_) > watermark_.get() || watermark_.get() == start_of_time;
  }

  pane& open(event_time start) {
    auto at = std::ranges::lower_bound(panes_, start, {}, [](const auto& p) { return p->start; });
    if (at == panes_.end() || (*at)->start != start)
      at = panes_.insert(at, begin_pane(start));
    auto& p = **at;
    if (!p.touched) {
      touched_.push_back(&p);
      p.touched = true;
    }
    // What comes next is likely to belong here, too; and only here, if no window with it is complete.
    const bool only_here = shared_ || kind_.size <= kind_.step;
    const auto end = later_by(start, std::min(kind_.size, kind_.step));
    recent_ = only_here && end > watermark_.get() ? &p : nullptr;
    recent_end_ = end;
    return p;
  }

  std::unique_ptr<pane> begin_pane(event_time start) {
    auto p = spare_.empty() ? std::make_unique<pane>() : std::move(spare_.back());
    if (!spare_.empty())
      spare_.pop_back();
    p->start = start;
    p->fresh = true;
    p->touched = false;
    return p;
  }

  void insert(std::unique_ptr<pane> p) {
    const auto at = std::ranges::lower_bound(panes_, p->start, {}, [](const auto& q) { return q->start; });
    panes_.insert(at, std::move(p));
  }

  template <class F>
  void complete_merged(event_time before, event_time watermark, F& complete) {
    if (panes_.empty())
      return;
    // The first window that ends after `before`.
    auto start = first_with(panes_.front()->start);
    if (before >= end_of(start))
      start = first_with(window_start(before, kind_.step, kind_.offset));
    std::size_t first = 0;
    while (end_of(start) <= watermark) {
      while (first < panes_.size() && panes_[first]->start < start)
        ++first;
      if (first == panes_.size())
        return;
      if (panes_[first]->start >= end_of(start)) { // nothing in this window: on to the first that holds something
        start = first_with(panes_[first]->start);
        continue;
      }
      complete_window(window{start, end_of(start)}, first, complete);
      start = later_by(start, kind_.step);
    }
  }

  template <class F>
  void complete_window(const window& w, std::size_t first, F& complete) {
    if (first + 1 == panes_.size() || panes_[first + 1]->start >= w.end)
      return complete(w, std::as_const(panes_[first]->accumulators));
    if constexpr (merges<A>) {
      table merged = std::move(scratch_);
      merged.clear();
      for (auto i = first; i < panes_.size() && panes_[i]->start < w.end; ++i) {
        panes_[i]->accumulators.for_each([&](const K& k, const A& a) { merged.touch(k, prototype_).merge(a); });
      }
      complete(w, std::as_const(merged));
      scratch_ = std::move(merged);
    }
  }

  void retire() {
    std::size_t gone = 0;
    while (gone < panes_.size() && !alive(panes_[gone]->start))
      ++gone;
    for (std::size_t i = 0; i < gone; ++i)
      retired_.push_back(std::move(panes_[i]));
    panes_.erase(panes_.begin(), panes_.begin() + static_cast<std::ptrdiff_t>(gone));
  }

  sliding kind_;
  event_duration lateness_;
  A prototype_;
  bool shared_ = false;
  restorable<event_time> watermark_{start_of_time};
  std::vector<std::unique_ptr<pane>> panes_; // by start

  // -- the batch at work --
  pane* recent_ =
      nullptr; // where the last element went, if that is the one place for all from its start to recent_end_
  event_time recent_end_{};
  std::vector<pane*> touched_;
  std::vector<std::unique_ptr<pane>> retired_;

  // -- memory kept for reuse --
  std::vector<std::unique_ptr<pane>> spare_;
  table scratch_;
};

} // namespace troupe::pipeline
