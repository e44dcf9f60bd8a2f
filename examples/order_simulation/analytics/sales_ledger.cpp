// SPDX-License-Identifier: BSD-3-Clause
#include "sales_ledger.hpp"

#include <cerrno>
#include <system_error>

namespace order_simulation {

namespace {

[[noreturn]] void fail(const char* what) { throw std::system_error{errno, std::generic_category(), what}; }

} // namespace

struct sales_ledger::entry {
  std::int64_t time_us;
  std::int64_t invoice; // cents
  std::uint32_t customer;
  std::uint32_t number;
  std::uint32_t seller;
  std::uint16_t product; // 0: paid
  std::uint16_t quantity;
};

sales_ledger::sales_ledger(std::size_t shards) : shards_(shards) {
  for (auto& s : shards_) {
    s.file.reset(std::tmpfile());
    if (!s.file)
      fail("the analytics' record");
  }
}

void sales_ledger::add(std::size_t of, std::span<const shop_event> events) {
  std::vector<entry> rows;
  rows.reserve(events.size());
  for (const auto& e : events) {
    if (e.step != shop_step::ordered && (e.step != shop_step::paid || e.earlier))
      continue;
    rows.push_back({e.time.time_since_epoch().count(), (e.goods - e.incentive + e.freight).cents,
                    e.order.customer.value, e.order.number, e.item.seller.value,
                    static_cast<std::uint16_t>(e.item.number), static_cast<std::uint16_t>(e.quantity)});
  }
  auto& s = shards_[of % shards_.size()];
  std::lock_guard lock{s.mutex};
  if (std::fwrite(rows.data(), sizeof(entry), rows.size(), s.file.get()) != rows.size())
    fail("the analytics' record");
}

void sales_ledger::for_each(const std::function<void(const shop_event&)>& f) {
  for (auto& s : shards_) {
    std::lock_guard lock{s.mutex};
    std::rewind(s.file.get());
    for (entry row{}; std::fread(&row, sizeof row, 1, s.file.get()) == 1;) {
      shop_event e;
      e.step = row.product != 0 ? shop_step::ordered : shop_step::paid;
      e.time = troupe::pipeline::event_time{troupe::pipeline::event_duration{row.time_us}};
      e.order = {{row.customer}, row.number};
      e.item = {{row.seller}, row.product};
      e.quantity = row.quantity;
      e.goods.cents = row.invoice;
      f(e);
    }
    if (std::ferror(s.file.get()) != 0)
      fail("the analytics' record");
    std::fseek(s.file.get(), 0, SEEK_END);
  }
}

} // namespace order_simulation
