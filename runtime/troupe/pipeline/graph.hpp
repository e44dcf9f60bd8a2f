// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/demand.hpp>
#include <troupe/pipeline/keeper.hpp>
#include <troupe/pipeline/outlet.hpp>
#include <troupe/pipeline/stage.hpp>
#include <troupe/supervisor.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::pipeline {

/// How a pipeline runs.
struct options {
  stage_options stages{};
  /// What a consumer asks of its producers, in batches, over all links of one producing stage together; each link gets at
  /// least one batch. `max` is 1..10'000, `min` is below `max`.
  demand_limits demand{};
  /// How the run outlives its process, if it is to.
  checkpoint_options checkpoints{};
  /// Instances of a stage after `key_by` and `spread`, where these do not say; 0: as many as the system has workers.
  unsigned partitions = 0;
};

/// Returns what is wrong with `o`, naming the field, or nothing.
std::optional<std::string> validate(const options& o);

/// What a graph is launched with. The launching thread only.
struct launch {
  supervisor stages;
  ref<pipeline::keeper> keeper;
  options how;
  unsigned workers = 1;
  std::shared_ptr<run_record> record;
  std::uint32_t instances = 0;                      // of all stages so far
  std::vector<std::function<void()>> openings = {}; // called when everything is wired

  /// Brings the memory of a new instance to where the last checkpoint says, if there are checkpoints. `fault` is what of it
  /// cannot be written down, or null. Throws request_error or journal_error.
  template <class Memory>
  void restore(Memory& m, const char* fault) const;
};

namespace detail {

/// The state of that name in the checkpoint that a run goes on from; null: it begins anew. Throws journal_error, if there is
/// a checkpoint without it.
const std::string* state_of(const checkpointing& c, const std::string& name);
/// Throws journal_error, if that checkpoint has states that no instance has taken.
void require_all_taken(const checkpointing& c);
[[noreturn]] void refuse_checkpoints(const std::string& stage, const char* fault);
[[noreturn]] void refuse_state(const std::string& stage, const char* what);

} // namespace detail

template <class Memory>
void launch::restore(Memory& m, const char* fault) const {
  if (!record->checkpoints)
    return;
  if (fault != nullptr)
    detail::refuse_checkpoints(m.name, fault);
  m.kept = true;
  record->checkpoints->names.push_back(m.name);
  if constexpr (Memory::archivable()) {
    const auto* state = detail::state_of(*record->checkpoints, m.name);
    if (state == nullptr)
      return;
    try {
      archive_reader a{*state};
      m.archive(a);
      a.finish();
    } catch (const archive_error& e) {
      detail::refuse_state(m.name, e.what());
    }
  }
}

/// A source, stage or sink of a graph: what it is made of and whom it reads from. Immutable once it was made, but for what
/// `launch` keeps in it while a pipeline is started; so one thread at a time starts it.
class node {
public:
  enum class kind : unsigned char { source, stage, sink };

  struct input {
    std::shared_ptr<node> from;
    routing how;
  };

  explicit node(kind k, std::string name, std::string steps)
      : kind_{k}, name_{std::move(name)}, steps_{std::move(steps)} {}
  node(const node&) = delete;
  node& operator=(const node&) = delete;
  virtual ~node() = default;

  kind what() const noexcept { return kind_; }
  const std::string& name() const noexcept { return name_; }
  /// The names of its fused steps, in order.
  const std::string& steps() const noexcept { return steps_; }
  /// 0: as `options::partitions` says.
  virtual unsigned instances() const noexcept = 0;
  virtual std::vector<input> inputs() const = 0;

  /// Starts the actors of its instances, which do nothing yet.
  virtual void spawn(launch& l, const std::string& unique_name) = 0;
  /// Links them to the actors that they read from.
  virtual void wire(launch& l) = 0;
  /// Forgets the launch.
  virtual void launched() noexcept = 0;

private:
  kind kind_;
  std::string name_;
  std::string steps_;
};

/// An instance of a producing stage, while it is wired.
template <class Out>
struct producer_instance {
  outlet<Out>* out = nullptr;
  ref_to<demand> actor{};
};

/// A node that makes elements of type `Out`.
template <class Out>
class producer : public node {
public:
  using node::node;

  /// While a pipeline is started.
  const std::vector<producer_instance<Out>>& producing() const noexcept { return producing_; }

protected:
  std::vector<producer_instance<Out>> producing_;
};

/// The nodes from which a graph's sinks can be reached, producers before consumers.
std::vector<node*> in_order(const std::vector<std::shared_ptr<node>>& sinks);

/// One line per node: `stage "sum" x 2: window <- "bids" by_key`.
std::string to_text(const std::vector<std::shared_ptr<node>>& sinks);

/// The graph in Mermaid's language.
std::string to_mermaid(const std::vector<std::shared_ptr<node>>& sinks);

std::string_view to_string(routing r) noexcept;
std::string_view to_string(node::kind k) noexcept;

} // namespace troupe::pipeline
