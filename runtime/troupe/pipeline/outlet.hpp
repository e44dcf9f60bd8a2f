// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/batch.hpp>
#include <troupe/pipeline/demand.hpp>
#include <troupe/pipeline/key_hash.hpp>
#include <troupe/ref.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

namespace troupe::pipeline {

/// How the elements of a stage are spread over the instances of a consumer.
enum class routing : unsigned char {
  /// To the one instance there is, or from instance i to instance i.
  forward,
  /// Each batch to the next instance in turn.
  spread,
  /// Each element to the instance that has its key.
  by_key,
};

/// Splits elements by their key. Immutable; any thread.
template <class T>
class key_router {
public:
  virtual ~key_router() = default;
  /// Appends each element to the part that it belongs to.
  virtual void split(const element_array<T>& items, std::vector<element_array<T>>& parts) const = 0;
  /// Which of so many parts that is.
  virtual std::size_t part_of(const T& x, std::size_t parts) const = 0;
};

template <class T, class Key>
class router_by final : public key_router<T> {
public:
  explicit router_by(Key key) : key_{std::move(key)} {}
  void split(const element_array<T>& items, std::vector<element_array<T>>& parts) const override {
    for (const auto& x : items)
      parts[router_by::part_of(x, parts.size())].push_back(x);
  }
  std::size_t part_of(const T& x, std::size_t parts) const override {
    return partition_of(key_hash(std::invoke(key_, x)), parts);
  }

private:
  Key key_;
};

/// What leaves a stage: elements of the batch at work, and for each link to a consumer what waits for its demand.
///
/// Threads: the turn of the stage; wiring before that. Survives restarts.
template <class Out>
class outlet {
public:
  explicit outlet(std::size_t batch_size) : batch_size_{batch_size} {}

  // -- wiring --

  struct target {
    ref_to<batch<Out>> to;
    std::uint32_t input;
  };

  /// A consumer with these instances. Returns the number of the first of its links, which are consecutive.
  std::uint32_t add_consumer(routing how, std::shared_ptr<const key_router<Out>> router, std::vector<target> targets) {
    const auto first = links_.size();
    for (auto& t : targets)
      links_.push_back({std::move(t.to), t.input, {}, 0, {}});
    consumers_.push_back({how, std::move(router), first, targets.size(), 0, {}});
    return static_cast<std::uint32_t>(first);
  }

  std::size_t links() const noexcept { return links_.size(); }

  // -- the batch at work --

  template <class X>
  [[gnu::always_inline]] void push(X&& x) {
    if (staged_.full()) [[unlikely]]
      make_room();
    staged_.push_back(std::forward<X>(x));
  }

  void advance(event_time w) noexcept { watermark_ = std::max(watermark_, w); }
  void set_idle(bool idle) noexcept { idle_ = idle; }
  void end() noexcept { ended_ = true; }

  /// Tells where each element goes. Comes before `commit`, when all are there. Throws what their keys do.
  void route() {
    for (auto& c : consumers_) {
      if (!c.splits())
        continue;
      c.parts.resize(std::max(c.parts.size(), full_.size() + 1));
      for (std::size_t i = 0; i < full_.size(); ++i)
        split(c, full_[i], c.parts[i]);
      split(c, staged_, c.parts[full_.size()]);
    }
  }
  /// Throws what the key of `x` does.
  void require_routable(const Out& x) const {
    for (const auto& c : consumers_)
      if (c.splits())
        c.router->part_of(x, c.count);
  }

  void rollback() noexcept {
    staged_.clear();
    full_.clear();
    for (auto& c : consumers_)
      for (auto& batch_parts : c.parts)
        for (auto& p : batch_parts)
          p.clear();
    watermark_ = said_;
    idle_ = said_idle_;
    ended_ = said_end_;
  }

  /// The batch at work is done: what it made leaves now, or when there is demand. Returns the number of elements.
  std::size_t commit() {
    const bool news = watermark_ != said_ || idle_ != said_idle_ || ended_ != said_end_;
    said_ = watermark_;
    said_idle_ = idle_;
    said_end_ = ended_;
    std::size_t n = 0;
    const auto last = full_.size();
    for (std::size_t i = 0; i < last; ++i) {
      n += full_[i].size();
      dispatch(std::make_shared<const element_array<Out>>(std::move(full_[i])), i, false);
    }
    full_.clear();
    n += staged_.size();
    if (!staged_.empty()) {
      expected_ = staged_.size();
      dispatch(std::make_shared<const element_array<Out>>(std::exchange(staged_, {})), last, true);
    } else if (news) {
      dispatch(nullptr, last, true);
    }
    return n;
  }

  /// What leaves from here on does not belong to the checkpoint of that epoch.
  void pass_barrier(std::uint32_t epoch) {
    for (auto& l : links_) {
      auto b = news(l);
      b.barrier = epoch;
      queue(l, std::move(b));
    }
  }

  void archive(auto& a) {
    a(said_, said_idle_, said_end_);
    rollback();
  }

  // -- demand --

  /// Nothing waits: there is room for what another batch makes.
  bool has_room() const noexcept { return waiting_ == 0; }

  void grant(const demand& d) {
    auto& l = links_[d.output];
    l.allowed.grant(d.up_to);
    send_waiting(l);
  }

  event_time watermark() const noexcept { return said_; }
  bool ended() const noexcept { return said_end_; }
  std::size_t waiting() const noexcept { return waiting_; }

private:
  struct link {
    ref_to<batch<Out>> to;
    std::uint32_t input;
    credit allowed;
    std::uint64_t queued; // sequence number of the next one
    std::deque<batch<Out>> waiting;
  };

