// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/actor.hpp>
#include <troupe/error.hpp>
#include <troupe/pipeline/figures.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace troupe::pipeline {

/// A sink has seen the end of all its inputs.
struct sink_ended {
  std::uint32_t id = 0; ///< Of the stage's instance.
};

/// A stage cannot go on.
struct stage_failed {
  std::string stage;
  std::string what;
};

/// What is known of a running pipeline, on both sides of its actors. Survives restarts of the keeper.
class run_record {
public:
  /// What came of it. Nothing yet while it runs. Any thread.
  std::optional<result<void>> outcome() const;
  /// The first outcome counts. Any thread.
  void conclude(result<void> r);

  /// Fixed before the first element flows.
  std::size_t sinks = 0;
  std::vector<std::function<stage_figures()>> figures;

  /// The keeper's turn only.
  std::set<std::uint32_t> ended;

private:
  mutable std::mutex mutex_; // leaf lock
  std::optional<result<void>> outcome_;
};

/// The actor that knows when a pipeline is over: when all its sinks have ended, or a stage cannot go on. It then ends itself,
/// and with it, as their significant sibling, all stages.
class keeper : public actor<keeper, sink_ended, stage_failed> {
public:
  explicit keeper(const std::shared_ptr<run_record>& record) : record_{record} {}

  void on(const sink_ended& s);
  void on(const stage_failed& f);

private:
  std::shared_ptr<run_record> record_;
};

} // namespace troupe::pipeline
