// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/error.hpp>
#include <troupe/journal/postgres_database.hpp>
#include <troupe/journal/postgres_schema.hpp>

#include <algorithm>
#include <charconv>
#include <thread>
#include <utility>

namespace troupe {

using std::chrono::milliseconds;

postgres_database::postgres_database(const std::string& url, options o)
    : url_{url}, name_{postgres_address{url}.name()}, options_{o} {
  if (o.longest_silence <= milliseconds::zero())
    throw usage_error{"longest_silence is " + in_words(o.longest_silence) + "; it must be more"};
  connect();
  const auto erased = session_->connection().text_of("SELECT value FROM meta WHERE name = 'erased_to'");
  if (erased)
    std::from_chars(erased->data(), erased->data() + erased->size(), erased_to_);
}

/// Tries once, or waits for somebody else who does.
void postgres_database::connect() {
  const auto failures = failures_.load(std::memory_order_relaxed);
  std::unique_lock connecting{connecting_};
  if (session_ != nullptr)
    return;
  if (failures != failures_.load(std::memory_order_relaxed)) // many may wait here, each attempt may last
    throw journal_error{last_failure_};
  try {
    auto next = std::make_unique<postgres_session>(url_, options_.longest_silence, past_);
    past_ = next->self();
    session_ = std::move(next);
  } catch (const journal_error& e) {
    last_failure_ = e.what();
    failures_.fetch_add(1, std::memory_order_relaxed);
    throw;
  }
  decltype(idle_) old; // of a server that may be another one
  std::unique_lock held{mutex_};
  old.swap(idle_);
  ++sessions_;
  undecided_ = false;
}

/// For the writer. Once there is no patience left an attempt that failed slowly stands for those who have waited behind it:
/// they may be many, and together wait no longer than one.
void postgres_database::reconnect() {
  constexpr milliseconds longest{2'000};
  if (clock_->now() < hopeless_until_) {
    std::unique_lock connecting{connecting_};
    throw journal_error{last_failure_};
  }
  for (milliseconds pause{50};; pause = std::min(2 * pause, longest)) {
    const auto begun = clock_->now();
    try {
      connect();
      return;
    } catch (const journal_error&) {
      const auto ended = clock_->now();
      if (std::chrono::ceil<milliseconds>(ended - lost_) + pause > options_.patience) {
        hopeless_until_ = ended + std::min<time_point::duration>(ended - begun, longest);
        throw;
      }
    }
    std::this_thread::sleep_for(pause); // seams: a server is outside of every simulation
  }
}

bool postgres_database::has_session() {
  std::unique_lock connecting{connecting_};
  return session_ != nullptr;
}

void postgres_database::write(batch b) {
  if (!has_session())
    reconnect();
  auto& c = session_->connection();
  try {
    c.begin_pipeline();
    c.send("begin");
    for (const auto& w : b)
      send(w->change());
    session_->new_events().send();
    c.send("count", postgres_parameters{past_.transactions + 1});
    c.send("commit");
    c.end_pipeline();
    ++past_.transactions;
  } catch (const journal_error& e) {
    if (c.usable())
      throw;
    lose_session();
    throw journal_error{std::string{e.what()} + "; whether this was kept is unknown"};
  } catch (...) { // no memory; half of it may be on its way
    lose_session();
    throw;
  }
}

/// The server may still commit what the lost session has sent. Until that is over nobody is told that it is lost, and whoever
/// has something in it waits; if it is not over in time, nobody may read.
void postgres_database::lose_session() noexcept {
  {
    std::unique_lock connecting{connecting_};
    session_.reset();
  }
  lost_ = hopeless_until_ = clock_->now(); // somebody who reads may have got the session while there was no hope
  try {
    reconnect();
  } catch (...) {
    std::unique_lock held{mutex_};
    undecided_ = true;
  }
}

/// There may be nobody who writes, so who reads tries to get a new session too.
void postgres_database::require_decided() {
  {
    std::unique_lock held{mutex_};
    if (!undecided_)
      return;
  }
  try {
    connect();
  } catch (const journal_error& e) {
    throw journal_error{std::string{e.what()} + "; until there is a new session nothing can be read: the lost one may "
                                                "still commit"};
  }
}

void postgres_database::send(const journal_change& w) {
  using with = postgres_parameters;
  auto& c = session_->connection();
  if (w.erase) {
    session_->new_events().send();
    for (const auto* s :
         {"note_erased", "erase_journal", "erase_events", "erase_snapshots", "erase_handled", "erase_outbox"}) {
      c.send(s, with{w.key});
      c.request_word(); // it may be about very many rows
    }
  }
  if (w.last_sent)
    c.send("put_journal", with{w.key, *w.last_sent, checksum_of_head(w.key, *w.last_sent)});
  for (const auto& e : w.events)
    session_->new_events().add(w.key, e);
  for (const auto sender : w.forgotten)
    c.send("forget_sender", with{w.key, sender});
  if (w.handled)
    c.send("note_handled", with{w.key, w.handled->sender, w.handled->sequence, w.handled->checksum});
  for (const auto& o : w.sends) {
    const auto& m = o.message;
    c.send("add_send",
           with{w.key, m.sequence, m.time, o.target, o.due, o.timer, m.type, m.version, m.data, o.checksum});
  }
  for (const auto sequence : w.settled)
    c.send("settle", with{w.key, sequence});
  if (w.snapshot) {
    const auto& r = *w.snapshot;
    c.send("put_snapshot", with{w.key, r.sequence, r.time, r.type, r.version, r.data, r.checksum});
    if (w.other_snapshot)
      c.send("trim_snapshots", with{w.key, r.sequence, *w.other_snapshot});
  }
  if (w.drop_events_to) {
    session_->new_events().send();
    c.send("drop_events", with{w.key, *w.drop_events_to});
    c.request_word();
  }
}

void postgres_database::reclaim() {
  if (!has_session())
    reconnect();
  session_->connection().execute("VACUUM events", postgres_answer::late);
}

std::shared_ptr<journal_reader> postgres_database::read() {
  require_decided();
  std::unique_ptr<postgres_reader> reader;
  std::uint64_t sessions = 0;
  {
    std::unique_lock held{mutex_};
    sessions = sessions_;
    if (!idle_.empty()) {
      reader = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (reader != nullptr) {
    try {
      reader->begin();
    } catch (const journal_error&) {
      reader.reset();      // its server has gone meanwhile, or says nothing; there may be a new one
      decltype(idle_) old; // the others would find that out one by one
      std::unique_lock held{mutex_};
      old.swap(idle_);
    }
  }
  if (reader == nullptr) {
    reader = std::make_unique<postgres_reader>(url_, options_.longest_silence);
    refuse_postgres_standby(reader->connection());
    reader->begin();
  }
  const auto give_back = [this, sessions](postgres_reader* r) {
    std::unique_ptr<postgres_reader> owned{r};
    if (!owned->connection().usable())
      return;
    try {
      owned->end();
    } catch (const journal_error&) {
      return;
    }
    std::unique_lock held{mutex_};
    if (sessions == sessions_)
      idle_.push_back(std::move(owned));
  };
  return {reader.release(), give_back};
}

} // namespace troupe
