// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/pipeline/line_writer.hpp>

#include <span>
#include <stdexcept>

namespace troupe::pipeline {

void growing_file::append(const std::string& bytes) {
  open();
  if (bytes.empty())
    return;
  if (ragged_)
    file_->truncate(length_);
  ragged_ = true;
  file_->write(std::as_bytes(std::span{bytes}));
  ragged_ = false;
  length_ += bytes.size();
}

void growing_file::sync() {
  open();
  file_->sync();
}

void growing_file::open() {
  if (file_)
    return;
  const bool is_new = !files_->exists(path_);
  file_ = files_->open(path_, open_mode::append);
  if (file_->size() < length_)
    throw std::runtime_error{path_ + ": has " + std::to_string(file_->size()) + " bytes, and not the " +
                             std::to_string(length_) + " that the last checkpoint speaks of"};
  file_->truncate(length_);
  ragged_ = false;
  if (is_new) {
    const auto slash = path_.rfind('/');
    files_->sync_directory(slash == std::string::npos ? "." : slash == 0 ? "/" : path_.substr(0, slash));
  }
}

} // namespace troupe::pipeline
