// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct pg_result;

namespace troupe {

/// The parameters of one statement, as text.
class postgres_parameters {
public:
  template <class... Args>
  explicit postgres_parameters(const Args&... args) {
    values_.reserve(sizeof...(Args));
    (add(args), ...);
  }

  int count() const noexcept { return static_cast<int>(values_.size()); }
  /// Valid until this changes or goes.
  std::vector<const char*> pointers() const;
  std::size_t bytes() const noexcept;

private:
  void add(std::string_view text) { values_.emplace_back(std::string{text}); }
  void add(const std::string& text) { values_.emplace_back(text); }
  void add(std::int64_t n) { values_.emplace_back(std::to_string(n)); }
  void add(std::uint64_t n) { values_.emplace_back(std::to_string(n)); }
  void add(std::uint32_t n) { values_.emplace_back(std::to_string(n)); }
  void add(int n) { values_.emplace_back(std::to_string(n)); }
  void add(const std::optional<std::int64_t>& n) {
    if (n)
      add(*n);
    else
      values_.emplace_back();
  }

  std::vector<std::optional<std::string>> values_;
};

/// A parameter that is an array of one dimension, without nulls, in PostgreSQL's binary format.
class postgres_array {
public:
  /// Of its elements, by their numbers in pg_type.
  enum class type : std::int32_t { bigint = 20, integer = 23, text = 25, json = 114 };
  explicit postgres_array(type elements);

  void add(std::int64_t bigint);
  void add(std::int32_t integer);
  void add(std::string_view text_or_json);
  void clear();

  bool empty() const noexcept { return count_ == 0; }
  /// Valid until this changes or goes.
  std::string_view bytes() const noexcept { return bytes_; }

private:
  void put(std::int32_t n, std::size_t at);
  void begin_element(std::size_t bytes);

  std::int32_t count_ = 0;
  std::string bytes_;
};

/// A row of a result. Valid during the call that shows it.
class postgres_row {
public:
  postgres_row(const pg_result* r, int row) noexcept : result_{r}, row_{row} {}
  std::string_view text(int column) const noexcept;
  std::int64_t number(int column) const noexcept;
  std::uint64_t count(int column) const noexcept { return static_cast<std::uint64_t>(number(column)); }
  bool null(int column) const noexcept;

private:
  const pg_result* result_;
  int row_;
};

} // namespace troupe
