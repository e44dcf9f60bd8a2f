// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/batch.hpp>
#include <troupe/seams.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace troupe::pipeline {

/// The end of a file that grows by whole pieces, and of which it is known how long it is. Copies are for plans: only one is
/// written to. Threads: one at a time.
class growing_file {
public:
  growing_file(std::string path, std::shared_ptr<file_system> files)
      : path_{std::move(path)}, files_{std::move(files)} {}

  /// Adds `bytes`. After an error, nothing was added. Throws std::system_error naming the path.
  void append(const std::string& bytes);
  /// Makes what was added last over a failure of the machine. After an error nobody knows whether it does, so that all further
  /// calls throw, too.
  void sync();

  /// Bytes. When a value was read here, what the file has beyond that is cut off before anything is added.
  void archive(auto& a) { a(length_); }

private:
  void open();
  /// Opens the file, which has `length_` bytes then.
  void cut();

  std::string path_;
  std::shared_ptr<file_system> files_;
  std::shared_ptr<file> file_{};
  std::uint64_t length_ = 0;
  bool ragged_ = true; // the file may be longer than that
  bool named_ = false; // its name is on the disk
  std::string lost_{}; // what a sync threw
};

namespace steps {

/// Writes `to_line(x)` and the end of a line for each element, into a file that it replaces: once, also if the process ends
/// and goes on from a checkpoint.
template <class In, class F>
class write_lines {
public:
  static constexpr const char* name = "write_lines";
  template <class>
  using output = nothing;

  write_lines(std::string path, F to_line, std::shared_ptr<file_system> files)
      : to_line_{std::move(to_line)}, file_{std::move(path), std::move(files)} {}

  template <class X, class Next>
  void on(X&& x, Next&&) {
    staged_ += std::invoke(to_line_, std::as_const(x));
    staged_ += '\n';
  }

  void commit() {
    ready_ += staged_;
    staged_.clear();
  }
  void rollback() { staged_.clear(); }

  void run_effects() {
    file_.append(ready_);
    ready_.clear();
  }

  void prepare_archive() { file_.sync(); }
  void archive(auto& a) { file_.archive(a); }

private:
  F to_line_;
  growing_file file_;
  std::string staged_; // of the batch at work
  std::string ready_;  // of those before
};

} // namespace steps

} // namespace troupe::pipeline
