// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/journal/format.hpp>
#include <troupe/journal/journaled_actor.hpp>
#include <troupe/system.hpp>

#include "acknowledgements.hpp"
#include "crash_plan.hpp"
#include "flash_sale_record.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace order_simulation {

/// Orders that may be on their way through the shop at once: the payment provider's connections. What comes while all are
/// in use is answered "busy" at once; so an accepted order waits for nobody, and its latency is that of an idle shop.
inline constexpr std::size_t orders_inside_max = 128;

/// A customer who has waited this long before the door looks at him is sent away: the shop is behind, and what he has
/// waited would add to what he still has to wait. A little more than what a payment takes.
inline constexpr std::chrono::milliseconds lateness_max{5};

/// Customers who may stand before the door or be on their way out, unanswered. Beyond that, the edge answers for the door.
/// The door needs about a microsecond for each, so that they cost less than `lateness_max` together.
inline constexpr std::size_t backlog_max = 2'048;

/// What the payment provider takes for one order: 3 to 5 ms.
std::chrono::microseconds payment_time(std::uint64_t order);

class sale_door;
class sale_stock;
class sale_order;
class sale_crowd;
struct sale_answer;

/// To the door: a customer wants to buy.
struct buy {
  std::uint64_t order;
  std::uint32_t product;
  std::uint32_t quantity;
  troupe::time_point intended; ///< When he meant to come.
  std::uint64_t customer = 0;  ///< Of the sale, from 1; 0: of a rehearsal.
};

/// Who works in a flash sale. Filled before the first message is sent. Outlives the system.
struct sale_staff {
  const crash_plan& plan;
  acknowledgements& told;

  // -- immutable while the sale runs --
  std::vector<troupe::ref<sale_stock>> stocks{};
  troupe::ref<sale_door> door{};
  troupe::ref<sale_crowd> crowd{};
  troupe::supervisor orders{};

  // -- of the phase at hand: changes between phases only, while nobody is inside; no record while what an earlier process
  // has left is finished --
  sale_record* record = nullptr;
  bool in_closed_loop = false;
  std::function<buy(std::uint64_t order, troupe::time_point intended)> order_of{};
  /// Is told what is sold, by the crowd. Empty: nobody.
  std::function<void(const sale_answer&)> on_sold{};

  // -- the crowd only --
  std::set<std::uint64_t> told_late{}; ///< Customers of earlier processes.

  // -- under the lock: the crowd writes, an order that failed reads --
  std::mutex telling{};
  std::unordered_set<std::uint64_t> answered{}; ///< Orders whose customers were told in this process.

  // -- atomic --
  std::atomic<std::uint64_t> refused{0}; ///< Messages that did not fit where they must: always 0, or the sale is wrong.

  std::atomic<std::uint64_t> left_over{0}; ///< Orders of earlier processes whose customers are not answered.

  /// Sends what must arrive.
  template <class Actor, class Message>
  void tell(const troupe::ref<Actor>& to, const Message& message) {
    if (to.tell(message) != troupe::delivery::accepted)
      refused.fetch_add(1, std::memory_order_relaxed); // relaxed: a figure
  }
};

// -- the door ----------------------------------------------------------------------------------------------------------

/// To the door: an order is over.
struct leave_shop {
  troupe::ref<sale_order> from;
  std::uint64_t order;
};

/// To the door: a customer whose order an earlier process has left is inside still.
struct take_up_order {
  buy wanted;
};

struct door_state {
  std::vector<std::uint64_t> inside{}; ///< Orders, at most orders_inside_max.
  std::uint64_t admitted = 0;
  std::uint64_t came = 0; ///< The last customer of the sale who was let in; 0: none.
  static constexpr std::string_view journal_name = "door_state";
  TROUPE_JSON(door_state, inside, admitted, came)
};
struct let_in {
  std::uint64_t order = 0;
  std::uint64_t customer = 0; ///< As in `buy`.
  static constexpr std::string_view journal_name = "let_in";
  TROUPE_JSON(let_in, order, customer)
};
struct let_out {
  std::uint64_t order = 0;
  static constexpr std::string_view journal_name = "let_out";
  TROUPE_JSON(let_out, order)
};

/// To the door: what it knows.
struct door_query {
  using reply = door_state;
};

/// Admission control. Lets an order in, or answers "busy": never a queue behind it.
class sale_door : public troupe::journaled_actor<sale_door, door_state, troupe::events<let_in, let_out>, buy,
                                                 leave_shop, take_up_order, door_query> {
public:
  explicit sale_door(sale_staff* staff) : journaled_actor{"door"}, staff_{*staff} {}

  effect<> on(const buy& b);
  effect<> on(const leave_shop& m);
  void on(const take_up_order& m) { start_order(m.wanted); }
  door_state on(const door_query&) { return state(); }

  static void apply(door_state& s, const let_in& e);
  static void apply(door_state& s, const let_out& e) { std::erase(s.inside, e.order); }

private:
  bool inside(std::uint64_t order) const;
  void start_order(const buy& b);

  sale_staff& staff_;
};

// -- the order ---------------------------------------------------------------------------------------------------------

/// To an order, from its own timer: the provider has authorised the payment.
struct payment_authorised {};

/// To an order: whether its units are held for it.
struct hold_answer {
  bool granted;
};

