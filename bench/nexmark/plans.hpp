// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <bench/nexmark/queries.hpp>

/// The queries' pipelines, by what they need, and the loops beside them.

namespace nexmark {

using plan = troupe::pipeline::pipeline_plan;
using target = std::shared_ptr<answer>;

namespace plans {

plan q0(const feed& from, target to);
plan q1(const feed& from, target to);
plan q2(const feed& from, target to);
plan q3(const feed& from, target to);
plan q4(const feed& from, target to);
plan q5(const feed& from, target to);
plan q6(const feed& from, target to);
plan q7(const feed& from, target to);
plan q8(const feed& from, target to);
plan q9(const feed& from, target to);
plan q11(const feed& from, target to);
plan q12e(const feed& from, target to);
plan q14(const feed& from, target to);
plan q15(const feed& from, target to);
plan q16(const feed& from, target to);
plan q17(const feed& from, target to);
plan q18(const feed& from, target to);
plan q19(const feed& from, target to);
plan q20(const feed& from, target to);
plan q21(const feed& from, target to);
plan q22(const feed& from, target to);

} // namespace plans

namespace loops {

digest q0(std::span<const event> events);
digest q1(std::span<const event> events);
digest q2(std::span<const event> events);
digest q3(std::span<const event> events);
digest q4(std::span<const event> events);
digest q5(std::span<const event> events);
digest q6(std::span<const event> events);
digest q7(std::span<const event> events);
digest q8(std::span<const event> events);
digest q9(std::span<const event> events);
digest q11(std::span<const event> events);
digest q12e(std::span<const event> events);
digest q14(std::span<const event> events);
digest q15(std::span<const event> events);
digest q16(std::span<const event> events);
digest q17(std::span<const event> events);
digest q18(std::span<const event> events);
digest q19(std::span<const event> events);
digest q20(std::span<const event> events);
digest q21(std::span<const event> events);
digest q22(std::span<const event> events);

} // namespace loops

/// What is at the end of every query with a bid's own columns, for pipelines and loops.
inline constexpr auto is_bid = [](const event& e) noexcept { return e.what == event::kind::bid; };

/// `build(stream of events)` for the feed's kind of source.
template <class Build>
plan over(const feed& from, Build&& build) {
  const auto time = [](const event& e) { return at_ms(e.time); };
  if (const auto* here = std::get_if<std::span<const event>>(&from.events))
    return build(troupe::pipeline::from(troupe::pipeline::view<event>{*here}).event_times(from.bound, time));
  return build(troupe::pipeline::from(std::get<generated_events>(from.events)).event_times(from.bound, time));
}

/// `build(stream with that key)`. Where there is one worker, the keys stay in the stage at work: a further stage would only
/// cost the way there.
template <class Events, class Key, class Build>
plan by_key(const feed& from, const Events& events, Key key, Build&& build) {
  return from.parts == 1 ? build(events.keyed(key)) : build(events.key_by(key));
}

/// The value of `channel_id=` in a URL.
inline std::optional<std::string_view> channel_id(std::string_view url) noexcept {
  constexpr std::string_view name = "channel_id=";
  for (auto at = url.find(name); at != std::string_view::npos; at = url.find(name, at + 1)) {
    if (at > 0 && url[at - 1] != '&' && url[at - 1] != '?')
      continue;
    const auto value = url.substr(at + name.size());
    return value.substr(0, value.find('&'));
  }
  return std::nullopt;
}

/// The channel's number, by its name or by the URL.
inline std::optional<std::string_view> channel_number(const bid& b) noexcept {
  const auto is = [&](std::string_view name) {
    return b.channel.size() == name.size() && std::ranges::equal(b.channel, name, [](char x, char y) {
             return (x >= 'A' && x <= 'Z' ? static_cast<char>(x - 'A' + 'a') : x) == y;
           });
  };
  if (is("apple"))
    return "0";
  if (is("google"))
    return "1";
  if (is("facebook"))
    return "2";
  if (is("baidu"))
    return "3";
  return channel_id(b.url);
}

/// The part of a URL between its `n`-th slash and the next one, from 0; empty if there is none.
inline std::string_view directory(std::string_view url, int n) noexcept {
  for (; n > 0; --n) {
    const auto slash = url.find('/');
    if (slash == std::string_view::npos)
      return {};
    url.remove_prefix(slash + 1);
  }
  return url.substr(0, url.find('/'));
}

/// 0, 1 or 2: cheap, middling, dear.
inline int rank_of(std::int64_t price) noexcept { return price < 10'000 ? 0 : price < 1'000'000 ? 1 : 2; }

/// `2015-07-15`.
inline std::string day_of(std::int64_t ms) {
  const std::chrono::year_month_day d{std::chrono::floor<std::chrono::days>(
      std::chrono::sys_time<std::chrono::milliseconds>{std::chrono::milliseconds{ms}})};
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(d.year()), static_cast<unsigned>(d.month()),
                static_cast<unsigned>(d.day()));
  return text;
}

} // namespace nexmark
