// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/actor.hpp>
#include <troupe/pipeline/archive.hpp>
#include <troupe/pipeline/attempts.hpp>
#include <troupe/pipeline/batch.hpp>
#include <troupe/pipeline/keeper.hpp>
#include <troupe/pipeline/outlet.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace troupe::pipeline {

/// What a stage does about an element that fails again and again.
enum class failing_element : unsigned char {
  /// The pipeline ends, with an error that names the stage and says what was thrown.
  fail,
  /// The element is left out, counted in `stage_figures::skipped`, and the stage goes on.
  skip,
};

/// How stages run.
struct stage_options {
  /// Elements in a batch, at most. 1..1'000'000.
  std::size_t batch_size = 512;
  /// Attempts beyond the first at an element before `failing` decides.
  unsigned retries = 16;
  failing_element failing = failing_element::fail;
};

/// What of a stage survives its restarts: its intake (an inlet, or a source), the state of its steps, its outlet.
///
/// Threads: the turn of the stage. `figures`: any.
template <class Intake, class Chain, class Out>
struct stage_memory {
  stage_memory(std::string name_, std::uint32_t id_, stage_options options_, Intake intake_, Chain steps_)
      : name{std::move(name_)}, id{id_}, options{options_}, intake{std::move(intake_)}, steps{std::move(steps_)},
        out{options_.batch_size} {}

  static constexpr bool archivable() noexcept { return Intake::archivable && Chain::not_archivable() == nullptr; }

  /// What a checkpoint says of it: after a batch, with its effects seen.
  template <class A>
  void archive(A& a) {
    intake.archive(a);
    steps.archive(a);
    out.archive(a);
  }

  const std::string name;
  const std::uint32_t id; // among the instances of all stages
  const stage_options options;
  ref<pipeline::keeper> keeper{};

  Intake intake;
  Chain steps;
  outlet<Out> out;

  attempts tries{};
  attempts effect_tries{};
  attempts time_tries{};    // at position 0: what is done when a time has come
  attempts barrier_tries{}; // at position 0
  /// Set once all stages are wired. Before, nothing may leave, not even what a checkpoint has left waiting in a step.
  std::atomic<bool> wired{false};
  std::string failure{};   // what was thrown last
  bool open = false;       // a batch is at work, or was when the stage failed
  bool one_by_one = false; // of the batch at work, as one of them has made something whose key cannot be told
  bool finished = false;   // it has ended, or cannot go on
  bool kept = false;       // what it keeps goes into checkpoints
  bool proceeding = false; // a `proceed` to itself is on its way

  stage_counters figures{};
};

/// A source, a stage or a sink: fused steps between an intake and an outlet. Demand comes in at the outlet, batches at the
/// intake.
///
/// Handling a batch is a transaction. Nothing leaves before all of it was worked through; when a step throws, the next
/// incarnation puts the state of the steps back to what it was before the batch, and works through it again. So a restart
/// loses nothing, repeats nothing, and costs no more than the batch at work.
template <class Intake, class Chain, class Out>
class stage : public Intake::template actor_of<stage<Intake, Chain, Out>> {
public:
  using memory = stage_memory<Intake, Chain, Out>;

  explicit stage(const std::shared_ptr<memory>& m) : kept_{m}, m_{*m} {
    if (m_.open) {
      m_.steps.rollback();
      m_.intake.rollback();
      m_.out.rollback();
      m_.open = false;
      m_.figures.note_failure();
    }
    if (m_.wired.load(std::memory_order_acquire)) // not the first incarnation
      arm();
  }

  auto on(const typename Intake::message& message) {
    if constexpr (Intake::works_at_once) {
      m_.intake.accept(message);
      work();
    } else { // a failure from here on would accept it again
      const bool taken = m_.intake.accept(message);
      if (!taken)
        m_.figures.note_refused();
      go_on();
      return taken;
    }
  }

  void on(const demand& d) {
    m_.out.grant(d);
    work();
  }

  void on(const proceed&) {
    m_.proceeding = false;
    if (!m_.wired.load(std::memory_order_acquire)) // somebody fills an inbox already; pairs with stage_node's release
      return;
    m_.intake.open();
    work();
  }

  void on(const barrier& b) {
    m_.intake.ask_for_barrier(b.epoch);
    work();
  }

  void on(const tick&) {
    armed_.reset();
    if constexpr (Chain::timed)
      pass_time();
    work();
  }

private:
  /// Until demand is said again to a source whose mailbox was full.
  static constexpr std::chrono::milliseconds demand_pause{1};
  /// Batches worked through before other actors get their turn.
  static constexpr int batches_per_turn = 4;

  void work() {
    if (!m_.wired.load(std::memory_order_acquire)) // pairs with stage_node's release
      return;
    show();
    for (int i = 0; ready(); ++i) {
      if (i == batches_per_turn) {
        go_on();
        break;
      }
      attempt();
      show();
    }
    arm();
  }

  bool ready() {
    return !m_.finished && m_.out.has_room() && m_.steps.accepting() &&
           m_.intake.select(m_.steps, m_.options.batch_size);
  }

  void go_on() {
    if (!m_.proceeding)
      m_.proceeding = this->self().tell(proceed{}) == troupe::delivery::accepted;
  }