/// To an order: the door, or the stock, has kept that it is over, or its customer was told.
enum class end_witness : std::uint8_t { door, stock, customer };
struct end_kept {
  end_witness by;
};

enum class order_stage : std::uint8_t { paying, reserving, over };
struct order_paid {
  static constexpr std::string_view journal_name = "order_paid";
  friend void to_json(nlohmann::json& j, const order_paid&) { j = nlohmann::json::object(); }
  friend void from_json(const nlohmann::json&, order_paid&) {}
};
struct order_over {
  bool granted = false;
  static constexpr std::string_view journal_name = "order_over";
  TROUPE_JSON(order_over, granted)
};
struct sale_order_state {
  order_stage stage{};
  bool granted = false; ///< Once it is over.
  static constexpr std::string_view journal_name = "sale_order_state";
  TROUPE_JSON(sale_order_state, stage, granted)
};

/// One order: authorises the payment, has its units held, and confirms; or lets the authorisation lapse if they are sold
/// out. Paying comes first, so that an order costs the shop the same whether or not there is anything left.
///
/// The customer is answered when the order is over. It stays in mind until he was told and door and stock have kept it, too:
/// whenever the process is killed, the next one finds every order that somebody still has to hear of.
class sale_order : public troupe::journaled_actor<sale_order, sale_order_state, troupe::events<order_paid, order_over>,
                                                  payment_authorised, hold_answer, end_kept> {
public:
  /// A restart in the middle of a payment asks the provider again, who knows the order by its number.
  sale_order(sale_staff* staff, buy wanted);

  effect<> on(const payment_authorised&);
  effect<> on(const hold_answer& a);
  void on(const end_kept& m);

  static void apply(sale_order_state& s, const order_paid&) { s.stage = order_stage::reserving; }
  static void apply(sale_order_state& s, const order_over& e) { s = {order_stage::over, e.granted}; }

private:
  void answer_customer();
  void tell_end();

  sale_staff& staff_;
  const buy wanted_;
  bool out_ = false;  ///< The door has kept the end,
  bool sold_ = false; ///< and so has the stock, if it had something to keep;
  bool told_ = false; ///< and the customer was told.
};

// -- the stock ---------------------------------------------------------------------------------------------------------

/// To a stock: hold units for an order.
struct hold_units {
  troupe::ref<sale_order> from;
  std::uint64_t order;
  std::uint32_t quantity;
};

/// To a stock: the units held for an order are sold.
struct confirm_units {
  troupe::ref<sale_order> from;
  std::uint64_t order;
};

struct sale_stock_figures {
  std::int64_t available = 0;
  std::int64_t held = 0;
  std::int64_t sold = 0;
  TROUPE_JSON(sale_stock_figures, available, held, sold)
};
struct inspect_shelf {
  using reply = sale_stock_figures;
};

struct units_held {
  std::uint64_t order = 0;
  std::uint32_t quantity = 0;
  static constexpr std::string_view journal_name = "units_held";
  TROUPE_JSON(units_held, order, quantity)
};
struct units_sold {
  std::uint64_t order = 0;
  static constexpr std::string_view journal_name = "units_sold";
  TROUPE_JSON(units_sold, order)
};

struct sale_stock_state {
  sale_stock_figures figures{};
  std::vector<units_held> holds{}; ///< At most one for each order inside.
  static constexpr std::string_view journal_name = "sale_stock_state";
  TROUPE_JSON(sale_stock_state, figures, holds)
};

/// The stock of one product.
class sale_stock : public troupe::journaled_actor<sale_stock, sale_stock_state, troupe::events<units_held, units_sold>,
                                                  hold_units, confirm_units, inspect_shelf> {
public:
  sale_stock(sale_staff* staff, const std::string& product, std::int64_t opening_stock);

  effect<> on(const hold_units& m);
  effect<> on(const confirm_units& m);
  sale_stock_figures on(const inspect_shelf&);

  static void apply(sale_stock_state& s, const units_held& e);
  static void apply(sale_stock_state& s, const units_sold& e);

private:
  bool holds(std::uint64_t order) const;

  sale_staff& staff_;
};

// -- the customers -----------------------------------------------------------------------------------------------------

/// To the crowd: what became of an order.
struct sale_answer {
  std::uint64_t order;
  sale_outcome outcome;
  std::uint32_t units; ///< Sold.
  troupe::time_point intended;
  troupe::ref<sale_order> from{}; ///< Is to hear that the customer was told; nobody: of the door.
};

/// To the crowd: send in customers, each as soon as one of `outstanding` is answered.
struct open_doors {
  std::uint64_t outstanding;
};

/// Latencies of accepted orders so far in this phase.
struct sale_latencies {
  double p50_ms = 0;
  double p99_ms = 0;
};
struct ask_latencies {
  using reply = sale_latencies;
};

/// All customers: takes note of the answers in the record of the phase, and in a closed loop sends in the next one.
class sale_crowd : public troupe::actor<sale_crowd, sale_answer, open_doors, ask_latencies> {
public:
  explicit sale_crowd(sale_staff* staff) : staff_{*staff} {}

  void on(const sale_answer& a);
  void on(const open_doors& m);
  sale_latencies on(const ask_latencies&);

private:
  void take_note(const sale_answer& a);
  void send_next();

  sale_staff& staff_;
};

} // namespace order_simulation
