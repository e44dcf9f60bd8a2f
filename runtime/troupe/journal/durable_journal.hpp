// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/durable_store.hpp>
#include <troupe/journal/row_codec.hpp>

#include <memory>
#include <optional>
#include <string>

namespace troupe {

/// One journal of a durable store. Threads: one at a time, the actor's turn.
class durable_journal final : public journal {
public:
  durable_journal(std::shared_ptr<durable_store> store, row_codec codec);

  status append(const journal_append& a, const std::function<completion()>& done) override;
  void snapshot(const journal_record& state) override;
  void replay(journal_visitor& v) override;
  void erase() override;

private:
  std::shared_ptr<journal_reader> locate();
  open_journal& state();
  void begin_write();
  void submit(const journal_change& c, completion done = {});
  std::uint64_t replay_snapshot(journal_reader& r, journal_visitor& v) const;
  void replay_events(journal_reader& r, journal_visitor& v, std::uint64_t after) const;
  void replay_exchange(journal_reader& r, journal_visitor& v) const;
  row_time now() const;
  void forget() noexcept;

  const std::shared_ptr<durable_store> store_; ///< Outlives the state.

  // -- the actor's turn --
  std::shared_ptr<open_journal> state_; ///< Null: nothing of this journal is on its way.
  // how far the journal goes, known once `located_`
  bool located_ = false;
  bool listed_ = false; ///< It holds something.
  std::uint64_t last_event_ = 0;
  std::uint64_t last_sent_ = 0;
  std::optional<std::uint64_t> last_snapshot_; ///< The last good one, 0 if there is none; known after a replay.

  const row_codec codec_; ///< The last: its end is needed for errors only.
};

} // namespace troupe
