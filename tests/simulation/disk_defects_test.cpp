// SPDX-License-Identifier: BSD-3-Clause
// Claim: the simulation finds mistakes about files and crashes of the process, each within a stated number of seeds, and
// does not accuse the program without the mistake. Observed: each program exists in both forms.
#include <troupe/journal/format.hpp>
#include <troupe/journal/journaled_actor.hpp>
#include <troupe/testing/simulated_sqlite.hpp>

#include "defect.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace troupe;
using support::finds;

namespace {

struct go {};

std::span<const std::byte> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

std::string read_all(file_system& files, const std::string& path) {
  if (!files.exists(path))
    return {};
  const auto f = files.open(path, open_mode::read);
  std::string text(f->size(), '\0');
  const auto n = f->read({reinterpret_cast<std::byte*>(text.data()), text.size()});
  text.resize(n);
  return text;
}

char sum_of(const std::string& text) {
  unsigned sum = 17;
  for (const char c : text)
    sum = sum * 31 + static_cast<unsigned char>(c);
  return static_cast<char>('a' + sum % 26);
}

// -- a log of records --------------------------------------------------------------------------------------------------

struct log_options {
  bool checks_sums = true;
  bool trusts_second_sync = false;
};

/// Appends "payload|sum\n" records, and says which are kept.
class logger : public actor<logger, go> {
public:
  logger(log_options o, std::set<std::string>* kept, std::set<std::string>* read)
      : options_{o}, kept_{kept}, files_{*system().through().files} {
    files_.create_directories("log");
    files_.sync_directory(".");
    const auto text = read_all(files_, "log/data");
    std::size_t good = 0;
    for (std::size_t at = 0; at < text.size();) {
      const auto end = text.find('\n', at);
      const auto record = text.substr(at, end == text.npos ? end : end - at);
      const bool whole =
          end != text.npos && record.size() > 2 && record.back() == sum_of(record.substr(0, record.size() - 2));
      if (options_.checks_sums && !whole)
        break;
      read->insert(record.substr(0, record.find('|')));
      at = good = end == text.npos ? text.size() : end + 1;
    }
    file_ = files_.open("log/data", open_mode::append);
    if (good < text.size())
      file_->truncate(good);
    file_->sync();
    files_.sync_directory("log");
    next_ = static_cast<int>(read->size());
    self().tell(go{});
  }
  void on(const go&) {
    const auto payload = "record-" + std::string(100, static_cast<char>('a' + next_ % 26)) + std::to_string(next_);
    file_->write(bytes_of(payload + "|" + sum_of(payload) + "\n"));
    after(1ms, go{});
    if (next_ % 2 == 1) {
      keep();
      kept_->insert(payload);
    }
    if (++next_ >= 12)
      stop();
  }

private:
  void keep() {
    try {
      file_->sync();
    } catch (const std::system_error&) {
      if (!options_.trusts_second_sync)
        throw;
      file_->sync();
    }
  }

  const log_options options_;
  std::set<std::string>* const kept_;
  file_system& files_;
  std::unique_ptr<file> file_;
  int next_ = 0;
};

bool is_record(const std::string& text) {
  return text.starts_with("record-") && text.size() > 107 && text.substr(7, 100) == std::string(100, text[7]);
}

simulated_program log_with(log_options o) {
  return [o](simulation& sim) {
    std::set<std::string> kept, read;
    sim.invariant("what is read was written", [&] { return std::all_of(read.begin(), read.end(), is_record); });
    sim.run([&](troupe::system& sys) {
      if (sim.boot() == 0)
        kept.clear();
      read.clear();
      const auto kept_before = kept;
      child_options once;
      once.restart = temporary; // after a failed sync nothing is known: only a new start reads what is there
      for (bool started = false; !started;) {
        try {
          read.clear();
          sys.root().start<logger>("logger", once, o, &kept, &read);
          started = true;
        } catch (const std::system_error&) { // the disk: again
        }
      }
      if (sim.boot() > 0 && !std::includes(read.begin(), read.end(), kept_before.begin(), kept_before.end()))
        throw violation{"what was kept is read", "after the crash"};
      if (sim.boot() > 0)
        kept = read;
    });
  };
}

} // namespace

TEST_CASE("disk defect: a torn record that is accepted is found within 50 seeds") {
  finds({.name = "torn-record", .faults = {.process_crash = 0.1}}, "what is read was written", 50,
        log_with({.checks_sums = false}), log_with({}));
}

TEST_CASE("disk defect: a failed sync that is tried again is found within 200 seeds") {
  finds({.name = "second-sync", .faults = {.process_crash = 0.2, .sync_failure = 0.3}}, "what was kept is read", 200,
        log_with({.trusts_second_sync = true}), log_with({}));
}