  struct consumer {
    routing how;
    std::shared_ptr<const key_router<Out>> router;
    std::size_t first; // of its links
    std::size_t count;
    std::size_t turn; // for routing::spread
    // For routing::by_key: what of each batch that is about to leave goes to each instance.
    std::vector<std::vector<element_array<Out>>> parts;

    bool splits() const noexcept { return how == routing::by_key && count > 1; }
  };

  /// Room for more elements: a fresh vector for a batch that is full.
  [[gnu::noinline]] void make_room() {
    if (staged_.size() >= batch_size_)
      full_.push_back(std::exchange(staged_, {}));
    if (staged_.capacity() == 0)
      staged_.reserve(std::clamp<std::size_t>(expected_ + expected_ / 4, 4, batch_size_));
    else
      staged_.reserve(std::min(batch_size_, staged_.capacity() * 2));
  }

  /// `nth` batch of the commit; `closing`: the last one, which carries the watermark and reaches every instance.
  void dispatch(elements<Out> items, std::size_t nth, bool closing) {
    for (auto& c : consumers_) {
      if (c.splits()) {
        hand_out(c, c.parts[nth], closing);
      } else if (c.count == 1 || c.how == routing::forward) {
        for (std::size_t i = 0; i < c.count; ++i)
          hand_on(links_[c.first + i], items, closing);
      } else {
        const auto chosen = c.turn++ % c.count;
        for (std::size_t i = 0; i < c.count; ++i)
          if (i == chosen || closing)
            hand_on(links_[c.first + i], i == chosen ? items : nullptr, closing);
      }
    }
  }

  static void split(const consumer& c, const element_array<Out>& items, std::vector<element_array<Out>>& parts) {
    parts.resize(c.count);
    if (items.empty())
      return;
    for (auto& p : parts)
      p.reserve(items.size() / c.count + items.size() / 8 + 1);
    c.router->split(items, parts);
  }

  void hand_out(consumer& c, std::vector<element_array<Out>>& parts, bool closing) {
    for (std::size_t i = 0; i < c.count; ++i) {
      auto& p = parts[i];
      if (!p.empty())
        hand_on(links_[c.first + i], std::make_shared<const element_array<Out>>(std::exchange(p, {})), closing);
      else if (closing)
        hand_on(links_[c.first + i], nullptr, closing);
    }
  }

  /// A batch without elements, which says how far event time has come.
  batch<Out> news(const link& l) const {
    batch<Out> b{.input = l.input, .idle = said_idle_};
    b.watermark = said_;
    b.end = said_end_;
    return b;
  }

  void hand_on(link& l, elements<Out> items, bool closing) {
    auto b = closing ? news(l) : batch<Out>{.input = l.input, .idle = said_idle_};
    b.items = std::move(items);
    if (!b.items && b.watermark == start_of_time && !b.end && !b.idle && l.waiting.empty())
      return;
    queue(l, std::move(b));
  }

  void queue(link& l, batch<Out> b) {
    if (!b.items && !l.waiting.empty() && l.waiting.back().barrier == 0) { // news for one that waits anyway
      b.items = std::move(l.waiting.back().items);
      l.waiting.back() = std::move(b);
      return;
    }
    l.waiting.push_back(std::move(b));
    ++waiting_;
    send_waiting(l);
  }

  void send_waiting(link& l) {
    while (!l.waiting.empty() && l.allowed.available()) {
      auto& b = l.waiting.front();
      b.sequence = l.allowed.spend();
      l.to.tell(std::move(b));
      l.waiting.pop_front();
      --waiting_;
    }
  }

  // -- fixed when wired --
  std::size_t batch_size_;
  std::vector<consumer> consumers_;
  std::vector<link> links_;

  // -- the batch at work --
  element_array<Out> staged_;
  std::vector<element_array<Out>> full_;
  event_time watermark_ = start_of_time;
  bool idle_ = false;
  bool ended_ = false;

  // -- committed --
  event_time said_ = start_of_time;
  bool said_idle_ = false;
  bool said_end_ = false;
  std::size_t waiting_ = 0; // batches, over all links
  std::size_t expected_ = 64;
};

/// What leaves a sink: nothing but its end.
template <>
class outlet<nothing> {
public:
  explicit outlet(std::size_t) {}
  template <class X>
  void push(X&&) noexcept {}
  void advance(event_time w) noexcept { watermark_ = std::max(watermark_, w); }
  void set_idle(bool) noexcept {}
  void end() noexcept { ended_ = true; }
  void route() noexcept {}
  void rollback() noexcept {
    watermark_ = said_;
    ended_ = said_end_;
  }
  std::size_t commit() noexcept {
    said_ = watermark_;
    said_end_ = ended_;
    return 0;
  }
  void pass_barrier(std::uint32_t) noexcept {}
  void archive(auto& a) {
    a(said_, said_end_);
    rollback();
  }
  bool has_room() const noexcept { return true; }
  void grant(const demand&) noexcept {}
  event_time watermark() const noexcept { return said_; }
  bool ended() const noexcept { return said_end_; }
  std::size_t links() const noexcept { return 0; }
  std::size_t waiting() const noexcept { return 0; }

private:
  event_time watermark_ = start_of_time;
  event_time said_ = start_of_time;
  bool ended_ = false;
  bool said_end_ = false;
};

} // namespace troupe::pipeline
