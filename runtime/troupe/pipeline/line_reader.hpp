// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/assignable.hpp>
#include <troupe/seams.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace troupe::pipeline {

/// A line of a file cannot be read. The text begins with `path:line: `, lines counted from 1.
class line_error : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

struct line_options {
  /// Bytes; a longer line is an error. At least 1.
  std::size_t longest = 1 << 20;
  std::shared_ptr<file_system> files = production_files();
};

/// A file, line by line, from any offset on. Holds the lines asked for since `keep`, and a little more. Reads forward: going
/// back behind what it holds means reading from the start again. Threads: one at a time.
class line_file {
public:
  line_file(std::string path, line_options options);

  /// The line that begins at `offset`, without its end (`\n` or `\r\n`, which the last may lack), and how many bytes it has
  /// with it; nothing at the end of the file. `keep`, at most `offset`, is where the caller may go back to; `number` is for
  /// errors. The text is valid until the next call. Throws line_error, or std::system_error naming the path.
  struct line {
    std::string_view text;
    std::size_t bytes;
  };
  std::optional<line> at(std::uint64_t offset, std::uint64_t keep, std::uint64_t number);

  /// Where the line behind the one that begins at `offset` begins, however long that is; nothing at the end of the file. What
  /// is held begins there afterwards. Throws std::system_error naming the path.
  std::optional<std::uint64_t> behind(std::uint64_t offset);

  std::string place(std::uint64_t number) const { return path_ + ':' + std::to_string(number) + ": "; }

private:
  void open();
  /// More of the file behind what is held, of which nothing before `keep` is needed. False: that was all.
  bool read_on(std::uint64_t keep);

  std::string path_;
  line_options options_;
  std::unique_ptr<file> file_;
  std::string held_;
  std::uint64_t begin_ = 0; // of what is held, in the file
};

/// What `parse(line)` makes of the lines of a file: a cursor. What `parse` throws comes out as a line_error, with the place.
///
/// Memory: the lines of a batch. The position is an offset, so that a run can go on in the middle of the file; the file must
/// not change meanwhile, but at its end.
template <class F>
class lines {
public:
  using value_type = std::remove_cvref_t<std::invoke_result_t<const F&, std::string_view>>;

  lines(std::string path, F parse, line_options options = {})
      : path_{std::move(path)}, parse_{std::move(parse)}, options_{std::move(options)} {}

  template <class Emit>
  bool pull(std::size_t n, Emit&& emit) {
    for (const auto keep = offset_; n > 0; --n) {
      const auto l = file().at(offset_, keep, number_);
      if (!l)
        return false;
      emit(parsed(l->text));
      pass(offset_ + l->bytes);
    }
    return true;
  }

  bool skip() {
    const auto next = file().behind(offset_);
    if (next)
      pass(*next);
    return next.has_value();
  }

  void archive(auto& a) { a(offset_, number_); }

private:
  line_file& file() {
    if (!file_)
      file_ = std::make_shared<line_file>(path_, options_);
    return *file_;
  }

  value_type parsed(std::string_view text) const {
    try {
      return parse_(text);
    } catch (const std::exception& e) {
      throw line_error{file_->place(number_) + e.what()};
    }
  }

  void pass(std::uint64_t next) noexcept {
    offset_ = next;
    ++number_;
  }

  std::string path_;
  assignable<F> parse_;
  line_options options_;
  std::shared_ptr<line_file> file_; // shared by the copies of one run only: it is opened when the run first reads
  std::uint64_t offset_ = 0;
  std::uint64_t number_ = 1;
};

/// A line as it is.
struct whole_line {
  std::string operator()(std::string_view text) const { return std::string{text}; }
};

} // namespace troupe::pipeline