// -- a file that is replaced -------------------------------------------------------------------------------------------

namespace {

/// Replaces a file by one with the next number: a new file, synced, renamed over the old one, the directory synced.
class keeper : public actor<keeper, go> {
public:
  keeper(bool syncs_directory, int* kept, bool* lost)
      : syncs_directory_{syncs_directory}, kept_{kept}, files_{*system().through().files} {
    const auto text = read_all(files_, "number");
    number_ = text.empty() ? 0 : std::stoi(text);
    *lost = number_ < *kept;
    self().tell(go{});
  }
  void on(const go&) {
    ++number_;
    {
      const auto f = files_.open("number.new", open_mode::write);
      f->write(bytes_of(std::to_string(number_)));
      f->sync();
    }
    files_.rename("number.new", "number");
    if (syncs_directory_)
      files_.sync_directory(".");
    *kept_ = number_;
    if (number_ < 10)
      after(1ms, go{});
  }

private:
  const bool syncs_directory_;
  int* const kept_;
  file_system& files_;
  int number_ = 0;
};

simulated_program replacing(bool sound) {
  return [sound](simulation& sim) {
    int kept = 0;
    bool lost = false;
    sim.invariant("the number never goes back", [&] { return !lost; });
    sim.run([&](troupe::system& sys) { sys.spawn<keeper>(sound, &kept, &lost); });
  };
}

} // namespace

TEST_CASE("disk defect: a rename without a sync of the directory is found within 20 seeds") {
  finds({.name = "rename", .faults = {.process_crash = 0.1}}, "the number never goes back", 20, replacing(false),
        replacing(true));
}

// -- acknowledged too early --------------------------------------------------------------------------------------------

namespace {

struct is_kept {
  int note = 0;
};
struct keep {
  int note = 0;
  ref_to<is_kept> from;
};
struct all_kept {
  using reply = std::set<int>;
};
struct kept {
  int note = 0;
  static constexpr std::string_view journal_name = "kept";
  TROUPE_JSON(kept, note)
};
struct notes {
  std::set<int> all{};
  static constexpr std::string_view journal_name = "notes";
  TROUPE_JSON(notes, all)
};

/// Says that it has kept a note when that is on the disk; or before.
class notebook : public journaled_actor<notebook, notes, events<kept>, keep, all_kept> {
public:
  notebook(const std::string& key, bool hasty) : journaled_actor{key}, hasty_{hasty} {}
  effect<> on(const keep& k) {
    effect<> done;
    if (!state().all.contains(k.note))
      done.and_event(kept{k.note});
    if (hasty_)
      k.from.tell(is_kept{k.note});
    else
      done.then([k] { k.from.tell(is_kept{k.note}); });
    return done;
  }
  std::set<int> on(const all_kept&) const { return state().all; }
  static void apply(notes& s, const kept& e) { s.all.insert(e.note); }

private:
  const bool hasty_;
};

/// Has one note kept after the other, each again until it is.
class writer : public actor<writer, go, is_kept> {
public:
  writer(ref<notebook> book, std::set<int>* told) : book_{std::move(book)}, told_{told} { self().tell(go{}); }
  void on(const go&) {
    const auto next = static_cast<int>(told_->size()) + 1;
    if (next > 8)
      return;
    book_.tell(keep{next, self()});
    after("again", 200ms, go{});
  }
  void on(const is_kept& k) {
    told_->insert(k.note);
    on(go{});
  }

private:
  const ref<notebook> book_;
  std::set<int>* const told_;
};

simulated_program notes_kept(bool hasty) {
  return [hasty](simulation& sim) {
    std::set<int> told; // outlasts the process
    ref<notebook> book;
    sim.journals([&] { return open_sqlite_store(sim, "notes.db"); });
    sim.eventually("what was said to be kept is", [&] {
      const auto all = book.ask(all_kept{}, 30s).get();
      return std::ranges::includes(all, told);
    });
    sim.run([&](troupe::system& sys) {
      const auto top = sys.supervise("top", support::patient());
      book = top.start<notebook>("book", child_options{}, std::string{"book"}, hasty);
      top.start<writer>("writer", child_options{}, book, &told);
    });
  };
}

} // namespace

TEST_CASE("disk defect: an acknowledgement before the write is found within 50 seeds") {
  finds({.name = "notes", .faults = {.slow_by = 50ms, .process_crash = 0.05, .disk_slow = 0.5}},
        "what was said to be kept is", 50, notes_kept(true), notes_kept(false));
}
