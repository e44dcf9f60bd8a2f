// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/chain.hpp>
#include <troupe/pipeline/graph.hpp>
#include <troupe/pipeline/inlet.hpp>
#include <troupe/pipeline/source.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace troupe::pipeline {

/// A stage is restarted as often as it fails: what an element may cost is decided by the stage itself.
inline child_options child_of_pipeline(std::size_t mailbox_capacity) {
  using std::chrono::milliseconds;
  child_options o;
  o.restart = transient;
  o.retries = unlimited;
  o.intensity = unlimited;
  o.backoff = backoff_options{
      .min = milliseconds{1}, .max = milliseconds{1}, .factor = 1, .jitter = 0, .reset_after = milliseconds{1}};
  o.shutdown = milliseconds{1'000};
  o.mailbox.capacity = mailbox_capacity;
  return o;
}

/// The demand of each of `links` links to one consumer.
inline demand_limits limits_of(demand_limits all, std::size_t links) {
  const auto share = std::max<std::uint32_t>(1, all.max / static_cast<std::uint32_t>(links));
  return {share, std::min(all.min, share / 2)};
}

/// Where a node reads from: a producing node, and how its elements are spread over the instances.
template <class In>
struct upstream {
  std::shared_ptr<producer<In>> from;
  routing how = routing::forward;
  std::shared_ptr<const key_router<In>> router{};
};

/// The beginning of a stage: batches of other stages.
template <class In>
struct from_stages {
  using value_type = In;
  using intake = inlet<In>;
  static constexpr node::kind kind = node::kind::stage;

  std::vector<upstream<In>> inputs;
  unsigned instances = 1; // 0: as options::partitions says

  intake make(const launch&, std::size_t) const { return {}; }
  void started(const auto&) const noexcept {}
  /// Demand bounds what comes, far below that.
  std::size_t mailbox_capacity() const noexcept { return mailbox_options::capacity_max; }
};

/// The beginning of a source: cursors, one for each instance.
template <cursor C>
struct from_cursors {
  using value_type = typename C::value_type;
  using intake = cursor_intake<C>;
  static constexpr node::kind kind = node::kind::source;

  std::vector<C> cursors;
  unsigned instances = 1;

  intake make(const launch& l, std::size_t i) const { return intake{cursors[i], l.how.stages.batch_size}; }
  void started(const auto&) const noexcept {}
  std::size_t mailbox_capacity() const noexcept { return mailbox_options::capacity_max; }
};

/// The beginning of a source that others fill.
template <class T>
struct from_inbox {
  using value_type = T;
  using intake = inbox_intake<T>;
  static constexpr node::kind kind = node::kind::source;

  inbox<T> box;
  unsigned instances = 1;

  intake make(const launch& l, std::size_t) const { return intake{box.state(), l.how.stages.batch_size}; }
  void started(const auto& actor) const { box.state()->to = actor; }
  /// For those who fill it, and some for demand.
  std::size_t mailbox_capacity() const noexcept {
    return std::min(box.state()->options.capacity + 1'000, mailbox_options::capacity_max);
  }
};

/// A source, stage or sink with its steps.
template <class Head, class Chain, class Out>
class stage_node final : public producer<Out> {
  using intake = typename Head::intake;
  using actor_type = stage<intake, Chain, Out>;
  using memory = typename actor_type::memory;

public:
  stage_node(node::kind k, std::string name, Head head, Chain steps)
      : producer<Out>{k, std::move(name), Chain::names()}, head_{std::move(head)}, steps_{std::move(steps)} {}

  unsigned instances() const noexcept override { return head_.instances; }

  std::vector<node::input> inputs() const override {
    std::vector<node::input> all;
    if constexpr (requires { head_.inputs; })
      for (const auto& i : head_.inputs)
        all.push_back({i.from, i.how});
    return all;
  }

  void spawn(launch& l, const std::string& unique_name) override {
    const std::size_t count = head_.instances != 0 ? head_.instances : l.how.partitions;
    for (std::size_t i = 0; i < count; ++i) {
      const auto name = count == 1 ? unique_name : unique_name + '-' + std::to_string(i);
      auto m = std::make_shared<memory>(name, l.instances++, l.how.stages, head_.make(l, i), steps_);
      m->keeper = l.keeper;
      l.restore(*m, !intake::archivable ? "what it reads" : Chain::not_archivable());
      auto r = l.stages.start<actor_type>(name, child_of_pipeline(head_.mailbox_capacity()), m);
      head_.started(r);
      this->producing_.push_back({&m->out, r});
      running_.push_back({m, r});
      l.record->stages.push_back(r);
      l.record->figures.push_back([m, i, plain = unique_name] {
        stage_figures f{.name = plain, .instance = static_cast<std::uint32_t>(i)};
        m->figures.read(f);
        return f;
      });
      l.openings.push_back([m, r] {
        m->wired.store(true, std::memory_order_release); // publishes the links of its outlet; pairs with stage::work
        r.tell(proceed{});
      });
      if constexpr (Head::kind == node::kind::source)
        if (l.record->checkpoints)
          l.record->checkpoints->sources.push_back(r);
    }
    if (this->what() == node::kind::sink)
      l.record->sinks += count;
  }

  void wire(launch& l) override {
    if constexpr (requires { head_.inputs; }) {
      for (std::size_t side = 0; side < head_.inputs.size(); ++side)
        wire_input(l, head_.inputs[side], side);
    } else {
      (void)l;
    }
  }

  void launched() noexcept override {
    this->producing_.clear();
    running_.clear();
  }

private:
  struct instance {
    std::shared_ptr<memory> kept;
    ref<actor_type> actor;
  };

  void wire_input(launch& l, const upstream<typename Head::value_type>& up, std::size_t side) requires
      requires(Head h) {
    h.inputs;
  }
  {
    const auto& makers = up.from->producing();
    const bool pairwise = up.how == routing::forward && makers.size() == running_.size();
    const auto links = pairwise ? 1 : makers.size();
    const auto limits = limits_of(l.how.demand, links);
    for (std::size_t m = 0; m < makers.size(); ++m) {
      std::vector<std::size_t> to;
      for (std::size_t i = 0; i < running_.size(); ++i)
        if (!pairwise || i == m)
          to.push_back(i);
      std::vector<typename outlet<typename Head::value_type>::target> targets;
      auto first = static_cast<std::uint32_t>(makers[m].out->links());
      for (std::size_t k = 0; k < to.size(); ++k) {
        auto& in = running_[to[k]];
        const auto number =
            in.kept->intake.add_link(makers[m].actor, first + static_cast<std::uint32_t>(k), side, limits);
        targets.push_back({in.actor, number});
      }
      const auto how = to.size() == 1 ? routing::forward : up.how == routing::forward ? routing::spread : up.how;
      makers[m].out->add_consumer(how, up.router, std::move(targets));
    }
  }

  Head head_;
  Chain steps_;
  std::vector<instance> running_; // while a pipeline is started
};

} // namespace troupe::pipeline
