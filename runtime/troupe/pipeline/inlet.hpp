// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/actor.hpp>
#include <troupe/pipeline/attempts.hpp>
#include <troupe/pipeline/batch.hpp>
#include <troupe/pipeline/demand.hpp>
#include <troupe/pipeline/watermark.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace troupe::pipeline {

/// Where batches enter a stage: what was accepted and is not done with, in the order of arrival, and the demand.
///
/// Threads: the turn of the stage; wiring before that. Survives restarts.
template <class In>
class inlet {
public:
  using message = batch<In>;
  using value_type = In;
  /// A batch that comes twice is recognised: its handler may fail after it was accepted.
  static constexpr bool works_at_once = true;
  template <class Self>
  using actor_of = actor<Self, batch<In>, demand, tick, proceed>;

  // -- wiring --

  /// A link from a producer, which knows it by the number `output`. `side` numbers the producers of a stage: what a step
  /// that refuses inputs goes by.
  std::uint32_t add_link(ref_to<demand> from, std::uint32_t output, std::size_t side, demand_limits limits) {
    links_.push_back({std::move(from), output, side, demand_window{limits}, 0, false});
    return static_cast<std::uint32_t>(links_.size() - 1);
  }
  std::size_t links() const noexcept { return links_.size(); }

  /// Wiring is done: asks for the first batches. A second call changes nothing.
  void open() {
    if (opened_)
      return;
    opened_ = true;
    if (watermarks_.inputs() != links_.size()) // else they may be those of a checkpoint
      watermarks_ = watermark_merge{links_.size()};
    for (std::uint32_t i = 0; i < links_.size(); ++i)
      say(i, links_[i].window.open());
  }

  // -- demand --

  /// Some demand did not reach its producer: the mailbox of an inbox may be full of offers.
  bool owes() const noexcept { return !unsaid_.empty(); }

  void say_again() {
    if (unsaid_.empty())
      return;
    for (const auto i : std::exchange(unsaid_, {}))
      say(i, links_[i].window.said());
  }

  // -- batches --

  void accept(const batch<In>& b) {
    auto& l = links_[b.input];
    if (b.sequence < l.expected)
      return; // had it already
    if (b.sequence > l.expected)
      throw std::logic_error{"batch " + std::to_string(l.expected) + " of input " + std::to_string(b.input) +
                             " is missing: number " + std::to_string(b.sequence) + " came instead"};
    ++l.expected;
    waiting_.push_back(b);
  }

  /// Brings the first batch that the chain wants to the front, and takes those behind it together with it, as long as they
  /// have no more than `most` elements in all: so that many small ones cost no more than a large one. False if there is
  /// none. Those taken stay the ones until they are done with, whatever fails.
  ///
  /// From a link whose barrier has come nothing is taken until all have. Meanwhile the chain's wishes do not count: what it
  /// would rather have may be behind a barrier.
  template <class Chain>
  bool select(Chain& steps, std::size_t most) {
    if (taken_ > 0)
      return true;
    for (std::size_t i = 0; i < waiting_.size(); ++i) {
      const auto& l = links_[waiting_[i].input];
      if (!l.at_barrier && (at_barrier_ > 0 || steps.wants(l.side))) {
        if (i > 0) {
          auto chosen = std::move(waiting_[i]);
          waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
          waiting_.push_front(std::move(chosen));
        }
        take_together(most, Chain::selective);
        return true;
      }
    }
    return false;
  }

  /// Elements of the batches taken that are done.
  std::size_t position() const noexcept { return position_; }
  std::size_t size() const noexcept { return size_; }

  /// The elements of the front batch. Null if there are none.
  elements<In> front_items() const { return waiting_.front().items; }

  /// Feeds the elements from `at` to `end` of the batches taken; `at` is the one at work.
  template <class Chain, class Out>
  void feed(Chain& steps, Out& out, std::size_t& at, std::size_t end) {
    std::size_t first = 0; // of the batch's elements, among all that were taken
    for (std::size_t b = 0; at < end; ++b) {
      const auto behind = first + waiting_[b].size();
      if (at < behind) {
        const auto* const items = waiting_[b].items->data();
        const auto last = std::min(end, behind);
        counted_at here{at};
        for (; here.n < last; ++here.n)
          steps.feed(items[here.n - first], out);
      }
      first = behind;
    }
  }

