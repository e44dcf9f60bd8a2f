// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "seller_boards.hpp"
#include "shop_event.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace order_simulation {

/// The lines of an order that is on its way. A copy shares them until a line is added: a step of the order costs no copy of
/// its lines.
class open_order {
public:
  std::span<const line_step> lines() const noexcept {
    return lines_ == nullptr ? std::span<const line_step>{} : std::span<const line_step>{*lines_};
  }

  void add(const line_step& l) {
    if (lines_ == nullptr || lines_.use_count() > 1)
      lines_ = std::make_shared<std::vector<line_step>>(lines().begin(), lines().end());
    lines_->push_back(l);
  }

private:
  std::shared_ptr<std::vector<line_step>> lines_;
};

/// The logic that turns what happens to an order into what it means for each of its lines. Its state is the lines, from the
/// order's invoice to its end.
struct order_steps {
  template <class Context, class Emit>
  void on(Context& context, open_order& o, const shop_event& e, Emit& emit) const {
    using troupe::commerce::order_status;
    switch (e.step) {
      case shop_step::ordered: {
        const line_step line{.time = e.time,
                             .order = e.order,
                             .item = e.item,
                             .to = order_status::invoiced,
                             .package = e.package,
                             .first = e.first,
                             .quantity = e.quantity,
                             .goods = e.goods,
                             .incentive = e.incentive,
                             .freight = e.freight};
        o.add(line);
        emit(line);
        return;
      }
      case shop_step::arrived:
        for (const auto& l : o.lines())
          if ((e.packages >> l.package & 1) != 0)
            emit(moved(l, e, order_status::in_transit));
        break;
      case shop_step::paid: tell_all(o, e, order_status::payment_processed, emit); break;
      case shop_step::ready: tell_all(o, e, order_status::ready_for_shipment, emit); break;
      case shop_step::refused: tell_all(o, e, order_status::payment_failed, emit); break;
      case shop_step::delivered: tell_all(o, e, order_status::delivered, emit); break;
    }
    // Its customer may hear of the last package after the order itself.
    if (o.lines().empty() || e.step == shop_step::refused || e.step == shop_step::delivered)
      context.forget();
  }

private:
  static line_step moved(line_step line, const shop_event& e, troupe::commerce::order_status to) {
    line.time = e.time;
    line.earlier = e.earlier;
    line.to = to;
    return line;
  }

  template <class Emit>
  static void tell_all(const open_order& o, const shop_event& e, troupe::commerce::order_status to, Emit& emit) {
    for (const auto& l : o.lines())
      emit(moved(l, e, to));
  }
};

} // namespace order_simulation
