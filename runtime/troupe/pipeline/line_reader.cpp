// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/pipeline/line_reader.hpp>

#include <algorithm>
#include <span>
#include <utility>

namespace troupe::pipeline {

namespace {

constexpr std::size_t chunk = 64 * 1024;

} // namespace

line_file::line_file(std::string path, line_options options) : path_{std::move(path)}, options_{std::move(options)} {
  open();
}

void line_file::open() {
  file_ = options_.files->open(path_, open_mode::read);
  held_.clear();
  begin_ = 0;
}

std::optional<line_file::line> line_file::at(std::uint64_t offset, std::uint64_t keep, std::uint64_t number) {
  if (keep < begin_)
    open();
  while (begin_ + held_.size() <= offset) {
    if (!read_on(keep))
      return std::nullopt;
  }
  bool more = true;
  for (std::size_t seen = 0;;) {
    const auto start = static_cast<std::size_t>(offset - begin_);
    const auto end = held_.find('\n', start + seen);
    const bool has_end = end != std::string::npos;
    const auto length = (has_end ? end : held_.size()) - start;
    if (length > options_.longest)
      throw line_error{place(number) + "longer than " + std::to_string(options_.longest) + " bytes"};
    if (!has_end && more) {
      seen = length;
      more = read_on(keep);
      continue;
    }
    auto text = std::string_view{held_}.substr(start, length);
    if (text.ends_with('\r'))
      text.remove_suffix(1);
    return line{text, length + (has_end ? 1 : 0)};
  }
}

std::optional<std::uint64_t> line_file::behind(std::uint64_t offset) {
  if (offset < begin_)
    open();
  for (auto at = offset;; at = begin_ + held_.size()) {
    while (begin_ + held_.size() <= at)
      if (!read_on(at))
        return at == offset ? std::nullopt : std::optional{at};
    if (const auto end = held_.find('\n', static_cast<std::size_t>(at - begin_)); end != std::string::npos)
      return begin_ + end + 1;
  }
}

bool line_file::read_on(std::uint64_t keep) {
  const auto past = std::min<std::uint64_t>(keep - begin_, held_.size());
  held_.erase(0, static_cast<std::size_t>(past));
  begin_ += past;
  const auto before = held_.size();
  held_.resize(before + chunk);
  const auto n = file_->read(std::as_writable_bytes(std::span{held_}.subspan(before)));
  held_.resize(before + n);
  return n > 0;
}

} // namespace troupe::pipeline
