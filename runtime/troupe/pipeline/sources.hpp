// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/cursor.hpp>
#include <troupe/pipeline/inbox.hpp>
#include <troupe/pipeline/line_reader.hpp>
#include <troupe/pipeline/stream.hpp>

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

/// Where streams begin.

namespace troupe::pipeline {

/// A source that reads from a cursor.
template <cursor C>
auto from(C c) {
  return stream<from_cursors<C>>{from_cursors<C>{{std::move(c)}, 1}, {}};
}

/// A source with one instance for each cursor: partitions, each in its order.
template <cursor C>
auto from(std::vector<C> cursors) {
  detail::require(!cursors.empty(), "from: at least one cursor");
  const auto n = static_cast<unsigned>(cursors.size());
  return stream<from_cursors<C>>{from_cursors<C>{std::move(cursors), n}, {}};
}

/// A source with these elements.
template <class T>
auto from_values(std::vector<T> all) {
  return from(values<T>{std::move(all)});
}

/// A source with what `next(state)` returns, until that is empty. `next` must depend on nothing but `state`.
template <class State, class F>
auto generate(State state, F next) {
  return from(generator<State, F>{std::move(state), std::move(next)});
}

/// A source with what `parse(line)` makes of the lines of a file. Throws request_error if there is no such file.
template <class F = whole_line>
requires std::is_invocable_v<const F&, std::string_view>
auto from_lines(std::string path, F parse = {}, line_options options = {}) {
  detail::require(options.longest >= 1, "line_options.longest must be at least 1");
  if (!options.files->exists(path))
    detail::require_valid("from_lines: there is no file '" + path + "'");
  return from(lines<F>{std::move(path), std::move(parse), std::move(options)});
}

/// A source that others fill.
template <class T>
auto from(const inbox<T>& box) {
  return stream<from_inbox<T>>{from_inbox<T>{box}, {}};
}

} // namespace troupe::pipeline