  /// Works through a batch; through a part of it, if it has failed before.
  void attempt() {
    const auto begin = m_.intake.position();
    const auto size = m_.intake.size();
    if (m_.tries.at(begin) > m_.options.retries && !leave_out(begin, size))
      return;
    const auto end = m_.one_by_one ? std::min(begin + 1, size) : m_.tries.until(begin, size);
    const bool closes = m_.one_by_one ? begin == size : m_.tries.closes(begin, size);
    auto at = begin;
    bool routing = false;
    m_.open = true;
    try {
      if constexpr (Chain::timed)
        m_.steps.begin(this->now());
      m_.intake.feed(m_.steps, m_.out, at, end);
      if (closes) {
        at = size;
        m_.intake.close(m_.steps, m_.out);
      }
      routing = true;
      m_.out.route();
    } catch (...) {
      if (!routing || std::exchange(m_.one_by_one, true)) // else it is not known yet because of which element
        m_.tries.failed(routing && !closes ? begin : at);
      m_.failure = describe(std::current_exception());
      throw;
    }
    this->fault_point();
    if (closes) {
      m_.tries.begin_batch();
      m_.one_by_one = false;
      m_.figures.note_in(m_.intake.pop());
    } else {
      m_.tries.passed(end);
      m_.intake.passed(end);
    }
    commit();
  }

  void pass_time() {
    if (m_.finished)
      return;
    if (m_.time_tries.at(0) > m_.options.retries)
      return fail();
    m_.open = true;
    try {
      m_.steps.begin(this->now());
      m_.steps.time(this->now(), m_.out);
      m_.steps.progress(m_.out);
      m_.out.route();
    } catch (...) {
      m_.time_tries.failed(0);
      m_.failure = describe(std::current_exception());
      throw;
    }
    this->fault_point();
    m_.time_tries.begin_batch();
    commit();
  }

  /// What was worked through is done, for good.
  void commit() noexcept {
    m_.intake.commit();
    m_.steps.commit();
    m_.open = false;
    m_.figures.note_out(m_.out.commit(), m_.out.watermark());
  }

  /// What follows from a commit: effects, checkpoints, the end.
  void show() {
    run_effects();
    pass_barrier();
    if (m_.out.ended() && !m_.finished) {
      say_end();
      m_.finished = true;
    }
  }

  /// What the world outside sees. Goes on where it failed.
  void run_effects() {
    if (m_.finished)
      return;
    const auto done = m_.steps.effects_done();
    if (m_.effect_tries.at(done) > m_.options.retries) {
      if (m_.options.failing == failing_element::fail || !m_.steps.skip_effect())
        return fail();
      m_.figures.note_skipped();
    }
    try {
      m_.steps.run_effects();
    } catch (...) {
      m_.effect_tries.failed(m_.steps.effects_done());
      m_.failure = describe(std::current_exception());
      m_.figures.note_failure();
      throw;
    }
    m_.effect_tries.begin_batch();
  }

  /// If all that belongs to a checkpoint was seen, and nothing else, says what it keeps.
  void pass_barrier() {
    const auto epoch = m_.intake.barrier();
    if (epoch == 0 || m_.finished)
      return;
    say_kept(epoch);
    m_.intake.pass_barrier();
    m_.out.pass_barrier(epoch);
  }

  void say_end() {
    if (m_.kept)
      say_kept(std::nullopt);
    if (m_.out.links() == 0)
      m_.keeper.tell(sink_ended{m_.id});
  }

  void say_kept(std::optional<std::uint32_t> epoch) {
    if constexpr (memory::archivable()) {
      if (m_.barrier_tries.at(0) > m_.options.retries)
        return fail();
      try {
        archive_writer a;
        m_.steps.prepare_archive();
        m_.archive(a);
        m_.keeper.tell(stage_kept{m_.id, epoch, a.take()});
      } catch (...) {
        m_.barrier_tries.failed(0);
        m_.failure = describe(std::current_exception());
        throw;
      }
      m_.barrier_tries.begin_batch();
    }
    (void)epoch;
  }

  /// The element at `position` fails again and again: leaves it out if it may. False: the stage cannot go on.
  bool leave_out(std::size_t position, std::size_t size) {
    if (m_.options.failing == failing_element::fail || position >= size || !skip()) {
      fail();
      return false;
    }
    m_.figures.note_skipped();
    m_.tries.begin_batch();
    return false; // the next attempt begins behind it
  }

  bool skip() {
    try {
      return m_.intake.skip();
    } catch (...) { // a cursor that cannot go past it either
      m_.failure = describe(std::current_exception());
      return false;
    }
  }

  void fail() {
    m_.finished = true;
    m_.keeper.tell(stage_failed{m_.name, m_.failure});
  }

  /// Sees to it that a tick comes when a step wants it, or when demand is to be said again.
  void arm() {
    m_.intake.say_again();
    if (m_.intake.owes())
      this->after("demand", demand_pause, tick{});
    if constexpr (Chain::timed) {
      const auto due = m_.steps.due();
      if (!due || m_.finished || (armed_ && *armed_ <= *due))
        return;
      armed_ = due;
      this->after("tick", std::max<std::chrono::nanoseconds>(*due - this->now(), std::chrono::nanoseconds{0}), tick{});
    }
  }

  const std::shared_ptr<memory> kept_;
  memory& m_;
  std::optional<time_point> armed_{};
};

} // namespace troupe::pipeline
