// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/commerce/directory.hpp>
#include <troupe/commerce/formats.hpp>
#include <troupe/commerce/recent.hpp>
#include <troupe/commerce/retry.hpp>
#include <troupe/patterns/growing_pause.hpp>

#include <troupe/journal/journaled_actor.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::commerce {

enum class shipment_status : std::uint8_t { approved, delivery_in_progress, concluded };

/// An order on its way to its customer, with a package per line.
struct open_shipment {
  std::uint64_t number = 0; ///< Within the partition, from 1, without gaps.
  order_key order{};
  shipment_status status = shipment_status::approved;
  line_set delivered = 0;
  money freight{};
  moment requested_at{};
  std::vector<product_key> packages;
  TROUPE_JSON(open_shipment, number, order, status, delivered, freight, requested_at, packages)

  line_set all() const noexcept { return ~line_set{0} >> (order_lines_max - packages.size()); }
};

/// What sellers, customer and order are to be told of one shipment.
struct shipment_notice {
  std::uint64_t number = 0; ///< Of the notice, from 1.
  order_key order{};
  line_set delivered = 0;            ///< Packages delivered by this; none: the shipment was made.
  bool first = false;                ///< No package was delivered before.
  bool last = false;                 ///< All are, now.
  std::vector<product_key> packages; ///< Of the order.
  TROUPE_JSON(shipment_notice, number, order, delivered, first, last, packages)
};

/// The last deliveries that did something. Most transactions that are asked for are not among them, and most of those are
/// told apart by one look. Written as the `recent` that it is.
class recent_deliveries {
public:
  struct delivery {
    transaction_id tid = 0;
    std::uint32_t packages = 0;
    TROUPE_JSON(delivery, tid, packages)
  };

  void add(const delivery& d) noexcept {
    last_.add(d);
    marks_ = 0;
    last_.for_each([this](const delivery& x) { marks_ |= mark_of(x.tid); });
  }
  const delivery* find(transaction_id tid) const {
    if ((marks_ & mark_of(tid)) == 0) [[likely]]
      return nullptr;
    return last_.find([&](const delivery& d) { return d.tid == tid; });
  }

  friend void to_json(nlohmann::json& j, const recent_deliveries& r) { j = r.last_; }
  friend void from_json(const nlohmann::json& j, recent_deliveries& r) {
    r = {};
    for (const auto& x : j)
      r.add(x.get<delivery>());
  }
  friend void write_json(json_text& out, const recent_deliveries& r) { troupe::detail::append_json(out, r.last_); }

private:
  static constexpr std::uint64_t mark_of(transaction_id tid) noexcept { return std::uint64_t{1} << (mix(tid) >> 58); }

  /// 16, of up to 512 that a desk may have under way: who repeats one that was pushed out lets the next packages be delivered
  /// under its number, which harms nothing, as a package is delivered once whoever asks.
  recent<delivery, 16> last_;
  std::uint64_t marks_ = 0; ///< Of all of them.
};

struct shipment_state {
  std::uint64_t last_number = 0;
  std::vector<open_shipment> open; ///< Oldest first.
  tally shipments;                 ///< All, by order.
  tally concluded;                 ///< By order.
  tally packages;                  ///< All: each line of each order.
  std::uint64_t delivered = 0;     ///< Packages.
  money freight{};
  recent_deliveries deliveries;
  /// Concluded orders. 64: an order does not send `ship_order` after it has confirmed the shipment, and what it has sent
  /// before is handled before the notice is forgotten; so this is for others who repeat it.
  recent<order_key, 64> closed;
  std::uint64_t last_notice = 0;
  std::vector<shipment_notice> untold; ///< Which not everybody has confirmed; by number.
  static constexpr std::string_view journal_name = "shipment_state";
  TROUPE_JSON(shipment_state, last_number, open, shipments, concluded, packages, delivered, freight, deliveries, closed,
              last_notice, untold)
};

struct shipment_query {
  using reply = shipment_state;
};

