// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/database.hpp>
#include <troupe/seams.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

namespace troupe {

/// How appends share transactions.
struct group_commit_options {
  /// Most writes in one transaction; 1 or more.
  std::size_t max_group = 1024;
  /// How long the first write of a group waits for more to join it. 0: not at all; what arrives while a transaction is
  /// being committed goes into the next one together, which needs no waiting under load and none when idle.
  std::chrono::microseconds max_delay{0};
  /// Bytes that may wait for the writer. Who would add more waits until there is room: the disk slows the load down. (An
  /// actor has at most one append under way, so the number of those waiting is at most that of the actors.)
  std::size_t max_waiting_bytes = 64 << 20;
};

/// Commits what many threads hand over, in the order in which they do, many at a time. One thread writes; if what it writes
/// must be synced, another one does that, and meanwhile the first one writes the next group.
///
/// A write whose journal had one that failed, and has not been read since, fails without being written, unless it erases: it
/// was made for what is perhaps not there. (If writes are synced apart, the write function sees to that.)
///
/// Threads: any. The functions and the writes' completions run on these threads; without a thread factory there are none,
/// and `submit` commits before it returns.
class group_commit {
public:
  using batch = journal_database::batch;
  /// Makes one transaction of its argument, or throws.
  using write_function = std::function<void(batch)>;
  /// Returns when all that was written before is on the disk, or throws. Null: it is as soon as it is written.
  using sync_function = std::function<void()>;

  group_commit(const group_commit_options& o, const std::shared_ptr<thread_factory>& threads, write_function write,
               sync_function sync = {});
  /// Commits what is waiting.
  ~group_commit();
  group_commit(const group_commit&) = delete;
  group_commit& operator=(const group_commit&) = delete;

  /// Hands `w` over; its completion is called when it is committed or has failed. Blocks while too much is waiting.
  /// Returns its ticket: 1, 2, ...
  std::uint64_t submit(std::unique_ptr<journal_write> w);

  /// Returns when all up to `ticket` are committed or have failed, and their completions have returned. Not to be called by
  /// a completion.
  void wait(std::uint64_t ticket);
  /// The same for all that has been submitted.
  void wait();

  /// False: `submit` commits before it returns.
  bool has_thread() const noexcept { return writer_.joinable(); }

  /// Transactions so far, and the writes in them.
  struct counts {
    std::uint64_t commits = 0;
    std::uint64_t writes = 0;
  };
  counts counted() const;

private:
  /// Writes that share a transaction, and what became of it.
  struct group {
    std::vector<std::unique_ptr<journal_write>> writes;
    std::exception_ptr failure;
    std::size_t doubtful = 0; // of the writes, the last so many are not written
    std::exception_ptr doubt; // what those fail with
  };

  void close();
  void run_writer();
  void run_syncer();
  group take(); // with mutex_ held
  void set_apart_doubtful(group& g) const;
  void write(group& g) const;
  void sync(group& g) const;
  void finish(group& g);

  // -- immutable --
  const group_commit_options options_;
  const write_function write_;
  const sync_function sync_;

  // -- guarded by mutex_ --
  mutable std::mutex mutex_;        // leaf lock
  std::condition_variable work_;    // for the writer
  std::condition_variable written_; // for who syncs
  std::condition_variable room_;    // for those who submit
  std::condition_variable done_;    // for those who wait
  std::vector<std::unique_ptr<journal_write>> waiting_;
  std::size_t waiting_bytes_ = 0;
  group to_sync_; // the next that is; without writes if there is none
  std::uint64_t submitted_ = 0;
  std::uint64_t finished_ = 0;
  std::uint64_t commits_ = 0;
  bool closing_ = false;
  bool writer_ended_ = false;

  bool failed_ = false; // the writer's: some group has failed, if none is synced apart

  std::mutex turn_;     // held by who commits on its own thread
  std::jthread writer_; // seams: made by the thread factory
  std::jthread syncer_; // seams: made by the thread factory
};

} // namespace troupe
