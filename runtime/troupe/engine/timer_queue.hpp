// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/seams.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace troupe::engine {

/// One timer, embedded in the object that wants to be called. 32 bytes.
///
/// Ownership: whoever embeds it. It must not be moved or destroyed while it is armed. Everything but `fire` is written
/// by the queue and the service only.
struct timer_node {
  static constexpr std::uint32_t unlinked = std::numeric_limits<std::uint32_t>::max();

  /// When it is due.
  time_point at{};

  /// Breaks ties: of two nodes due at the same time, the one armed first comes first.
  std::uint64_t order = 0;

  /// Its place in the heap, or `unlinked`.
  std::uint32_t index = unlinked;

  /// The shard of the timer_service that it was last armed in.
  std::uint16_t shard = 0;

  /// Called when it is due, already unlinked. It may re-arm or destroy the node.
  void (*fire)(timer_node&) noexcept = nullptr;
};

/// The armed timers in the order of their deadlines: a 4-ary heap, in which each node knows its place.
///
/// Four children per parent, because they share one cache line and make the tree half as deep as a binary one
/// (D. B. Johnson, "Priority queues with update and finding minimum spanning trees", 1975).
///
/// Costs: `first` O(1); `erase`, `pop_due` O(log n); `push` O(log n), but O(1) for a deadline not earlier than all
/// others, which is the usual case. Memory: 16 bytes per armed node, kept at its highest level. At most 2^32 - 1 nodes.
/// Threads: owner only.
class timer_queue {
public:
  bool empty() const noexcept { return heap_.empty(); }

  std::size_t size() const noexcept { return heap_.size(); }

  /// Calls `see(node)` for every node, in no useful order.
  template <class See>
  void for_each(See& see) const {
    for (const entry& e : heap_)
      see(*e.node);
  }

  /// The earliest deadline, or time_point::max() if there is none.
  time_point first() const noexcept { return heap_.empty() ? time_point::max() : heap_.front().at; }

  /// The node that is due first, or null.
  const timer_node* first_node() const noexcept { return heap_.empty() ? nullptr : heap_.front().node; }

  /// Adds `node`, due at `at`. *Requires*: it is unlinked.
  /// Errors: std::bad_alloc, with nothing changed.
  void push(timer_node& node, time_point at) {
    heap_.emplace_back(); // may throw: before anything else
    node.at = at;
    node.order = next_order_++;
    rise(heap_.size() - 1, {at, &node});
  }

  /// Removes `node`. Returns false if it is not linked.
  bool erase(timer_node& node) noexcept {
    if (node.index == timer_node::unlinked)
      return false;
    const std::size_t hole = node.index;
    node.index = timer_node::unlinked;
    const entry last = heap_.back();
    heap_.pop_back();
    if (hole == heap_.size())
      return true;
    if (hole > 0 && before(last, heap_[parent(hole)]))
      rise(hole, last);
    else
      sink(hole, last);
    return true;
  }

  /// Removes and returns the node that is due first if that is not after `now`, else nullptr.
  timer_node* pop_due(time_point now) noexcept {
    if (heap_.empty() || heap_.front().at > now)
      return nullptr;
    timer_node* node = heap_.front().node;
    erase(*node);
    return node;
  }

private:
  struct entry {
    time_point at{}; // a copy of node->at, so that comparing does not touch the nodes
    timer_node* node = nullptr;
  };

  static std::size_t parent(std::size_t i) noexcept { return (i - 1) / 4; }

  static bool before(const entry& a, const entry& b) noexcept {
    return a.at != b.at ? a.at < b.at : a.node->order < b.node->order;
  }

  void place(std::size_t i, const entry& e) noexcept {
    heap_[i] = e;
    e.node->index = static_cast<std::uint32_t>(i);
  }

  /// Puts `e` at the hole `i` or above it.
  void rise(std::size_t i, entry e) noexcept {
    while (i > 0 && before(e, heap_[parent(i)])) {
      place(i, heap_[parent(i)]);
      i = parent(i);
    }
    place(i, e);
  }

  /// Puts `e` at the hole `i` or below it.
  void sink(std::size_t i, entry e) noexcept {
    const std::size_t n = heap_.size();
    for (;;) {
      const std::size_t begin = 4 * i + 1;
      if (begin >= n)
        break;
      const std::size_t end = begin + 4 < n ? begin + 4 : n;
      std::size_t least = begin;
      for (std::size_t c = begin + 1; c < end; ++c)
        if (before(heap_[c], heap_[least]))
          least = c;
      if (!before(heap_[least], e))
        break;
      place(i, heap_[least]);
      i = least;
    }
    place(i, e);
  }

  std::vector<entry> heap_;
  std::uint64_t next_order_ = 0;
};

} // namespace troupe::engine