struct shipment_made {
  order_key order{};
  money freight{};
  moment at{};
  std::vector<product_key> packages;
  static constexpr std::string_view journal_name = "shipment_made";
  TROUPE_JSON(shipment_made, order, freight, at, packages)
};

/// Packages of one shipment.
struct delivered_part {
  std::uint64_t number = 0;
  line_set packages = 0;
  TROUPE_JSON(delivered_part, number, packages)
};
struct packages_delivered {
  transaction_id tid = 0;
  std::vector<delivered_part> parts;
  static constexpr std::string_view journal_name = "packages_delivered";
  TROUPE_JSON(packages_delivered, tid, parts)
};
/// Everybody has confirmed these notices.
struct notices_told {
  std::vector<std::uint64_t> numbers;
  static constexpr std::string_view journal_name = "notices_told";
  TROUPE_JSON(notices_told, numbers)
};

/// To itself: tell what is not told yet.
struct tell_others {};
/// To itself: everybody has confirmed these notices. It comes after what was in the mailbox by then, such as a repeated
/// `ship_order` of an order that has confirmed its shipment since, which is recognised by the notice.
struct others_told {
  std::vector<std::uint64_t> numbers;
};
/// To itself: keep what others have confirmed, if no record has come along with which it was kept.
struct keep_told {};

/// What `deliver_oldest` delivers: of the ten oldest shipments, for each seller, his packages in the oldest of them.
std::vector<delivered_part> deliverable(const std::vector<open_shipment>& open);

/// One partition of the customers' shipments. Tells sellers, customers and orders what happens, each step in its order. What
/// it has to tell is kept with what happened, until they have confirmed it: after a crash of either side it is told again.
/// That they have is kept with the next record, or a moment later.
///
///     ship_order      -           a shipment, now or before; ready_for_shipment is told
///     deliver_oldest  uint32      packages delivered by this transaction, now or before
///     delivery_round  -           the same, then on to the next partition or the desk
///     tell_others     -
///     others_told     -
///     keep_told       -
///     shipment_query  shipment_state
///
/// Keys: the order (all open, the last 64 concluded), the transaction (the last 16 that delivered something).
class shipment final
    : public journaled_actor<shipment, shipment_state, events<shipment_made, packages_delivered, notices_told>,
                             ship_order, deliver_oldest, delivery_round, tell_others, others_told, keep_told,
                             shipment_query> {
public:
  static constexpr std::size_t snapshot_every = 64;

  shipment(std::uint32_t partition, std::shared_ptr<const directory> shop, retry_policy policy = {});

  effect<> on(const ship_order& m);
  effect<std::uint32_t> on(const deliver_oldest& m);
  effect<> on(const delivery_round& m);
  task<void> on(const tell_others&);
  void on(const others_told& m);
  effect<> on(const keep_told&);
  shipment_state on(const shipment_query&) const { return state(); }

  static void apply(shipment_state& s, const shipment_made& e);
  static void apply(shipment_state& s, const packages_delivered& e);
  static void apply(shipment_state& s, const notices_told& e);

private:
  static std::uint32_t size_of(const std::vector<delivered_part>& parts);
  void pass_on(delivery_round m) const;
  std::vector<std::uint64_t> tellable() const;
  bool is_told(std::uint64_t notice) const;
  void note_arrived(const std::vector<std::uint64_t>& notices);
  void begin_to_tell();
  void try_later();
  /// The last thing to do with an effect: keeps with it what others have confirmed, and tells what follows from it.
  template <class Effect>
  Effect and_told(Effect fx);

  const std::shared_ptr<const directory> shop_;
  const retry_policy policy_;
  std::vector<std::uint64_t> telling_; ///< Notices that are being told; ascending.
  std::vector<std::uint64_t> arrived_; ///< Confirmed by the customers, and not yet by all others; ascending.
  std::vector<std::uint64_t> told_;    ///< Confirmed, which the journal does not know yet; ascending.
  bool keeping_ = false;               ///< A keep_told is on its way.
  std::uint64_t again_to_;             ///< Notices up to this one may have been told before.
  growing_pause pauses_;               ///< Before what somebody has not confirmed is told again.
};

} // namespace troupe::commerce
