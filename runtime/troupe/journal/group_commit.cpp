// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/error.hpp>
#include <troupe/journal/group_commit.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <iterator>
#include <utility>

namespace troupe {

group_commit::group_commit(const group_commit_options& o, const std::shared_ptr<thread_factory>& threads,
                           write_function write, sync_function sync)
    : options_{o}, write_{std::move(write)}, sync_{std::move(sync)} {
  if (o.max_group == 0)
    throw usage_error{"max_group is 0; it must be 1 or more"};
  if (o.max_delay < std::chrono::microseconds::zero())
    throw usage_error{"max_delay is negative"};
  if (threads == nullptr)
    return;
  writer_ = threads->start("journal-writer", [this] { run_writer(); });
  if (!sync_)
    return;
  try {
    syncer_ = threads->start("journal-sync", [this] { run_syncer(); });
  } catch (...) {
    close(); // the writer is waited for
    throw;
  }
}

group_commit::~group_commit() { close(); }

void group_commit::close() {
  {
    std::unique_lock held{mutex_};
    closing_ = true;
  }
  work_.notify_one();
}

std::uint64_t group_commit::submit(std::unique_ptr<journal_write> w) {
  const auto bytes = w->bytes();
  std::unique_lock turn{turn_, std::defer_lock};
  if (!has_thread())
    turn.lock();
  std::uint64_t ticket = 0;
  bool wake = false;
  {
    std::unique_lock held{mutex_};
    // One that is larger than the limit by itself goes when nothing else waits.
    room_.wait(held, [&] { return waiting_.empty() || waiting_bytes_ + bytes <= options_.max_waiting_bytes; });
    wake = waiting_.empty(); // otherwise the writer knows of them, or will look when it has committed
    waiting_.push_back(std::move(w));
    wake = wake || waiting_.size() == options_.max_group;
    waiting_bytes_ += bytes;
    ticket = ++submitted_;
    if (!has_thread()) {
      auto g = take();
      held.unlock();
      write(g);
      sync(g);
      finish(g);
    }
  }
  if (wake)
    work_.notify_one();
  return ticket;
}

void group_commit::wait(std::uint64_t ticket) {
  std::unique_lock held{mutex_};
  done_.wait(held, [&] { return finished_ >= ticket; });
}

void group_commit::wait() {
  std::unique_lock held{mutex_};
  done_.wait(held, [&, all = submitted_] { return finished_ >= all; });
}

group_commit::counts group_commit::counted() const {
  std::unique_lock held{mutex_};
  return {commits_, finished_};
}

void group_commit::run_writer() {
  std::unique_lock held{mutex_};
  for (;;) {
    // A group is begun when the one before is being synced, not earlier: until then it grows.
    work_.wait(held, [&] { return to_sync_.writes.empty() && (closing_ || !waiting_.empty()); });
    if (waiting_.empty())
      break;
    if (options_.max_delay.count() > 0)
      work_.wait_for(held, options_.max_delay, [&] { return closing_ || waiting_.size() >= options_.max_group; });
    auto g = take();
    held.unlock();
    write(g);
    if (!sync_)
      finish(g);
    held.lock();
    if (sync_) {
      to_sync_ = std::move(g);
      written_.notify_one();
    }
  }
  writer_ended_ = true;
  written_.notify_one();
}

void group_commit::run_syncer() {
  std::unique_lock held{mutex_};
  for (;;) {
    written_.wait(held, [&] { return writer_ended_ || !to_sync_.writes.empty(); });
    if (to_sync_.writes.empty())
      return;
    auto g = std::exchange(to_sync_, {});
    held.unlock();
    work_.notify_one();
    sync(g);
    finish(g);
    held.lock();
  }
}

group_commit::group group_commit::take() {
  group g;
  if (waiting_.size() <= options_.max_group) {
    g.writes.swap(waiting_);
    waiting_bytes_ = 0;
  } else {
    const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(options_.max_group);
    g.writes.assign(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
    waiting_.erase(waiting_.begin(), end);
    for (const auto& w : g.writes)
      waiting_bytes_ -= w->bytes();
  }
  room_.notify_all();
  return g;
}

void group_commit::set_apart_doubtful(group& g) const {
  g.doubt = std::make_exception_ptr(
      journal_error{"an earlier write of the journal failed; nothing can be added until it has been read again"});
  const auto doubtful = std::ranges::stable_partition(g.writes, [](const auto& w) {
    return w->journal == nullptr || w->change().erase ||
           !w->journal->uncertain.load(std::memory_order_relaxed); // this thread's own
  });
  g.doubtful = doubtful.size();
}

void group_commit::write(group& g) const {
  try {
    if (failed_)
      set_apart_doubtful(g);
    if (g.doubtful < g.writes.size())
      write_(batch{g.writes}.first(g.writes.size() - g.doubtful));
  } catch (...) {
    g.failure = std::current_exception();
  }
}

void group_commit::sync(group& g) const {
  if (!sync_ || g.failure)
    return;
  try {
    sync_();
  } catch (...) {
    g.failure = std::current_exception();
  }
}

void group_commit::finish(group& g) {
  const auto n = g.writes.size();
  const auto written = n - g.doubtful;
  if (g.failure && !sync_)
    failed_ = true;
  for (std::size_t i = 0; i < n; ++i) {
    constexpr std::size_t ahead = 8; // others have used all this last: have it here in time
    if (i + 2 * ahead < n)
      g.writes[i + 2 * ahead]->fetch_end();
    if (i + ahead < n)
      __builtin_prefetch(g.writes[i + ahead]->journal.get(), 1);
    auto& w = g.writes[i];
    const auto& failure = i < written ? g.failure : g.doubt;
    if (failure && w->journal != nullptr)
      w->journal->uncertain.store(true, std::memory_order_release);
    if (w->done)
      w->done(failure);
    w.reset(); // what completions hold goes before anybody is told
  }
  {
    std::unique_lock held{mutex_};
    finished_ += n;
    ++commits_;
  }
  done_.notify_all();
}

} // namespace troupe
