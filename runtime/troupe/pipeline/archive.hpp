// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

/// How the state of a pipeline is written down and read back: see checkpoint.hpp.
///
/// Numbers, enumerations, times, strings, and optionals, pairs, tuples, variants and containers of what can be written down
/// can be. Any other type says how, for both directions at once:
///
///     struct average {
///       void archive(auto& a) { a(sum, n); }
///       int sum = 0;
///       int n = 0;
///     };
///
/// What refers to something outside itself, such as a pointer or a string_view, cannot be written down. What a container
/// holds can be default-constructed. The bytes are those of this kind of machine.

namespace troupe::pipeline {

/// What was written down cannot be read.
class archive_error : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// How a `T` is written and read: specialised below for what every program has.
template <class T>
struct archived {};

class archive_writer;
class archive_reader;

/// A type that can be written down.
template <class T>
concept archivable = requires(T& x, archive_writer& w, archive_reader& r) {
  archived<T>::write(w, std::as_const(x));
  archived<T>::read(r, x);
};

/// Takes values down, one after the other. Pure.
class archive_writer {
public:
  static constexpr bool reads = false;

  template <class... Ts>
  requires(archivable<Ts>&&...) void operator()(const Ts&... values) { (archived<Ts>::write(*this, values), ...); }

  void bytes(const void* data, std::size_t n) { text_.append(static_cast<const char*>(data), n); }
  std::string take() noexcept { return std::exchange(text_, {}); }

private:
  std::string text_;
};

/// Reads values back, in the same order. Throws archive_error where there are too few bytes, or bytes that mean nothing. Pure.
class archive_reader {
public:
  static constexpr bool reads = true;

  /// `text` is the caller's and outlives this.
  explicit archive_reader(std::string_view text) noexcept : text_{text} {}

  template <class... Ts>
  requires(archivable<Ts>&&...) void operator()(Ts&... values) { (archived<Ts>::read(*this, values), ...); }

  void bytes(void* data, std::size_t n) {
    if (n > text_.size())
      throw archive_error{"it ends in the middle of a value"};
    std::memcpy(data, text_.data(), n);
    text_.remove_prefix(n);
  }

  /// Elements of a container that follow. A number that is out of all proportion is refused before memory is taken for it.
  std::size_t count() {
    std::uint64_t n = 0;
    bytes(&n, sizeof n);
    if (n > text_.size())
      throw archive_error{"it says " + std::to_string(n) + " elements, with " + std::to_string(text_.size()) +
                          " bytes left"};
    return static_cast<std::size_t>(n);
  }

