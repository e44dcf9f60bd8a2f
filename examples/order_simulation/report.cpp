// SPDX-License-Identifier: BSD-3-Clause
#include "report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <string_view>
#include <utility>

namespace order_simulation {

namespace {

using json = nlohmann::ordered_json;

double finite(double value) { return std::isfinite(value) ? value : 0.0; }

/// Digits in groups of three: 1,234,567.
template <class Integer>
std::string grouped(Integer value) {
  std::string digits = fmt::format("{}", value);
  const std::size_t first = value < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3;)
    digits.insert(at -= 3, 1, ',');
  return digits;
}

std::string rounded(double value) { return grouped(std::llround(std::clamp(finite(value), -9e15, 9e15))); }

/// Thousandths as an amount with three decimals.
std::string amount(std::int64_t milli) {
  const std::int64_t rest = milli % 1000;
  return fmt::format("{}{}.{:03}", milli < 0 && milli > -1000 ? "-" : "", grouped(milli / 1000),
                     rest < 0 ? -rest : rest);
}

json replay_json(const replay_outcome& r) {
  const bool by_line = r.rule == replay_rule::line;
  json j;
  j["rule"] = by_line ? "line" : "order";
  j["opening_stock"] = r.opening_stock;
  j[by_line ? "accepted_lines" : "accepted_orders"] = r.accepted;
  j[by_line ? "rejected_lines" : "rejected_orders"] = r.rejected;
  j["accepted_units"] = r.accepted_units;
  if (by_line)
    j["rejected_units"] = r.rejected_units;
  j["accepted_amount_milli"] = r.accepted_amount_milli;
  j["returned_units"] = r.returned_units;
  j["codes"] = r.codes;
  j["final_total_available"] = r.final_total_available;
  j["final_stock_sha256"] = r.final_stock_sha256;
  return j;
}

/// Collects the lines of the report for a person: titles, and pairs of a name and a value under them.
class page {
public:
  explicit page(bool colored) : colored_{colored} {}

  void title(std::string_view text) { append("\n{}{}{}\n", code("\033[1m"), text, code("\033[0m")); }
  void entry(std::string_view name, std::string_view value) { append("  {:<22}{:>18}\n", name, value); }
  void note(std::string_view text) { append("  {}\n", text); }

  void verdict(bool good, std::string_view yes, std::string_view no, std::string_view rest) {
    append("  {}{:<8}{}{}\n", code(good ? "\033[32m" : "\033[1;31m"), good ? yes : no, code("\033[0m"), rest);
  }

  template <class... Values>
  void append(fmt::format_string<Values...> format, Values&&... values) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Values>(values)...);
  }

  std::string take() { return std::move(text_); }

private:
  std::string_view code(std::string_view escape) const { return colored_ ? escape : std::string_view{}; }

  bool colored_;
  std::string text_;
};

void append_replay(page& out, const replay_outcome& r) {
  const bool by_line = r.rule == replay_rule::line;
  out.title(fmt::format("Replay by {}, opening stock {}", by_line ? "line" : "order", grouped(r.opening_stock)));
  out.entry(by_line ? "accepted lines" : "accepted orders", grouped(r.accepted));
  out.entry(by_line ? "rejected lines" : "rejected orders", grouped(r.rejected));
  out.entry("accepted units", grouped(r.accepted_units));
  if (by_line)
    out.entry("rejected units", grouped(r.rejected_units));
  out.entry("accepted amount", amount(r.accepted_amount_milli));
  out.entry("returned units", grouped(r.returned_units));
  out.entry("stock codes", grouped(r.codes));
  out.entry("final total available", grouped(r.final_total_available));
  out.note("final stock sha256    " + r.final_stock_sha256);
}

void append_latencies(page& out, const std::vector<latency_figures>& latencies) {
  if (latencies.empty())
    return;
  std::size_t width = 22;
  for (const latency_figures& l : latencies)
    width = std::max(width, l.transaction.size() + 1);
  out.title("Latency in ms");
  out.append("  {:<{}}{:>10}{:>10}{:>10}{:>10}{:>10}\n", "", width, "p50", "p90", "p99", "p99.9", "max");
  for (const latency_figures& l : latencies)
    out.append("  {:<{}}{:>10.3f}{:>10.3f}{:>10.3f}{:>10.3f}{:>10.3f}\n", l.transaction, width, finite(l.p50),
               finite(l.p90), finite(l.p99), finite(l.p999), finite(l.max));
}

} // namespace

latency_figures figures_of(std::string transaction, const troupe::analytics::latency_histogram& latencies) {
  const auto ms = [](std::chrono::microseconds us) { return static_cast<double>(us.count()) / 1000.0; };
  return {std::move(transaction),       ms(latencies.value_at(0.5)),   ms(latencies.value_at(0.9)),
          ms(latencies.value_at(0.99)), ms(latencies.value_at(0.999)), ms(latencies.max())};
}

