// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/pipeline/keeper.hpp>

#include <utility>

namespace troupe::pipeline {

std::optional<result<void>> run_record::outcome() const {
  std::lock_guard lock{mutex_};
  return outcome_;
}

void run_record::conclude(result<void> r) {
  std::lock_guard lock{mutex_};
  if (!outcome_)
    outcome_ = std::move(r);
}

void keeper::on(const sink_ended& s) {
  record_->ended.insert(s.id);
  if (record_->ended.size() < record_->sinks)
    return;
  record_->conclude({});
  stop();
}

void keeper::on(const stage_failed& f) {
  record_->conclude(error{errc::failed, f.stage + ": " + f.what});
  stop();
}

} // namespace troupe::pipeline
