// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/store.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::pipeline {

/// What lets a run outlive its process.
///
/// From time to time a checkpoint says where all sources are and what all stages keep, as of one moment in the streams: a
/// *barrier* that the sources send with their elements and that each stage hands on when it has come on all its inputs
/// (Chandy and Lamport 1985; Carbone et al. 2015). A run that is started again, under the same name, goes on from the last
/// one, and its answer is that of a run without an interruption. A run that was over is over at once, with the same answer.
///
/// The state of all steps must be one that can be written down (archive.hpp); starting a plan with another one fails. Sources
/// must be able to read again: cursors with a position. What an `inbox` took after the last checkpoint is lost with the
/// process. `for_each` may be called again with elements since the last checkpoint; `write_lines` writes each once.
struct checkpoint_options {
  /// Where they are kept, under `pipeline/<name>`. Null: there are none.
  std::shared_ptr<journal_store> store{};
  /// From the beginning of one to that of the next, if the last is complete by then. 1 ms..1 day. Each writes all state, so
  /// that its cost is that of writing as many bytes as all stages keep.
  std::chrono::milliseconds every{1'000};
  /// Of the types that the stages keep: raise it when they change. A checkpoint of another version is refused.
  int version = 1;
};

/// Returns what is wrong with `o`, naming the field, or nothing.
std::optional<std::string> validate(const checkpoint_options& o);

/// What all stages of a pipeline keep, as of one moment in the streams.
struct checkpoint {
  int version = 1;
  std::uint32_t epoch = 0;                 ///< 1, 2, ...
  std::string graph;                       ///< The plan as text: another plan cannot go on from here.
  std::map<std::string, std::string> kept; ///< By the name of the stage's instance; bytes (archive.hpp).
};

/// Where the checkpoints of one pipeline go. The last one counts. Threads: one at a time.
class checkpoint_log {
public:
  /// Throws journal_error if the store does.
  checkpoint_log(const std::shared_ptr<journal_store>& store, std::string_view pipeline);

  /// Nothing if there is none. Throws journal_error.
  std::optional<checkpoint> last();
  /// Throws journal_error. May return before it is durable; if it never becomes so, the one before counts.
  void keep(const checkpoint& c);
  void erase() { journal_->erase(); }

private:
  std::shared_ptr<journal> journal_;
};

/// Forgets how far the pipeline of that name has come: its next start begins anew. Not while it runs.
void forget_checkpoint(const std::shared_ptr<journal_store>& store, std::string_view pipeline);

} // namespace troupe::pipeline
