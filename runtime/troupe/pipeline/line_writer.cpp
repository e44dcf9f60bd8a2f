// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/pipeline/line_writer.hpp>

#include <exception>
#include <span>
#include <stdexcept>
#include <utility>

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
  if (!lost_.empty())
    throw std::runtime_error{lost_};
  try {
    file_->sync();
  } catch (const std::exception& e) {
    lost_ = e.what();
    throw;
  }
}

void growing_file::open() {
  if (!file_)
    cut();
  if (named_)
    return;
  const auto slash = path_.rfind('/');
  files_->sync_directory(slash == std::string::npos ? "." : slash == 0 ? "/" : path_.substr(0, slash));
  named_ = true;
}

void growing_file::cut() {
  auto file = files_->open(path_, open_mode::append);
  if (file->size() < length_)
    throw std::runtime_error{path_ + ": has " + std::to_string(file->size()) + " bytes, and not the " +
                             std::to_string(length_) + " that the last checkpoint speaks of"};
  file->truncate(length_);
  ragged_ = false;
  file_ = std::move(file);
}

} // namespace troupe::pipeline
