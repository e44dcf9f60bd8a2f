// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/chain.hpp>
#include <troupe/pipeline/stage_node.hpp>
#include <troupe/task.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe::pipeline {

/// How a stage asks an actor about its elements.
struct ask_options {
  /// Requests on their way at a time, 1..1'000.
  std::size_t concurrency = 16;
  std::chrono::nanoseconds timeout = default_ask_timeout;
};

/// Asks for the reply to one element of the batch at the front. Sent by an asking stage to itself.
struct ask_about {
  std::uint64_t batch = 0;
  std::uint32_t incarnation = 0;
  std::size_t position = 0;
};

/// What of an asking stage survives its restarts. Threads: its turn. `figures`: any.
template <class In, class Out, class Target, class Request, class Combine>
struct ask_memory {
  const std::string name;
  const std::uint32_t id;
  const stage_options options;
  const ask_options asking;
  ref<pipeline::keeper> keeper{};
  Target target;
  Request request;
  Combine combine;

  inlet<In> intake{};
  outlet<Out> out;
  chain<> steps{};

  bool kept = false; // what it keeps goes into checkpoints

  static constexpr bool archivable() noexcept { return true; }
  void archive(auto& a) {
    intake.archive(a);
    out.archive(a);
  }

  std::uint64_t batches = 0;                 // done so far
  std::vector<std::optional<Out>> replies{}; // for the batch at the front
  std::vector<unsigned> errors{};
  std::size_t missing = 0; // replies
  bool begun = false;      // the batch at the front
  bool finished = false;

  stage_counters figures{};
};

/// A stage that asks an actor about each element, several at a time, and hands on what `combine(element, reply)` makes of the
/// replies, in the order of the elements.
///
/// A reply that came survives a restart; what was not answered yet is asked again, so requests must be idempotent. An error is
/// asked about again as often as stage_options::retries says.
template <class In, class Out, class Target, class Request, class Combine>
class ask_stage
    : public actor<ask_stage<In, Out, Target, Request, Combine>, batch<In>, demand, proceed, tick, ask_about> {
public:
  using memory = ask_memory<In, Out, Target, Request, Combine>;

  explicit ask_stage(const std::shared_ptr<memory>& m) : kept_{m}, m_{*m} {
    m_.out.rollback();
    if (m_.begun) // ask again about what the last incarnation got no reply to
      this->after("again", std::chrono::nanoseconds{0}, tick{});
  }

  void on(const batch<In>& b) {
    m_.intake.accept(b);
    work();
  }
  void on(const demand& d) {
    m_.out.grant(d);
    work();
  }
  void on(const proceed&) {
    m_.intake.open();
    work();
  }
  void on(const tick&) { work(); }

  task<> on(const ask_about& a) {
    if (a.incarnation != this->incarnation() || a.batch != m_.batches || m_.finished)
      co_return work();
    const auto items = m_.intake.front_items(); // keeps the batch alive
    const auto& x = (*items)[a.position];
    try {
      const auto message = std::invoke(m_.request, x);
      auto reply = m_.target.ask(message, m_.asking.timeout);
      auto outcome = co_await reply.outcome();
      if (outcome)
        take(a.position, std::invoke(m_.combine, x, std::move(*outcome)));
      else
        note_error(a.position, outcome.error());
    } catch (...) { // of the functions: their failure is this element's alone
      note_error(a.position, error{errc::failed, describe(std::current_exception())});
    }
    --on_the_way_;
    work();
  }

private:
  void work() {
    m_.intake.say_again();
    if (m_.intake.owes())
      this->after("demand", std::chrono::milliseconds{1}, tick{});
    end_if_over(); // as a checkpoint may say
    while (!m_.finished && m_.out.has_room() && m_.intake.select(m_.steps, 0)) {
      if (!m_.begun)
        begin();
      if (m_.missing > 0)
        return ask_more();
      hand_on();
    }
  }

  void begin() {
    m_.missing = m_.intake.size();
    m_.replies.assign(m_.missing, std::nullopt);
    m_.errors.assign(m_.missing, 0);
    m_.begun = true;
    next_ = 0;
    again_.clear();
  }

  void ask_more() {
    while (on_the_way_ < m_.asking.concurrency) {
      std::size_t position = 0;
      if (!again_.empty()) {
        position = again_.back();
        again_.pop_back();
      } else {
        while (next_ < m_.replies.size() && (m_.replies[next_] || gone(next_)))
          ++next_;
        if (next_ == m_.replies.size())
          return;
        position = next_++;
      }
      ++on_the_way_;
      this->self().tell(ask_about{m_.batches, this->incarnation(), position});
    }
  }

  bool gone(std::size_t position) const noexcept { return m_.errors[position] > m_.options.retries; }

  void take(std::size_t position, Out result) {
    if (m_.replies[position])
      return;
    m_.out.require_routable(result);
    m_.replies[position] = std::move(result);
    --m_.missing;
  }

  void note_error(std::size_t position, const error& e) {
    m_.figures.note_failure();
    if (++m_.errors[position] <= m_.options.retries) {
      again_.push_back(position);
    } else if (m_.options.failing == failing_element::skip) {
      --m_.missing;
      m_.figures.note_skipped();
    } else {
      m_.finished = true;
      m_.keeper.tell(stage_failed{m_.name, std::string{to_string(e.code)} + ": " + e.what});
    }
  }

  void hand_on() {
    const auto n = m_.intake.size();
    for (const auto& r : m_.replies)
      if (r)
        m_.out.push(Out{*r});
    m_.intake.close(m_.steps, m_.out);
    m_.out.route();
    this->fault_point();
    m_.figures.note_in(n);
    ++m_.batches;
    m_.begun = false;
    m_.figures.note_out(m_.out.commit(), m_.out.watermark());
    m_.intake.pop();
    if (const auto epoch = m_.intake.barrier()) {
      say_kept(epoch);
      m_.intake.pass_barrier();
      m_.out.pass_barrier(epoch);
    }
    end_if_over();
  }

  void end_if_over() {
    if (!m_.out.ended() || std::exchange(m_.finished, true))
      return;
    say_kept(std::nullopt);
  }

  /// For a checkpoint; nothing: it has ended.
  void say_kept(std::optional<std::uint32_t> epoch) {
    if (!m_.kept)
      return;
    archive_writer a;
    m_.archive(a);
    m_.keeper.tell(stage_kept{m_.id, epoch, a.take()});
  }

  const std::shared_ptr<memory> kept_;
  memory& m_;
  std::size_t on_the_way_ = 0;     // requests of this incarnation
  std::size_t next_ = 0;           // not asked about by this incarnation
  std::vector<std::size_t> again_; // asked about in vain
};

