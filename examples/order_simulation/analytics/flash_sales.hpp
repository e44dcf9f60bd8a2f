// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/system.hpp>

#include "../flash_sale_record.hpp"
#include "../flash_sale_shop.hpp"
#include "../options.hpp"
#include "../report.hpp"
#include "live_tables.hpp"
#include "replay_sales.hpp"
#include "sales_ticker.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace order_simulation {

/// What one unit costs, in cents.
std::int64_t flash_price(std::uint32_t product);

/// The analytics of a flash sale: revenue by second and orders by tenth of a second of the time at which customers meant to
/// come, counted from the beginning of the sale. The crowd tells them who has bought.
///
/// With `--analytics off`, does nothing. Outlives the system.
/// Threads: `sold` the crowd; the rest who made it.
class flash_sales {
public:
  explicit flash_sales(const options& opts);

  void start(troupe::system& system);

  /// The sale begins at `began`: from here on the crowd tells what is sold. While nobody is inside.
  void open(sale_staff& staff, troupe::time_point began);
  /// It is over, and everybody answered.
  void close(sale_staff& staff);

  /// An order of the sale, and when its customer meant to come.
  void sold(const buy& order, troupe::time_point began);

  /// False: whoever stands before the door should be sent away, for the analytics are behind.
  bool has_room() const;

  /// Lines for the live view.
  std::vector<std::string> lines(troupe::time_point now);

  /// Ends the pipeline, recomputes everything from what the customers remember, and says whether it is the same. `order_of`
  /// tells what each of them wanted, `rate` how they came. Before the shutdown.
  void finish(report& r, const sale_record& sale, double rate, const std::function<buy(std::uint64_t)>& order_of);

private:
  struct parts;
  struct end_parts {
    void operator()(parts* p) const;
  };

  std::unique_ptr<parts, end_parts> parts_; // null: off
};

} // namespace order_simulation
