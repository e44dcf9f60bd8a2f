// SPDX-License-Identifier: BSD-3-Clause
#include "flash_sales.hpp"

#include "../flash_sale_arrivals.hpp"

#include <fmt/format.h>

#include <chrono>
#include <utility>

namespace order_simulation {

namespace {

using namespace std::chrono_literals;

sale sale_of(const buy& order, std::chrono::nanoseconds since_begin) {
  using troupe::pipeline::event_duration;
  return {.time = troupe::pipeline::event_time{std::chrono::duration_cast<event_duration>(since_begin)},
          .amount = flash_price(order.product) * order.quantity,
          .units = static_cast<std::int32_t>(order.quantity),
          .product = order.product,
          .country = 0,
          .counts = true};
}

std::shared_ptr<const sales_terms> flash_terms() {
  auto t = std::make_shared<sales_terms>();
  t->period = 1s;
  t->interval = 100ms;
  t->countries = {"all"};
  t->product_name = [](std::uint32_t p) { return fmt::format("product-{}", p + 1); };
  return t;
}

} // namespace

std::int64_t flash_price(std::uint32_t product) { return 999 + 500 * std::int64_t{product}; }

struct flash_sales::parts {
  explicit parts(std::uint64_t s) : seed{s} {}

  const std::uint64_t seed;
  std::shared_ptr<const sales_terms> terms = flash_terms();
  live_tables<sale, product_tables> live{1, product_tables{terms}};
  sales_ticker ticker{*terms};
};

void flash_sales::end_parts::operator()(parts* p) const { delete p; }

flash_sales::flash_sales(const options& opts) : parts_{opts.analytics ? new parts{opts.seed} : nullptr} {}

void flash_sales::start(troupe::system& system) {
  if (parts_ != nullptr)
    parts_->live.start(system, sales_plan(parts_->live, analysts_for(system.workers())));
}

void flash_sales::open(sale_staff& staff, troupe::time_point began) {
  if (parts_ != nullptr)
    staff.on_sold = [this, &staff, began](const sale_answer& a) { sold(staff.order_of(a.order, a.intended), began); };
}

void flash_sales::close(sale_staff& staff) { staff.on_sold = {}; }

void flash_sales::sold(const buy& order, troupe::time_point began) {
  if (parts_ == nullptr)
    return;
  const sale one = sale_of(order, order.intended - began);
  parts_->live.feed().push(0, {&one, 1});
}

bool flash_sales::has_room() const { return parts_ == nullptr || parts_->live.feed().gauge().has_room(); }

std::vector<std::string> flash_sales::lines(troupe::time_point now) {
  if (parts_ == nullptr)
    return {};
  parts_->live.feed().flush();
  if (parts_->ticker.wants(now))
    parts_->ticker.look(now, parts_->live.glance());
  return parts_->ticker.lines();
}

void flash_sales::finish(report& r, const sale_record& sale, double rate,
                         const std::function<buy(std::uint64_t)>& order_of) {
  if (parts_ == nullptr)
    return;
  r.analytics = parts_->live.finish();
  r.analytics->terms = parts_->terms;
  sales_recount recount{*parts_->terms};
  sale_arrivals arrivals{parts_->seed, rate};
  for (std::uint64_t i = 0; i < sale.sent; ++i) {
    const auto at = arrivals.next();
    if (sale.outcome_of(sale.first() + i) == sale_outcome::sold)
      recount.add(sale_of(order_of(sale.first() + i), at));
  }
  append_sales_invariants(r.invariants, *r.analytics, recount.answers());
}

} // namespace order_simulation
