// SPDX-License-Identifier: BSD-3-Clause
#include "desk.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace market_data {

desk::desk(const std::vector<named_source>& sources, desk_options options) : options_{options} {
  for (const auto& s : sources)
    lines_.push_back({s, troupe::circuit_breaker{options.breaker}});
}

troupe::task<quote> desk::on(const quote_request& r) {
  const rate_query query{r.from, r.to, r.day};
  quote q;
  std::vector<std::optional<attempt>> attempts;
  for (auto& l : lines_) {
    q.answers.push_back({l.source.name, source_answer::kind::refused, std::nullopt, 0});
    budget_.request();
    ++figures_.first_attempts;
    attempts.push_back(try_ask(l, query, q.answers.back()));
  }
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    auto& answer = q.answers[i];
    while (attempts[i]) {
      const auto ticket = attempts[i]->ticket;
      const auto got = co_await attempts[i]->answer.outcome();
      attempts[i].reset();
      if (got) {
        lines_[i].breaker.succeeded(ticket);
        answer.what = *got ? source_answer::kind::rate : source_answer::kind::no_rate;
        answer.value = *got;
        break;
      }
      lines_[i].breaker.failed(ticket, now());
      ++figures_.failures;
      answer.what = source_answer::kind::failed;
      if (answer.attempts < options_.attempts_most && budget_.try_retry()) {
        ++figures_.retries;
        attempts[i] = try_ask(lines_[i], query, answer);
      }
    }
  }
  reconcile(q);
  co_return q;
}

std::optional<desk::attempt> desk::try_ask(line& to, const rate_query& query, source_answer& answer) {
  const auto permit = to.breaker.try_call(now());
  if (!permit.allowed) {
    ++figures_.refusals;
    return std::nullopt;
  }
  ++answer.attempts;
  return attempt{permit.ticket, to.source.at.ask(query, options_.attempt_timeout)};
}

void desk::reconcile(quote& q) const {
  std::size_t rates = 0;
  bool agreed = true;
  for (const auto& a : q.answers) {
    q.partial = q.partial || a.what == source_answer::kind::failed || a.what == source_answer::kind::refused;
    if (!a.value)
      continue;
    ++rates;
    if (!q.rate)
      q.rate = a.value->rate;
    agreed = agreed && std::abs(a.value->rate / *q.rate - 1) <= options_.tolerance;
  }
  if (rates > 0)
    q.how = rates == 1 ? quote::verdict::single : agreed ? quote::verdict::agreed : quote::verdict::disputed;
}

} // namespace market_data
