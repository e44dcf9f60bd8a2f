// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/graph.hpp>
#include <troupe/system.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::pipeline {

/// A pipeline that was started. Copies are the same one. Destroying it leaves the pipeline running. One that was made without
/// a pipeline is empty: all but `stages` throw usage_error. Threads: any.
class running {
public:
  running() = default;

  /// What came of it: nothing, while it runs. An error names the stage that could not go on, and why.
  std::optional<result<void>> outcome() const;

  /// Blocks until it is over and its actors have ended, at most `timeout`; then errc::timed_out. Not to be called by an actor.
  result<void> wait(std::chrono::milliseconds timeout = std::chrono::hours{24}) const;

  /// Ends it now, wherever it is. What was on its way is given up; `outcome` says errc::stopped unless it was over.
  void stop() const;

  /// One entry for each instance of each source, stage and sink, producers first.
  std::vector<stage_figures> figures() const;

  /// The supervisor of its actors.
  const supervisor& stages() const noexcept { return stages_; }

private:
  friend class pipeline_plan;
  run_record& required() const;
  running(troupe::system& s, supervisor stages, std::shared_ptr<run_record> record)
      : system_{&s}, stages_{std::move(stages)}, record_{std::move(record)} {}

  troupe::system* system_ = nullptr;
  supervisor stages_;
  std::shared_ptr<run_record> record_;
};

/// A pipeline as it was built: a graph of sources, stages and sinks. It may be started any number of times, by one thread at a
/// time; each start begins with fresh state. Values that its functions refer to must outlive what is started.
class pipeline_plan {
public:
  explicit pipeline_plan(std::vector<std::shared_ptr<node>> sinks) : sinks_{std::move(sinks)} {}

  /// Starts it under a supervisor of its own, at the top of the system or under `parent`.
  /// Errors: request_error with errc::bad_options, name_taken or shutting_down.
  running start(troupe::system& s, std::string_view name, const options& o = {}) const;
  running start(troupe::system& s, const supervisor& parent, std::string_view name, const options& o = {}) const;

  /// Both, as one pipeline: it is over when all sinks have ended. What they have in common is there once.
  pipeline_plan with(const pipeline_plan& other) const;

  /// The graph, one node per line.
  std::string to_text() const { return pipeline::to_text(sinks_); }
  /// The graph, as a drawing in Mermaid's language.
  std::string to_mermaid() const { return pipeline::to_mermaid(sinks_); }

private:
  std::vector<std::shared_ptr<node>> sinks_;
};

} // namespace troupe::pipeline
