// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/pipeline/keeper.hpp>

#include <chrono>
#include <utility>

namespace troupe::pipeline {

namespace {

/// What a stage that is still in a handler gets before it is stopped.
constexpr std::chrono::seconds patience{5};

} // namespace

std::optional<result<void>> run_record::outcome() const {
  std::lock_guard lock{mutex_};
  return outcome_;
}

void run_record::conclude(result<void> r) {
  std::lock_guard lock{mutex_};
  if (!outcome_)
    outcome_ = std::move(r);
}

keeper::keeper(const std::shared_ptr<run_record>& record) : record_{record} {
  if (!record_->draining.empty())
    limit_drain();
  else if (record_->opened)
    on(proceed{});
}

void keeper::on(const proceed&) {
  record_->opened = true;
  if (record_->checkpoints)
    after("checkpoint", record_->checkpoints->options.every, tick{});
}

void keeper::on(const tick&) {
  auto& c = *record_->checkpoints;
  if (!c.epochs.under_way())
    c.epochs.begin();
  for (const auto& s : c.sources) // once more if it has heard of it: a mailbox may have been full
    s.tell(barrier{c.epochs.epoch()});
  after("checkpoint", c.options.every, tick{});
}

void keeper::on(const stage_kept& k) {
  auto& c = *record_->checkpoints;
  if (k.epoch)
    c.epochs.note(k.id, *k.epoch, k.state);
  else
    c.epochs.note_end(k.id, k.state);
  if (auto states = c.epochs.take(); states && !keep(std::move(*states)))
    return;
  end_if_over();
}

void keeper::on(const sink_ended& s) {
  record_->ended.insert(s.id);
  end_if_over();
}

void keeper::on(const stage_failed& f) { fail(f.stage + ": " + f.what); }

void keeper::end_if_over() {
  if (record_->ended.size() < record_->sinks || record_->outcome())
    return;
  if (record_->checkpoints) {
    auto states = record_->checkpoints->epochs.last();
    if (!states || !keep(std::move(*states))) // of some stage the last word is still on its way
      return;
  }
  record_->conclude({});
  drain_stages();
}

void keeper::drain_stages() {
  cancel_timer("checkpoint");
  for (const auto& s : record_->stages) {
    record_->draining.insert(s.id());
    watch(s);
    s.drain();
  }
  limit_drain();
}

void keeper::limit_drain() { after("drain", patience, stages_late{}); }

void keeper::on(const stopped& stage) {
  if (record_->draining.erase(stage.id) != 0 && record_->draining.empty())
    stop();
}

void keeper::on(const stages_late&) { stop(); }

bool keeper::keep(std::vector<std::string> states) {
  auto& c = *record_->checkpoints;
  checkpoint all{.version = c.options.version, .epoch = c.epochs.epoch(), .graph = c.graph, .kept = {}};
  for (std::size_t i = 0; i < states.size(); ++i)
    all.kept.emplace(c.names[i], std::move(states[i]));
  try {
    c.log.keep(all);
    return true;
  } catch (const journal_error& e) {
    fail(std::string{"checkpoint: "} + e.what());
    return false;
  }
}

void keeper::fail(std::string what) {
  record_->conclude(error{errc::failed, std::move(what)});
  stop();
}

} // namespace troupe::pipeline