/// An asking stage of a graph.
template <class In, class Out, class Target, class Request, class Combine>
class ask_node final : public producer<Out> {
  using actor_type = ask_stage<In, Out, Target, Request, Combine>;
  using memory = typename actor_type::memory;

public:
  ask_node(std::string name, upstream<In> from, Target target, Request request, Combine combine, ask_options o)
      : producer<Out>{node::kind::stage, std::move(name), "ask"}, from_{std::move(from)}, target_{std::move(target)},
        request_{std::move(request)}, combine_{std::move(combine)}, options_{o} {}

  unsigned instances() const noexcept override { return 1; }
  std::vector<node::input> inputs() const override { return {{from_.from, from_.how}}; }

  void spawn(launch& l, const std::string& unique_name) override {
    kept_ = std::shared_ptr<memory>(new memory{.name = unique_name,
                                               .id = l.instances++,
                                               .options = l.how.stages,
                                               .asking = options_,
                                               .keeper = l.keeper,
                                               .target = target_,
                                               .request = request_,
                                               .combine = combine_,
                                               .out = outlet<Out>{l.how.stages.batch_size}});
    l.restore(*kept_, nullptr);
    actor_ = l.stages.start<actor_type>(unique_name, child_of_pipeline(mailbox_options::capacity_max), kept_);
    this->producing_.push_back({&kept_->out, actor_});
    l.record->stages.push_back(actor_);
    l.record->figures.push_back([m = kept_] {
      stage_figures f{.name = m->name};
      m->figures.read(f);
      return f;
    });
    l.openings.push_back([r = actor_] { r.tell(proceed{}); });
  }

  void wire(launch& l) override {
    const auto& makers = from_.from->producing();
    const auto limits = limits_of(l.how.demand, makers.size());
    for (const auto& m : makers) {
      const auto number = kept_->intake.add_link(m.actor, static_cast<std::uint32_t>(m.out->links()), 0, limits);
      m.out->add_consumer(routing::forward, nullptr, {{actor_, number}});
    }
  }

  void launched() noexcept override {
    this->producing_.clear();
    kept_.reset();
    actor_ = {};
  }

private:
  upstream<In> from_;
  Target target_;
  Request request_;
  Combine combine_;
  ask_options options_;
  std::shared_ptr<memory> kept_; // while a pipeline is started
  ref<actor_type> actor_;
};

} // namespace troupe::pipeline
