// SPDX-License-Identifier: BSD-3-Clause
// Rows about durable state, on the disk and synced: appends in groups of a given size, recovery, and a cold start.
#include <troupe/journal/entities.hpp>
#include <troupe/journal/format.hpp>
#include <troupe/journal/journaled_actor.hpp>
#include <troupe/journal/postgres_store.hpp>
#include <troupe/journal/sqlite_store.hpp>

#include "bench/support/journal_rows.hpp"
#include "bench/support/postgres_rows.hpp"
#include "bench/troupe/rows.hpp"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace bench {

namespace {

using namespace std::chrono_literals;

struct reserved {
  std::string customer;
  std::uint64_t order = 0;
  std::uint64_t quantity = 0;
  std::string sku;
  static constexpr std::string_view journal_name = "reserved";
  TROUPE_JSON(reserved, customer, order, quantity, sku)
};

constexpr const troupe::journal_type* types[]{&troupe::journal_type_of<reserved>};

reserved event_number(std::uint64_t i) { return {"customer/0000017", i, i % 10, "85123A"}; }

/// Appends event number `i` and calls `done` when it is durable.
void append(troupe::journal& j, std::uint64_t i, const std::function<void(std::exception_ptr)>& done) {
  const auto e = event_number(i);
  const troupe::journal_record events[]{{types[0], &e}};
  troupe::journal_append a;
  a.events = events;
  j.append(a, [&] { return done; });
}

/// A group is full before the time is over.
template <class Options>
Options in_groups_of(std::uint64_t n) {
  Options o;
  o.commit.max_group = n;
  o.commit.max_delay = 1s;
  return o;
}

/// Twice as many journals as there are events in a group, each with one append under way at most: while one half is being
/// committed the other is being encoded. As with actors, an append follows when the one before is durable.
void append_groups(troupe::durable_store& store, std::uint64_t group, std::uint64_t n, stopwatch& clock) {
  std::vector<std::shared_ptr<troupe::journal>> journals;
  for (std::uint64_t i = 0; i < 2 * group; ++i)
    journals.push_back(store.open("stock/" + std::to_string(i), types));
  std::atomic<std::uint64_t> durable{0};
  const auto done = [&](const std::exception_ptr& failure) {
    if (failure)
      std::abort();
    if (++durable % group == 0)
      durable.notify_all();
  };
  for (auto& j : journals) // not measured: the rows in the table of journals
    append(*j, 0, done);
  store.flush();
  durable = 0;
  clock.start();
  for (std::uint64_t i = 0; i < n; ++i) {
    if (i % group == 0 && i >= 2 * group)
      for (auto now = durable.load(); now < i - group; now = durable.load())
        durable.wait(now);
    append(*journals[i % journals.size()], i, done);
  }
  store.flush();
  clock.arrive();
}

template <std::uint64_t Group>
void append_sqlite(const run_size& size) {
  journal_file file;
  stopwatch clock;
  append_groups(*troupe::open_sqlite_store(file.path(), in_groups_of<troupe::sqlite_options>(Group)), Group, size.n,
                clock);
  clock.print(("journal-append-" + std::to_string(Group)).c_str(), size.n,
              file.count() - 2 * static_cast<std::int64_t>(Group));
}

template <std::uint64_t Group>
void append_postgres(const run_size& size) {
  journal_server server;
  stopwatch clock;
  append_groups(*troupe::open_postgres_store(server.url(), in_groups_of<troupe::postgres_options>(Group)), Group,
                size.n, clock);
  clock.print(("journal-postgres-" + std::to_string(Group)).c_str(), size.n,
              server.count() - 2 * static_cast<std::int64_t>(Group));
}

/// Counts events, and adds their numbers up.
struct counting final : troupe::journal_visitor {
  void snapshot(const troupe::journal_record&) override {}
  void event(const troupe::journal_record& r) override {
    ++events;
    sum += static_cast<const reserved*>(r.value)->order;
  }
  void handled(const troupe::inbound&) override {}
  void last_sent(std::uint64_t) override {}
  void unsettled(const troupe::outbound&) override {}
  std::int64_t events = 0;
  std::uint64_t sum = 0;
};

void fill(const std::string& path, std::uint64_t journals, std::uint64_t events_each) {
  auto store = troupe::open_sqlite_store(path);
  for (std::uint64_t j = 0; j < journals; ++j) {
    auto open = store->open("stock/" + std::to_string(j), types);
    std::vector<reserved> events;
    std::vector<troupe::journal_record> records;
    for (std::uint64_t i = 0; i < events_each;) {
      events.clear();
      records.clear();
      for (; events.size() < 10'000 && i < events_each; ++i)
        events.push_back(event_number(i));
      for (const auto& e : events)
        records.push_back({types[0], &e});
      troupe::journal_append a;
      a.events = records;
      open->append(a, [] { return troupe::journal::completion{[](const std::exception_ptr&) {}}; });
      if (i < events_each)
        store->flush();
    }
  }
}

/// From opening the file to the last of n events decoded.
void recovery(const run_size& size) {
  journal_file file;
  fill(file.path(), 1, size.n);
  counting all;
  stopwatch clock;
  clock.start();
  troupe::open_sqlite_store(file.path())->open("stock/0", types)->replay(all);
  clock.arrive();
  clock.print("journal-recovery", size.n, all.sum == size.n * (size.n - 1) / 2 ? all.events : -1);
}

struct shelf_state {
  std::uint64_t reserved = 0;
  static constexpr std::string_view journal_name = "shelf_state";
  TROUPE_JSON(shelf_state, reserved)
};
struct reserved_query {
  using reply = std::uint64_t;
};

/// A durable actor over one of these journals.
class shelf : public troupe::journaled_actor<shelf, shelf_state, troupe::events<reserved>, reserved_query> {
public:
  explicit shelf(const std::string& key) : journaled_actor{key} {}
  std::uint64_t on(const reserved_query&) { return state().reserved; }
  static void apply(shelf_state& s, const reserved& e) { s.reserved += e.quantity; }
};

/// From opening a file with n durable actors, a system and their group to the first answer of one, loaded for it.
void cold_start(const run_size& size) {
  journal_file file;
  fill(file.path(), size.n, 10);
  const auto begun = now_ns();
  auto options = options_for(size);
  options.journals = troupe::open_sqlite_store(file.path());
  troupe::system sys{options};
  const troupe::entities<shelf> shelves{sys.root(), "stock"};
  const auto answer = shelves["4711"].ask(reserved_query{}).get();
  const auto ns = now_ns() - begun;
  const auto journals = static_cast<std::int64_t>(options.journals->keys("stock/").size());
  print_figure("journal-cold-start", "ms", static_cast<double>(ns) / 1e6,
               answer == 45 && shelves.live() == 1 ? journals : -1);
}

} // namespace

void add_journal_rows(row_table& rows) {
  rows["journal-append-1"] = &append_sqlite<1>;
  rows["journal-append-16"] = &append_sqlite<16>;
  rows["journal-append-256"] = &append_sqlite<256>;
  rows["journal-recovery"] = &recovery;
  rows["journal-cold-start"] = &cold_start;
  if (journal_server::installed()) {
    rows["journal-postgres-16"] = &append_postgres<16>;
    rows["journal-postgres-256"] = &append_postgres<256>;
  }
}

} // namespace bench
