// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/keyed_stream.hpp>
#include <troupe/pipeline/zip.hpp>

#include <concepts>
#include <functional>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

/// Where streams meet.

namespace troupe::pipeline {

/// All elements of several streams, as they come; each stream keeps its order. The watermark is the least of theirs.
template <class First, class... More>
requires(std::same_as<typename First::value_type, typename More::value_type>&&...) auto merge(const First& first,
                                                                                              const More&... more) {
  using value = typename First::value_type;
  from_stages<value> head;
  head.inputs.push_back({first.close(), routing::forward, nullptr});
  (head.inputs.push_back({more.close(), routing::forward, nullptr}), ...);
  return stream<from_stages<value>>{std::move(head), {}};
}

template <class S>
auto merge(const std::vector<S>& streams) {
  using value = typename S::value_type;
  detail::require(!streams.empty(), "merge: at least one stream");
  from_stages<value> head;
  for (const auto& s : streams)
    head.inputs.push_back({s.close(), routing::forward, nullptr});
  return stream<from_stages<value>>{std::move(head), {}};
}

namespace detail {

/// Both streams as one, of variants.
template <class L, class R>
auto sides_of(const L& left, const R& right) {
  using l = typename L::value_type;
  using r = typename R::value_type;
  using both = std::variant<l, r>;
  return std::pair{left.map([](const l& x) {
                     return both{std::in_place_index<0>, x};
                   }),
                   right.map([](const r& x) {
                     return both{std::in_place_index<1>, x};
                   })};
}

} // namespace detail

/// The key of a variant of two sides.
template <class KeyL, class KeyR>
struct key_of_side {
  template <class L, class R>
  auto operator()(const std::variant<L, R>& x) const {
    using key = key_of<KeyL, L>;
    static_assert(std::same_as<key, key_of<KeyR, R>>, "the keys of both sides have the same type");
    return x.index() == 0 ? key(std::invoke(left, *std::get_if<0>(&x))) : key(std::invoke(right, *std::get_if<1>(&x)));
  }
  KeyL left;
  KeyR right;
};

/// Two streams by key, as one of variants: `join`, `window_join` and `lookup` follow.
template <class L, class R, class KeyL, class KeyR>
auto both_by_key(const L& left, const R& right, KeyL left_key, KeyR right_key, unsigned instances = 0) {
  using value = std::variant<typename L::value_type, typename R::value_type>;
  using key = key_of_side<KeyL, KeyR>;
  auto [l, r] = detail::sides_of(left, right);
  key by{std::move(left_key), std::move(right_key)};
  auto router = std::make_shared<router_by<value, key>>(by);
  from_stages<value> head{{{l.close(), routing::by_key, router}, {r.close(), routing::by_key, router}}, instances};
  return keyed_stream<from_stages<value>, key>{stream<from_stages<value>>{std::move(head), {}}, std::move(by)};
}

/// Pairs: the first of each stream, the second of each, and so on, as far as the shorter one goes.
template <class L, class R>
auto zip(const L& left, const R& right) {
  using value = std::variant<typename L::value_type, typename R::value_type>;
  auto [l, r] = detail::sides_of(left, right);
  from_stages<value> head{{{l.close(), routing::forward, nullptr}, {r.close(), routing::forward, nullptr}}, 1};
  return stream<from_stages<value>>{std::move(head), {}}.with(
      steps::zip<typename L::value_type, typename R::value_type>{});
}

} // namespace troupe::pipeline
