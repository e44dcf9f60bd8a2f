// SPDX-License-Identifier: BSD-3-Clause
// From the Savina suite: big (many to many), chameneos (contention at one actor), concurrent dictionary (shared state).
#include "bench/troupe/rows.hpp"

#include <atomic>
#include <cstddef>
#include <unordered_map>
#include <vector>

namespace bench {

namespace {

/// The last of several actors to end stops the clock.
struct finish_line {
  stopwatch clock;
  std::atomic<std::int64_t> running{0};
  std::atomic<std::int64_t> sum{0};

  void arrive(std::int64_t share) {
    sum += share;
    if (running.fetch_sub(1) == 1)
      clock.arrive();
  }
};

struct begin {
  std::int64_t count;
};

// -- big --------------------------------------------------------------------------------------------------------------

class big_actor;
struct ping {
  std::size_t from;
};
struct pong {};

using crowd = std::vector<troupe::ref<big_actor>>;

class big_actor : public troupe::actor<big_actor, begin, ping, pong> {
public:
  big_actor(finish_line* line, const crowd* all, std::size_t own)
      : line_{line}, all_{all}, own_{own}, dice_{static_cast<std::int64_t>(own)} {}

  void on(const begin& b) {
    left_ = b.count;
    send();
  }
  void on(const ping& p) { (*all_)[p.from].tell(pong{}); }
  void on(const pong&) {
    ++pongs_;
    send();
  }

private:
  void send() {
    if (left_-- > 0)
      (*all_)[static_cast<std::size_t>(dice_.next()) % all_->size()].tell(ping{own_});
    else
      line_->arrive(pongs_);
  }

  finish_line* line_;
  const crowd* all_;
  std::size_t own_;
  savina_random dice_;
  std::int64_t left_ = 0;
  std::int64_t pongs_ = 0;
};

void big(const run_size& size) {
  constexpr std::size_t actors = 120;
  finish_line line;
  line.running = actors;
  crowd all;
  troupe::system sys{options_for(size)};
  for (std::size_t i = 0; i < actors; ++i)
    all.push_back(sys.spawn<big_actor>(&line, &all, i));
  settle_down();
  line.clock.start();
  for (auto& a : all)
    a.tell(begin{static_cast<std::int64_t>(size.n / actors)});
  line.clock.wait();
  line.clock.print("big", size.n, line.sum);
}

// -- chameneos --------------------------------------------------------------------------------------------------------

class creature;
struct meet {
  troupe::ref<creature> who;
  int colour;
};
struct met {
  int colour;
};
struct closed {};

class mall : public troupe::actor<mall, meet> {
public:
  explicit mall(std::int64_t meetings) : left_{meetings} {}
  void on(const meet& m);

private:
  std::int64_t left_;
  troupe::ref<creature> waiting_;
  int colour_ = 0;
};

class creature : public troupe::actor<creature, begin, met, closed> {
public:
  creature(finish_line* line, troupe::ref<mall> at, int colour) : line_{line}, mall_{std::move(at)}, colour_{colour} {}
  void on(const begin&) { mall_.tell(meet{self(), colour_}); }
  void on(const met& m) {
    ++meetings_;
    colour_ = (colour_ + m.colour) % 3;
    mall_.tell(meet{self(), colour_});
  }
  void on(const closed&) { line_->arrive(meetings_); }

private:
  finish_line* line_;
  troupe::ref<mall> mall_;
  int colour_;
  std::int64_t meetings_ = 0;
};

void mall::on(const meet& m) {
  if (left_ == 0) {
    m.who.tell(closed{});
  } else if (!waiting_) {
    waiting_ = m.who;
    colour_ = m.colour;
  } else {
    --left_;
    m.who.tell(met{colour_});
    waiting_.tell(met{m.colour});
    waiting_ = {};
  }
}

void chameneos(const run_size& size) {
  constexpr int creatures = 100;
  finish_line line;
  line.running = creatures;
  troupe::system sys{options_for(size)};
  auto at = sys.spawn<mall>(static_cast<std::int64_t>(size.n));
  std::vector<troupe::ref<creature>> all;
  for (int i = 0; i < creatures; ++i)
    all.push_back(sys.spawn<creature>(&line, at, i % 3));
  settle_down();
  line.clock.start();
  for (auto& c : all)
    c.tell(begin{0});
  line.clock.wait();
  line.clock.print("chameneos", size.n, line.sum);
}

// -- concurrent dictionary --------------------------------------------------------------------------------------------

struct put {
  std::int64_t key;
  std::int64_t value;
  using reply = std::int64_t;
};
struct find {
  std::int64_t key;
  using reply = std::int64_t;
};

class dictionary : public troupe::actor<dictionary, put, find> {
public:
  std::int64_t on(const put& p) { return entries_[p.key] = p.value; }
  std::int64_t on(const find& f) {
    const auto found = entries_.find(f.key);
    return found != entries_.end() ? found->second : 0;
  }

private:
  std::unordered_map<std::int64_t, std::int64_t> entries_;
};

class reader : public troupe::actor<reader, begin> {
public:
  reader(finish_line* line, troupe::ref<dictionary> at, std::int64_t seed)
      : line_{line}, at_{std::move(at)}, dice_{seed} {}

  troupe::task<> on(const begin& b) {
    std::int64_t answers = 0;
    for (std::int64_t i = 0; i < b.count; ++i) {
      const auto key = dice_.next() % 512;
      auto answer = i % 10 == 0 ? at_.ask(put{key, i}) : at_.ask(find{key});
      answers += co_await answer >= 0 ? 1 : 0;
    }
    line_->arrive(answers);
  }

private:
  finish_line* line_;
  troupe::ref<dictionary> at_;
  savina_random dice_;
};

void concurrent_dictionary(const run_size& size) {
  constexpr int readers = 20;
  finish_line line;
  line.running = readers;
  troupe::system sys{options_for(size)};
  auto at = sys.spawn<dictionary>();
  std::vector<troupe::ref<reader>> all;
  for (int i = 0; i < readers; ++i)
    all.push_back(sys.spawn<reader>(&line, at, i + 1));
  settle_down();
  line.clock.start();
  for (auto& r : all)
    r.tell(begin{static_cast<std::int64_t>(size.n / readers)});
  line.clock.wait();
  line.clock.print("concurrent-dictionary", size.n, line.sum);
}

} // namespace

void add_savina_rows(row_table& rows) {
  rows["big"] = &big;
  rows["chameneos"] = &chameneos;
  rows["concurrent-dictionary"] = &concurrent_dictionary;
}

} // namespace bench
