// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/element_array.hpp>
#include <troupe/pipeline/event_time.hpp>

#include <cstdint>
#include <memory>

namespace troupe::pipeline {

/// Elements on their way, shared by all who read them and changed by nobody.
template <class T>
using elements = std::shared_ptr<const element_array<T>>;

/// What a producer sends to a consumer: elements, and how far event time has come with them.
///
/// Batches of one link are numbered from 0 without gaps. The consumer drops one that it has had already.
template <class T>
struct batch {
  std::uint32_t input = 0; ///< Which of the consumer's links.
  std::uint64_t sequence = 0;
  elements<T> items{}; ///< Null if there are none.
  event_time watermark = start_of_time;
  bool idle = false;         ///< The producer expects nothing for now: its watermark is not to hold back others.
  bool end = false;          ///< The last one.
  std::uint32_t barrier = 0; ///< Not 0: what comes after it does not belong to the checkpoint of that epoch.

  std::size_t size() const noexcept { return items ? items->size() : 0; }
};

/// What a consumer says to a producer: send what comes before `up_to`. Acknowledges, too: see demand_window.
struct demand {
  std::uint32_t output = 0; ///< Which of the producer's links.
  std::uint64_t up_to = 0;
};

/// Sent to a stage, once, when the graph is wired; and by a stage to itself while it has more to do than one turn takes.
struct proceed {};

/// Sent to a source: its next batch does not belong to the checkpoint of that epoch.
struct barrier {
  std::uint32_t epoch = 0;
};

/// A stage's own timer.
struct tick {};

/// What a sink has for output.
struct nothing {};

} // namespace troupe::pipeline
