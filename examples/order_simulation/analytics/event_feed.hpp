// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/pipeline.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

namespace order_simulation {

/// How many events were given to a pipeline and how many it has acknowledged, and who waits for the difference to fall.
///
/// Threads: any.
class feed_gauge {
public:
  /// So many events may be on their way; then whoever makes them should wait.
  static constexpr std::uint64_t in_flight_max = 65'536;

  void gave(std::uint64_t n) noexcept { given_.fetch_add(n); }

  /// The pipeline has `n` events more for good. Lets those go on who wait, once there is room again.
  void took(std::uint64_t n) {
    taken_.fetch_add(n);
    if (waiters_.load() > 0 && in_flight() <= in_flight_max / 2)
      release();
  }

  bool has_room() const noexcept { return in_flight() < in_flight_max; }
  std::uint64_t in_flight() const noexcept {
    const auto taken = taken_.load(); // first: it may not be found ahead of what was given
    return given_.load() - taken;
  }
  std::uint64_t given() const noexcept { return given_.load(); }
  std::uint64_t taken() const noexcept { return taken_.load(); }

  /// Calls `go_on` once there is room: now, or later by the thread that makes it.
  void when_room(std::function<void()> go_on) {
    {
      std::lock_guard lock{mutex_};
      waiting_.push_back(std::move(go_on));
      waiters_.store(waiting_.size());
    }
    // Sequentially consistent on both sides: either `took` sees the waiter, or this sees what it took.
    if (in_flight() <= in_flight_max / 2)
      release();
  }

private:
  void release() {
    std::vector<std::function<void()>> all;
    {
      std::lock_guard lock{mutex_};
      all.swap(waiting_);
      waiters_.store(0);
    }
    for (const auto& go_on : all)
      go_on();
  }

  std::atomic<std::uint64_t> given_{0};
  std::atomic<std::uint64_t> taken_{0};
  std::atomic<std::size_t> waiters_{0};
  std::mutex mutex_; // leaf lock
  std::vector<std::function<void()>> waiting_;
};

/// Passes elements on, and acknowledges them when the batch with them is done for good: a batch that failed and is worked
/// through again is acknowledged once.
class acknowledge_chunks {
public:
  static constexpr const char* name = "acknowledge";
  template <class In>
  using output = In;

  explicit acknowledge_chunks(std::shared_ptr<feed_gauge> gauge) : gauge_{std::move(gauge)} {}

  template <class Chunk, class Next>
  void on(Chunk&& c, Next&& next) {
    staged_ += c->size();
    next(std::forward<Chunk>(c));
  }
  void commit() {
    if (staged_ > 0)
      gauge_->took(std::exchange(staged_, 0));
  }
  void rollback() noexcept { staged_ = 0; }

private:
  std::shared_ptr<feed_gauge> gauge_;
  std::uint64_t staged_ = 0;
};

/// Events on their way from the actors that make them into a pipeline: gathered in chunks, so that a message to the
/// pipeline is shared by some hundred events.
///
/// Events of one shard reach the pipeline in the order in which they were pushed. Memory: `feed_gauge::in_flight_max` events,
/// and what makers push although there is no room.
/// Threads: any, between the start of the pipeline and `close`.
template <class T>
class event_feed {
public:
  using chunk = std::shared_ptr<const std::vector<T>>;

  /// Is shown each chunk of a shard before it is sent, in order.
  using record = std::function<void(std::size_t shard, std::span<const T>)>;

  /// *Requires*: at least one shard.
  explicit event_feed(std::size_t shards, record keep = {}) : shards_(shards), keep_{std::move(keep)} {}

  /// To the shard of that number, as often counted through as need be. Never blocks, and never refuses: see `gauge` for who may go on.
  void push(std::size_t of, std::span<const T> events) {
    auto& s = shards_[of % shards_.size()];
    std::lock_guard lock{s.mutex};
    s.gathered.insert(s.gathered.end(), events.begin(), events.end());
    if (s.gathered.size() >= chunk_size)
      send(s);
  }

  /// Sends what is gathered: to be called now and then, so that the pipeline does not lag behind a quiet time.
  void flush() {
    for (auto& s : shards_) {
      std::lock_guard lock{s.mutex};
      if (!s.gathered.empty())
        send(s);
    }
  }

  /// There will be no more.
  void close() {
    flush();
    box_.close();
  }

  /// The events as a stream.
  auto stream() const {
    return troupe::pipeline::from(box_)
        .step(acknowledge_chunks{gauge_})
        .template expand<T>([](const chunk& c, auto&& emit) {
          for (const T& x : *c)
            emit(x);
        });
  }

  feed_gauge& gauge() const noexcept { return *gauge_; }
  /// Events that the pipeline's mailbox has refused: always 0, or the answers are wrong.
  std::uint64_t lost() const noexcept { return lost_.load(); }

private:
  static constexpr std::size_t chunk_size = 256;
  /// In chunks; there are far fewer, unless they are all cut short.
  static constexpr std::size_t capacity = 100'000;

  struct shard {
    std::mutex mutex; // leaf lock; held while a chunk is sent, so that chunks keep their order
    std::vector<T> gathered;
  };

  void send(shard& s) {
    auto full = std::make_shared<std::vector<T>>();
    full->reserve(chunk_size);
    full->swap(s.gathered);
    const auto n = full->size();
    gauge_->gave(n);
    if (keep_)
      keep_(static_cast<std::size_t>(&s - shards_.data()), *full);
    if (box_.tell(chunk{std::move(full)}) != troupe::delivery::accepted)
      lost_.fetch_add(n);
  }

  std::vector<shard> shards_;
  const record keep_;
  std::shared_ptr<feed_gauge> gauge_ = std::make_shared<feed_gauge>();
  troupe::pipeline::inbox<chunk> box_{{.capacity = capacity}};
  std::atomic<std::uint64_t> lost_{0};
};

} // namespace order_simulation