  /// Throws unless everything was read.
  void finish() const {
    if (!text_.empty())
      throw archive_error{std::to_string(text_.size()) + " bytes are left over"};
  }

private:
  std::string_view text_;
};

// -- what every program has ----------------------------------------------------------------------------------------------

template <class T>
requires std::is_arithmetic_v<T> || std::is_enum_v<T>
struct archived<T> {
  static void write(archive_writer& w, T x) { w.bytes(&x, sizeof x); }
  static void read(archive_reader& r, T& x) { r.bytes(&x, sizeof x); }
};

/// Types that say it themselves. Writing changes nothing, though `archive` is not const, as it serves both directions.
template <class T>
requires requires(T& x, archive_writer& w, archive_reader& r) {
  x.archive(w);
  x.archive(r);
}
struct archived<T> {
  static void write(archive_writer& w, const T& x) { const_cast<T&>(x).archive(w); }
  static void read(archive_reader& r, T& x) { x.archive(r); }
};

/// Types without content.
template <class T>
requires std::is_empty_v<T> &&(!requires(T & x, archive_writer& w) { x.archive(w); }) struct archived<T> {
  static void write(archive_writer&, const T&) noexcept {}
  static void read(archive_reader&, T&) noexcept {}
};

template <class Rep, class Period>
struct archived<std::chrono::duration<Rep, Period>> {
  using type = std::chrono::duration<Rep, Period>;
  static void write(archive_writer& w, const type& d) { w(d.count()); }
  static void read(archive_reader& r, type& d) {
    Rep n{};
    r(n);
    d = type{n};
  }
};

template <class Clock, class Duration>
struct archived<std::chrono::time_point<Clock, Duration>> {
  using type = std::chrono::time_point<Clock, Duration>;
  static void write(archive_writer& w, const type& t) { w(t.time_since_epoch()); }
  static void read(archive_reader& r, type& t) {
    Duration d{};
    r(d);
    t = type{d};
  }
};

template <>
struct archived<std::string> {
  static void write(archive_writer& w, const std::string& s) {
    w(std::uint64_t{s.size()});
    w.bytes(s.data(), s.size());
  }
  static void read(archive_reader& r, std::string& s) {
    s.resize(r.count());
    r.bytes(s.data(), s.size());
  }
};

template <archivable A, archivable B>
struct archived<std::pair<A, B>> {
  static void write(archive_writer& w, const std::pair<A, B>& p) { w(p.first, p.second); }
  static void read(archive_reader& r, std::pair<A, B>& p) { r(p.first, p.second); }
};

template <archivable... Ts>
struct archived<std::tuple<Ts...>> {
  static void write(archive_writer& w, const std::tuple<Ts...>& t) {
    std::apply([&](const Ts&... xs) { w(xs...); }, t);
  }
  static void read(archive_reader& r, std::tuple<Ts...>& t) {
    std::apply([&](Ts&... xs) { r(xs...); }, t);
  }
};

template <archivable T>
requires std::default_initializable<T>
struct archived<std::optional<T>> {
  static void write(archive_writer& w, const std::optional<T>& x) {
    w(x.has_value());
    if (x)
      w(*x);
  }
  static void read(archive_reader& r, std::optional<T>& x) {
    bool has = false;
    r(has);
    x.reset();
    if (has)
      r(x.emplace());
  }
};

template <archivable... Ts>
requires(std::default_initializable<Ts>&&...) struct archived<std::variant<Ts...>> {
  using type = std::variant<Ts...>;
  static void write(archive_writer& w, const type& v) {
    w(std::uint64_t{v.index()});
    std::visit([&](const auto& x) { w(x); }, v);
  }
  static void read(archive_reader& r, type& v) {
    std::uint64_t index = 0;
    r(index);
    if (index >= sizeof...(Ts))
      throw archive_error{"a variant has no alternative " + std::to_string(index)};
    read_into(r, v, index, std::index_sequence_for<Ts...>{});
  }

private:
  template <std::size_t... Is>
  static void read_into(archive_reader& r, type& v, std::uint64_t index, std::index_sequence<Is...>) {
    ((index == Is ? r(v.template emplace<Is>()) : void()), ...);
  }
};

template <archivable T, std::size_t N>
struct archived<std::array<T, N>> {
  static void write(archive_writer& w, const std::array<T, N>& all) {
    for (const auto& x : all)
      w(x);
  }
  static void read(archive_reader& r, std::array<T, N>& all) {
    for (auto& x : all)
      r(x);
  }
};

namespace detail {

template <class C>
void write_all(archive_writer& w, const C& all) {
  w(std::uint64_t{all.size()});
  for (const auto& x : all)
    w(x);
}

/// Reads the elements of `all`, each as an `Element`, to its end.
template <class Element, class C>
void read_all(archive_reader& r, C& all) {
  all.clear();
  for (auto n = r.count(); n > 0; --n) {
    Element x{};
    r(x);
    all.insert(all.end(), std::move(x));
  }
}

template <class C, class Element>
struct archived_container {
  static void write(archive_writer& w, const C& all) { write_all(w, all); }
  static void read(archive_reader& r, C& all) { read_all<Element>(r, all); }
};

template <class T>
concept archivable_element = archivable<T> && std::default_initializable<T>;

} // namespace detail

template <detail::archivable_element T>
struct archived<std::vector<T>> : detail::archived_container<std::vector<T>, T> {};
template <detail::archivable_element T>
struct archived<std::deque<T>> : detail::archived_container<std::deque<T>, T> {};
template <detail::archivable_element T, class... Os>
struct archived<std::set<T, Os...>> : detail::archived_container<std::set<T, Os...>, T> {};
template <detail::archivable_element T, class... Os>
struct archived<std::unordered_set<T, Os...>> : detail::archived_container<std::unordered_set<T, Os...>, T> {};
template <detail::archivable_element K, detail::archivable_element V, class... Os>
struct archived<std::map<K, V, Os...>> : detail::archived_container<std::map<K, V, Os...>, std::pair<K, V>> {};
template <detail::archivable_element K, detail::archivable_element V, class... Os>
struct archived<std::unordered_map<K, V, Os...>>
    : detail::archived_container<std::unordered_map<K, V, Os...>, std::pair<K, V>> {};

} // namespace troupe::pipeline