  /// What follows from the end of the batches taken. May be called again after a failure.
  template <class Chain, class Out>
  void close(Chain& steps, Out& out) {
    for (std::size_t i = 0; i < taken_; ++i) {
      const auto& b = waiting_[i];
      if (b.end)
        end(steps, b.input);
      else if (b.idle)
        watermarks_.idle(b.input);
      else
        watermarks_.advance(b.input, b.watermark);
    }
    out.set_idle(watermarks_.all_idle());
    steps.progress(out);
    const auto w = watermarks_.watermark();
    if (w != start_of_time)
      steps.watermark(w, out);
    if (watermarks_.all_ended()) {
      steps.end(out);
      out.end();
    }
  }

  /// The elements before `position` are done.
  void passed(std::size_t position) noexcept { position_ = position; }

  /// Leaves out the element that is next. Returns whether that is possible.
  bool skip() noexcept {
    ++position_;
    return true;
  }

  /// The batches taken are done. Returns how many elements they had.
  std::size_t pop() {
    for (; taken_ > 0; --taken_)
      pop_front();
    position_ = 0;
    return std::exchange(size_, 0);
  }

  // -- checkpoints --

  /// The epoch whose barrier has come on all links that have not ended; 0: of none. Then nothing is taken until
  /// `pass_barrier`. A link whose last batch is at work has not ended: that batch may fail.
  std::uint32_t barrier() const noexcept {
    return taken_ == 0 && at_barrier_ > 0 && at_barrier_ + watermarks_.ended() == links_.size() ? epoch_ : 0;
  }
  void pass_barrier() noexcept {
    for (auto& l : links_)
      l.at_barrier = false;
    at_barrier_ = 0;
  }

  static constexpr bool archivable = true;
  void archive(auto& a) { watermarks_.archive(a); }

  // What it holds changes only when a batch, or a part of one, is done.
  void commit() noexcept {}
  void rollback() noexcept {}

private:
  struct link {
    ref_to<demand> from;
    std::uint32_t output;
    std::size_t side;
    demand_window window;
    std::uint64_t expected;
    bool at_barrier;
  };

  /// Nothing behind a barrier is taken with it. A selective chain may want another input after each batch.
  void take_together(std::size_t most, bool selective) {
    taken_ = 1;
    size_ = waiting_.front().size();
    while (taken_ < waiting_.size() && !selective && at_barrier_ == 0 && waiting_[taken_ - 1].barrier == 0 &&
           size_ + waiting_[taken_].size() <= most)
      size_ += waiting_[taken_++].size();
  }

  /// A side has ended when all its links have.
  template <class Chain>
  void end(Chain& steps, std::uint32_t input) {
    watermarks_.end(input);
    const auto side = links_[input].side;
    for (std::size_t i = 0; i < links_.size(); ++i)
      if (links_[i].side == side && !watermarks_.has_ended(i))
        return;
    steps.input_ended(side);
  }

  void pop_front() {
    const auto input = waiting_.front().input;
    // A barrier may come with the end, which stands for it.
    if (const auto epoch = waiting_.front().barrier; epoch != 0 && !watermarks_.has_ended(input)) {
      epoch_ = epoch;
      links_[input].at_barrier = true;
      ++at_barrier_;
    }
    waiting_.pop_front();
    if (const auto up_to = links_[input].window.take())
      say(input, *up_to);
  }

  void say(std::uint32_t input, std::uint64_t up_to) {
    const auto& l = links_[input];
    if (l.from.tell(demand{l.output, up_to}) == troupe::delivery::rejected)
      unsaid_.push_back(input);
  }

  std::vector<link> links_;
  std::vector<std::uint32_t> unsaid_; // links whose producer had no room for the last demand
  std::deque<batch<In>> waiting_;
  std::size_t taken_ = 0; // batches at work, from the front
  std::size_t size_ = 0;  // their elements
  std::size_t position_ = 0;
  watermark_merge watermarks_;
  std::size_t at_barrier_ = 0; // links
  std::uint32_t epoch_ = 0;    // of their barrier
  bool opened_ = false;
};

} // namespace troupe::pipeline
