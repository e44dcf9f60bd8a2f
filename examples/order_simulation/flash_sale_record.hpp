// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/analytics/latency_histogram.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace order_simulation {

/// How a customer of a flash sale is answered.
enum class sale_outcome : std::uint8_t {
  sold,
  sold_out,
  busy_full, ///< By the door: as many orders as may be are inside.
  busy_late, ///< By the door: he has waited too long already.
  busy_edge, ///< Before the door: too many stand there.
};

inline constexpr std::size_t sale_outcomes = 5;

/// What the customers of one phase remember; it is no part of the shop and survives whatever fails there.
///
/// Threads: each histogram has one writer; others read it when `answered` has reached `sent`. Everything else: any.
class sale_record {
public:
  /// For orders `first` to `first + orders - 1`.
  sale_record(std::uint64_t first, std::uint64_t orders) : first_{first}, answers_(orders), outcome_of_(orders) {}

  std::uint64_t first() const { return first_; }
  std::uint64_t orders() const { return answers_.size(); }

  void note(std::uint64_t order, sale_outcome outcome, std::uint32_t units, std::chrono::nanoseconds latency) {
    // relaxed: read after `answered` only.
    if (answers_[order - first_].fetch_add(1, std::memory_order_relaxed) > 0)
      repeated_.fetch_add(1, std::memory_order_relaxed);
    outcome_of_[order - first_].store(outcome, std::memory_order_relaxed);
    outcomes_[static_cast<std::size_t>(outcome)].fetch_add(1, std::memory_order_relaxed);
    sold_units_.fetch_add(units, std::memory_order_relaxed);
    latencies_of(outcome).record(latency);
    answered_.fetch_add(1, std::memory_order_release); // publishes all of the above; pairs with answered()
  }

  bool has_answer(std::uint64_t order) const { return answers_[order - first_].load(std::memory_order_relaxed) > 0; }

  /// Answers so far, repeated ones included.
  std::uint64_t answered() const { return answered_.load(std::memory_order_acquire); }

  /// Answers by which an order got more than one.
  std::uint64_t repeated() const { return repeated_.load(std::memory_order_relaxed); }

  std::uint64_t count(sale_outcome outcome) const { return outcomes_[static_cast<std::size_t>(outcome)].load(); }
  /// Of an answered order.
  sale_outcome outcome_of(std::uint64_t order) const {
    return outcome_of_[order - first_].load(std::memory_order_relaxed);
  }
  std::uint64_t sold_units() const { return sold_units_.load(std::memory_order_relaxed); }
  std::uint64_t served() const { return count(sale_outcome::sold) + count(sale_outcome::sold_out); }

  const troupe::analytics::latency_histogram& accepted() const { return accepted_; }
  troupe::analytics::latency_histogram shed() const {
    troupe::analytics::latency_histogram both = shed_;
    both.merge(shed_at_edge_);
    return both;
  }

  // -- atomic --
  std::atomic<bool> closing{false};   ///< Nobody more is to be sent.
  std::atomic<std::uint64_t> sent{0}; ///< Orders so far.

private:
  troupe::analytics::latency_histogram& latencies_of(sale_outcome outcome) {
    if (outcome == sale_outcome::busy_edge)
      return shed_at_edge_;
    return outcome == sale_outcome::sold || outcome == sale_outcome::sold_out ? accepted_ : shed_;
  }

  const std::uint64_t first_;

  // -- the crowd --
  troupe::analytics::latency_histogram accepted_{};
  troupe::analytics::latency_histogram shed_{};

  // -- who sends the customers in an open loop --
  troupe::analytics::latency_histogram shed_at_edge_{};

  // -- atomic --
  std::array<std::atomic<std::uint64_t>, sale_outcomes> outcomes_{};
  std::vector<std::atomic<std::uint8_t>> answers_; // how often each order was answered
  std::vector<std::atomic<sale_outcome>> outcome_of_;
  std::atomic<std::uint64_t> sold_units_{0};
  std::atomic<std::uint64_t> repeated_{0};
  std::atomic<std::uint64_t> answered_{0};
};

} // namespace order_simulation
