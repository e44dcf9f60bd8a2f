// SPDX-License-Identifier: BSD-3-Clause
// Shows: state that outlives the process. A shelf keeps its reservations as events in a SQLite file, tells the day book of
// each with a message that cannot be lost, and lets an unpaid one lapse with a timer that survives, too.
//
// Run:   build/release/bin/09_durable_state FILE   (again and again: it goes on where it stopped)
//        build/release/bin/09_durable_state        (two lives on a fresh file, as below)
//        sqlite3 FILE 'select * from events'
//
// Output:
//   life 1: 10 on the shelf, order 1 takes 3: yes, 7 left
//   life 1: 7 on the shelf, order 2 takes 3: yes, 4 left
//   life 2: 4 on the shelf, order 3 takes 3: yes, 1 left
//   life 2: 1 on the shelf, order 4 takes 3: no, 1 left
//   the day book: orders 1 2 3

#include <troupe/journal/entities.hpp>
#include <troupe/journal/format.hpp>
#include <troupe/journal/sqlite_store.hpp>
#include <troupe/system.hpp>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <unistd.h>
#include <vector>

using namespace std::chrono_literals;

// [snippet messages]
struct note_sale { // from a shelf's outbox, so it has a format
  int order = 0;
  static constexpr std::string_view journal_name = "note_sale";
  TROUPE_JSON(note_sale, order)
};
struct lapse { // of a timer
  int order = 0;
  static constexpr std::string_view journal_name = "lapse";
  TROUPE_JSON(lapse, order)
};
struct reserve { // asked, never written down
  int order = 0;
  int quantity = 0;
  using reply = bool;
};
struct left_query {
  using reply = int;
};
struct orders_query {
  using reply = std::vector<int>;
};
// [end]

// [snippet book]
struct sale_noted {
  int order = 0;
  static constexpr std::string_view journal_name = "sale_noted";
  TROUPE_JSON(sale_noted, order)
};
struct book_state {
  std::vector<int> orders;
  static constexpr std::string_view journal_name = "book_state";
  TROUPE_JSON(book_state, orders)
};

class day_book
    : public troupe::journaled_actor<day_book, book_state, troupe::events<sale_noted>, note_sale, orders_query> {
public:
  explicit day_book(const std::string& key) : journaled_actor{key} {}
  effect<> on(const note_sale& m) { return {sale_noted{m.order}}; }
  std::vector<int> on(const orders_query&) { return state().orders; }
  static void apply(book_state& s, const sale_noted& e) { s.orders.push_back(e.order); }
};
// [end]

struct reserved {
  int order = 0;
  int quantity = 0;
  static constexpr std::string_view journal_name = "reserved";
  TROUPE_JSON(reserved, order, quantity)
};
struct lapsed {
  int order = 0;
  static constexpr std::string_view journal_name = "lapsed";
  TROUPE_JSON(lapsed, order)
};
struct shelf_state {
  int left = 10;
  std::vector<reserved> held;
  static constexpr std::string_view journal_name = "shelf_state";
  TROUPE_JSON(shelf_state, left, held)
};

// [snippet shelf]
class shelf
    : public troupe::journaled_actor<shelf, shelf_state, troupe::events<reserved, lapsed>, reserve, lapse, left_query> {
public:
  shelf(const std::string& key, const troupe::durable_ref<day_book>& book) : journaled_actor{key}, book_{book} {}

  effect<bool> on(const reserve& m) {
    if (state().left < m.quantity)
      return false; // nothing happened: nothing is kept
    effect<bool> fx{true, reserved{m.order, m.quantity}};
    fx.send(book_, note_sale{m.order});
    fx.schedule("order " + std::to_string(m.order), 24h, lapse{m.order});
    return fx;
  }
  effect<> on(const lapse& m) { return {lapsed{m.order}}; }
  int on(const left_query&) { return state().left; }

  static void apply(shelf_state& s, const reserved& e) {
    s.left -= e.quantity;
    s.held.push_back(e);
  }
  static void apply(shelf_state& s, const lapsed& e) {
    std::erase_if(s.held, [&](const reserved& r) {
      if (r.order == e.order)
        s.left += r.quantity;
      return r.order == e.order;
    });
  }

private:
  const troupe::durable_ref<day_book> book_;
};
// [end]

// [snippet life]
int live(const std::string& file, int life) {
  troupe::system sys{{.journals = troupe::open_sqlite_store(file)}};
  const troupe::entities<day_book> books{sys.root(), "book"};
  const troupe::entities<shelf> shelves{sys.root(), "shelf", {.idle = 1min}, books["today"]};

  const auto cups = shelves["cups"]; // an address: nothing is loaded before the first message
  for (int i = 0; i < 2; ++i) {
    const int before = cups.ask(left_query{}).get();
    const int order = (10 - before) / 3 + 1;
    const bool taken = cups.ask(reserve{order, 3}).get(); // once this is true, no crash can undo it
    std::printf("life %d: %d on the shelf, order %d takes 3: %s, %d left\n", life, before, order, taken ? "yes" : "no",
                cups.ask(left_query{}).get());
  }
  if (life != 1) {
    std::printf("the day book: orders");
    for (const int order : books["today"].ask(orders_query{}).get())
      std::printf(" %d", order);
    std::printf("\n");
  }
  return sys.shutdown().exit_code();
}
// [end]

int main(int argc, char** argv) {
  try {
    if (argc > 1)
      return live(argv[1], 0);
    const auto directory = std::filesystem::temp_directory_path() / ("troupe_08_" + std::to_string(getpid()));
    std::filesystem::create_directories(directory);
    const auto file = (directory / "shop.db").string();
    const int first = live(file, 1);
    const int second = live(file, 2);
    std::filesystem::remove_all(directory);
    return first + second;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "09_durable_state: %s\n", e.what());
    return 1;
  }
}