bool report::holds() const {
  return std::all_of(invariants.begin(), invariants.end(), [](const invariant& i) { return i.holds; });
}

std::string to_json(const report& r) {
  json j;
  j["scenario"] = r.scenario;
  j["seed"] = r.seed;
  j["workers"] = r.workers;
  j["journal"] = {{"store", r.journal}, {"process", r.life}, {"resumed", r.life > 1}};
  j["elapsed_s"] = finite(r.elapsed_s);
  j["orders"] = {{"submitted", r.orders.submitted},
                 {"completed", r.orders.completed},
                 {"rejected", r.orders.rejected},
                 {"failed", r.orders.failed},
                 {"in_flight", r.orders.in_flight}};
  j["throughput"] = {{"transactions_per_s", finite(r.throughput.transactions_per_s)},
                     {"orders_per_s", finite(r.throughput.orders_per_s)},
                     {"messages_per_s", finite(r.throughput.messages_per_s)}};
  j["latency_ms"] = json::object();
  for (const latency_figures& l : r.latency_ms)
    j["latency_ms"][l.transaction] = {{"p50", finite(l.p50)},
                                      {"p90", finite(l.p90)},
                                      {"p99", finite(l.p99)},
                                      {"p999", finite(l.p999)},
                                      {"max", finite(l.max)}};
  j["messages"] = {{"accepted", r.messages.accepted},       {"handled", r.messages.handled},
                   {"expired", r.messages.expired},         {"dropped", r.messages.dropped},
                   {"quarantined", r.messages.quarantined}, {"queued", r.messages.queued}};
  j["supervision"] = {{"crashes_injected", r.supervision.crashes_injected},
                      {"restarts", r.supervision.restarts},
                      {"escalations", r.supervision.escalations}};
  j["invariants"] = json::array();
  for (const invariant& i : r.invariants)
    j["invariants"].push_back({{"name", i.name}, {"holds", i.holds}, {"checked", i.checked}});
  if (r.replay)
    j["replay"] = replay_json(*r.replay);
  if (r.analytics)
    j["analytics"] = to_json(*r.analytics);
  return j.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

std::string to_text(const report& r, bool colored) {
  page out{colored};
  out.title(fmt::format("Order simulation: {}, {} s, {} worker{}, seed {}", r.scenario,
                        fmt::format("{:.2f}", finite(r.elapsed_s)), r.workers, r.workers == 1 ? "" : "s", r.seed));
  out.note("journal " + r.journal + (r.life > 1 ? fmt::format(", resumed: process {} of the run", r.life) : ""));
  out.title("Orders");
  out.entry("submitted", grouped(r.orders.submitted));
  out.entry("completed", grouped(r.orders.completed));
  out.entry("rejected", grouped(r.orders.rejected));
  out.entry("failed", grouped(r.orders.failed));
  out.entry("in flight", grouped(r.orders.in_flight));
  out.title("Throughput per second");
  out.entry("transactions", rounded(r.throughput.transactions_per_s));
  out.entry("orders", rounded(r.throughput.orders_per_s));
  out.entry("messages", rounded(r.throughput.messages_per_s));
  append_latencies(out, r.latency_ms);
  out.title("Messages");
  out.entry("accepted", grouped(r.messages.accepted));
  out.entry("handled", grouped(r.messages.handled));
  out.entry("expired", grouped(r.messages.expired));
  out.entry("dropped", grouped(r.messages.dropped));
  out.entry("quarantined", grouped(r.messages.quarantined));
  out.entry("queued", grouped(r.messages.queued));
  out.title("Supervision");
  out.entry("crashes injected", grouped(r.supervision.crashes_injected));
  out.entry("restarts", grouped(r.supervision.restarts));
  out.entry("escalations", grouped(r.supervision.escalations));
  if (r.replay)
    append_replay(out, *r.replay);
  for (const text_section& s : r.analytics ? to_text(*r.analytics) : std::vector<text_section>{}) {
    out.title(s.title);
    for (const std::string& line : s.lines)
      out.note(line);
  }
  if (!r.notes.empty()) {
    out.title("Notes");
    for (const std::string& line : r.notes)
      out.note(line);
  }
  if (r.skipped_rows > 0) {
    out.title("Input");
    out.entry("skipped rows", grouped(r.skipped_rows));
    out.note("first: " + r.first_skipped);
  }
  out.title("Invariants");
  for (const invariant& i : r.invariants)
    out.verdict(i.holds, "holds", "BROKEN", fmt::format("{} ({} checked)", i.name, grouped(i.checked)));
  return out.take();
}

} // namespace order_simulation
