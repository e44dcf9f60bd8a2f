// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/pipeline/running.hpp>

#include <algorithm>
#include <map>
#include <utility>

namespace troupe::pipeline {

namespace {

/// A stage decides itself how often it may fail, so its supervisor restarts it without limit. When the keeper ends, all do.
supervisor_options of_stages() {
  using std::chrono::milliseconds;
  supervisor_options o;
  o.intensity = unlimited;
  o.group_intensity = unlimited;
  o.backoff = {
      .min = milliseconds{1}, .max = milliseconds{1}, .factor = 1, .jitter = 0, .reset_after = milliseconds{1}};
  o.auto_shutdown = auto_shutdown::any_significant;
  return o;
}

child_options of_keeper() {
  child_options o;
  o.restart = transient;
  o.retries = unlimited;
  o.significant = true;
  o.mailbox.capacity = mailbox_options::capacity_max;
  return o;
}

/// With the one that the run goes on from. Throws journal_error, if that was made by another pipeline.
checkpointing open_checkpoints(const checkpoint_options& o, const std::string& name, std::string graph) {
  checkpointing c{.log = checkpoint_log{o.store, name}, .options = o, .graph = std::move(graph), .last = {}};
  c.last = c.log.last();
  if (c.last && c.last->version != o.version)
    throw journal_error{"the last checkpoint of '" + name + "' is of version " + std::to_string(c.last->version) +
                        ", checkpoints.version is " + std::to_string(o.version)};
  if (c.last && c.last->graph != c.graph)
    throw journal_error{"the last checkpoint of '" + name + "' was made by another pipeline:\n" + c.last->graph +
                        "and not by\n" + c.graph};
  return c;
}

} // namespace

run_record& running::required() const {
  if (record_ == nullptr)
    throw usage_error{"this running is empty: it is of no pipeline that was started"};
  return *record_;
}

std::optional<result<void>> running::outcome() const { return required().outcome(); }

result<void> running::wait(std::chrono::milliseconds timeout) const {
  (void)required();
  if (!system_->wait_stopped(stages_, timeout))
    return error{errc::timed_out, stages_.name() + " is still running"};
  return outcome().value_or(error{errc::stopped, stages_.name() + " was stopped"});
}

void running::stop() const {
  auto& record = required(); // before its name is asked for
  record.conclude(error{errc::stopped, stages_.name() + " was stopped"});
  stages_.stop();
}

std::vector<stage_figures> running::figures() const {
  std::vector<stage_figures> all;
  for (const auto& f : required().figures)
    all.push_back(f());
  return all;
}

running pipeline_plan::start(troupe::system& s, std::string_view name, const options& o) const {
  return start(s, s.root(), name, o);
}

running pipeline_plan::start(troupe::system& s, const supervisor& parent, std::string_view name,
                             const options& o) const {
  if (auto wrong = validate(o))
    throw request_error{error{errc::bad_options, "pipeline: " + *wrong}};
  launch l{.stages = parent.supervise(name, of_stages()),
           .keeper = {},
           .how = o,
           .workers = s.workers(),
           .record = std::make_shared<run_record>()};
  if (l.how.partitions == 0)
    l.how.partitions = std::max(1U, l.workers);
  const auto nodes = in_order(sinks_);
  try {
    if (o.checkpoints.store)
      l.record->checkpoints = open_checkpoints(o.checkpoints, l.stages.name(), to_text());
    l.keeper = l.stages.start<keeper>("keeper", of_keeper(), l.record);
    std::map<std::string, int> names;
    for (auto* n : nodes) {
      const auto nth = ++names[n->name()];
      n->spawn(l, nth == 1 ? n->name() : n->name() + '.' + std::to_string(nth));
    }
    if (l.record->checkpoints)
      detail::require_all_taken(*l.record->checkpoints);
    for (auto* n : nodes)
      n->wire(l);
    if (auto& c = l.record->checkpoints)
      c->epochs = epochs{l.instances, c->last ? c->last->epoch : 0};
  } catch (...) {
    for (auto* n : nodes)
      n->launched();
    l.stages.stop();
    throw;
  }
  for (auto* n : nodes)
    n->launched();
  l.keeper.tell(proceed{});
  for (const auto& open : l.openings)
    open();
  return running{s, l.stages, l.record};
}

pipeline_plan pipeline_plan::with(const pipeline_plan& other) const {
  auto all = sinks_;
  all.insert(all.end(), other.sinks_.begin(), other.sinks_.end());
  return pipeline_plan{std::move(all)};
}

} // namespace troupe::pipeline
