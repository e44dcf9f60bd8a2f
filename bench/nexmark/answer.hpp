// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/pipeline.hpp>

#include <bit>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace nexmark {

/// What stands for an answer where its rows are not wanted: how many there are, and a sum over them that does not depend on
/// their order.
struct digest {
  std::uint64_t rows = 0;
  std::uint64_t sum = 0;
  friend bool operator==(const digest&, const digest&) = default;
};

namespace detail {

inline std::uint64_t number_of(std::int64_t x) noexcept { return static_cast<std::uint64_t>(x); }
inline std::uint64_t number_of(std::uint64_t x) noexcept { return x; }
inline std::uint64_t number_of(int x) noexcept { return static_cast<std::uint64_t>(x); }
/// Its length and its last bytes.
inline std::uint64_t number_of(std::string_view x) noexcept {
  std::uint64_t tail = 0;
  const auto n = x.size() < 8 ? x.size() : 8;
  std::memcpy(&tail, x.data() + x.size() - n, n);
  return tail + x.size();
}

inline void append(std::string& row, std::string_view x) { row += x; }
inline void append(std::string& row, std::int64_t x) { row += std::to_string(x); }
inline void append(std::string& row, std::uint64_t x) { row += std::to_string(x); }
inline void append(std::string& row, int x) { row += std::to_string(x); }

} // namespace detail

template <class... Fields>
void add_to(digest& d, const std::tuple<Fields...>& row) noexcept {
  std::uint64_t h = 0;
  std::apply([&](const Fields&... f) { ((h = (std::rotl(h, 23) ^ detail::number_of(f)) * 0x9e3779b97f4a7c15), ...); },
             row);
  ++d.rows;
  d.sum += h ^ (h >> 29);
}

/// The fields of a row, joined with `|`.
template <class... Fields>
std::string to_row(const std::tuple<Fields...>& row) {
  std::string text;
  const char* before = "";
  std::apply([&](const Fields&... f) { ((text += std::exchange(before, "|"), detail::append(text, f)), ...); }, row);
  return text;
}

/// Where the sinks of a query put its answer. Threads: any.
struct answer {
  explicit answer(bool with_rows) : wants_rows{with_rows} {}

  void add(const digest& d) {
    std::lock_guard lock{mutex};
    total.rows += d.rows;
    total.sum += d.sum;
  }

  const bool wants_rows; ///< Else only the digest.
  troupe::pipeline::collection<std::string> rows;
  std::mutex mutex; // leaf lock
  digest total;
};

/// The sink of all queries: rows are tuples.
class answer_sink {
public:
  static constexpr const char* name = "answer";
  template <class>
  using output = troupe::pipeline::nothing;

  explicit answer_sink(std::shared_ptr<answer> to) : to_{std::move(to)} {}

  template <class Row, class Next>
  [[gnu::always_inline]] void on(const Row& row, Next&&) {
    if (to_->wants_rows)
      rows_.push_back(to_row(row));
    else
      add_to(digest_, row);
  }

  template <class Next>
  void on_end(Next&&) {
    ended_ = true;
  }

  void commit() {
    if (!rows_.empty()) {
      to_->rows.append(rows_);
      rows_.clear();
    }
    committed_ = digest_;
    if (std::exchange(ended_, false))
      to_->add(digest_);
  }

  void rollback() {
    rows_.clear();
    digest_ = committed_;
    ended_ = false;
  }

private:
  std::shared_ptr<answer> to_;
  std::vector<std::string> rows_;
  digest digest_;
  digest committed_;
  bool ended_ = false;
};

} // namespace nexmark
