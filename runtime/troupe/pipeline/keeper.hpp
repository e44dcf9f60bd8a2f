// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/actor.hpp>
#include <troupe/error.hpp>
#include <troupe/pipeline/batch.hpp>
#include <troupe/pipeline/checkpoint.hpp>
#include <troupe/pipeline/epochs.hpp>
#include <troupe/pipeline/figures.hpp>
#include <troupe/watch.hpp>

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

/// What a stage keeps, for the checkpoint of that epoch; nothing: it has ended, for all that come.
struct stage_kept {
  std::uint32_t id = 0; ///< Of the stage's instance.
  std::optional<std::uint32_t> epoch;
  std::string state;
};

/// What checkpoints are made with, and of. Survives restarts of the keeper. Its turn only, once elements flow.
struct checkpointing {
  checkpoint_log log;
  checkpoint_options options;
  std::string graph;
  std::optional<checkpoint> last;   ///< That the run goes on from.
  std::vector<std::string> names{}; ///< Of the stages' instances, by id.
  std::vector<ref_to<barrier>> sources{};
  pipeline::epochs epochs{};
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
  std::vector<any_ref> stages; ///< Their instances.

  /// The keeper's turn only.
  std::set<std::uint32_t> ended;
  bool opened = false;              ///< Elements flow.
  std::set<std::uint64_t> draining; ///< Stages that are to handle the last they were sent, by id.
  std::optional<checkpointing> checkpoints;

private:
  mutable std::mutex mutex_; // leaf lock
  std::optional<result<void>> outcome_;
};

/// A stage has not ended in time, although all sinks have.
struct stages_late {};

/// The actor that knows when a pipeline is over: when all its sinks have ended, or a stage cannot go on. It then ends itself,
/// and with it, as their significant sibling, all stages. Until then it has checkpoints made, if there are to be any.
///
/// Once all sinks have ended it first has the stages handle what they have been sent, the last demand for the most part, so
/// that a run that comes to its end drops no message.
class keeper : public actor<keeper, sink_ended, stage_failed, stage_kept, proceed, tick, stages_late> {
public:
  explicit keeper(const std::shared_ptr<run_record>& record);

  void on(const sink_ended& s);
  void on(const stage_failed& f);
  void on(const stage_kept& k);
  void on(const proceed&); // elements flow
  void on(const tick&);    // it is time for a checkpoint
  void on(const stopped& stage);
  void on(const stages_late&);

private:
  void end_if_over();
  void drain_stages();
  void limit_drain();
  /// False: it could not be kept, and the pipeline is over.
  bool keep(std::vector<std::string> states);
  void fail(std::string what);

  std::shared_ptr<run_record> record_;
};

} // namespace troupe::pipeline
