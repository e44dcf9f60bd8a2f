// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/cell.hpp>
#include <troupe/supervision/child_list.hpp>
#include <troupe/supervision/supervisor_core.hpp>

#include <mutex>

namespace troupe::detail {

child_list::entry child_list::add(cell& child, std::size_t most) {
  std::unique_lock guard{lock_};
  if (!open_)
    return entry::closed;
  if (size_ >= most)
    return entry::full;
  link(child);
  return entry::added;
}

void child_list::close() {
  std::unique_lock guard{lock_};
  open_ = false;
}

child_list::removal child_list::remove(cell& child, const ledger& closing, cell& home) {
  std::unique_lock guard{lock_};
  if (child.listed_in != this)
    return removal::elsewhere;
  unlink(child);
  gone_ += closing;
  if (!notices_ && !child.options().spec.significant)
    return removal::unnoticed;
  home.retain(); // under the lock: the supervisor may end as soon as its list is empty
  return removal::noticed;
}

void child_list::notice(bool all) {
  std::unique_lock guard{lock_};
  notices_ = all;
}

bool child_list::notice(const cell& child) {
  std::unique_lock guard{lock_};
  notices_ = true; // under the same lock: as in all_noticed
  return child.listed_in == this;
}

std::vector<cell_pointer> child_list::all_noticed() {
  std::unique_lock guard{lock_};
  notices_ = true; // under the same lock: of each child in the result, the end is noticed
  return counted();
}

void child_list::give_up(cell& child) {
  std::unique_lock guard{lock_};
  if (child.listed_in == this && !child.given_up) {
    child.given_up = true;
    ++given_up_;
  }
}

bool child_list::settled() const {
  std::unique_lock guard{lock_};
  return size_ == given_up_;
}

void child_list::move_to(child_list& top, cell& home) {
  // Both locks: whoever adds up the books from the top sees a child in one list or the other.
  std::unique_lock above{top.lock_};
  std::unique_lock guard{lock_};
  while (auto* c = first_) {
    unlink(*c);
    top.link(*c);
    home.retain();
  }
}

std::vector<cell_pointer> child_list::all() const {
  std::unique_lock guard{lock_};
  return counted();
}

std::size_t child_list::size() const {
  std::unique_lock guard{lock_};
  return size_;
}

std::size_t child_list::significant() const {
  std::unique_lock guard{lock_};
  std::size_t n = 0;
  for (const auto* c = first_; c != nullptr; c = c->next_sibling)
    n += c->options().spec.significant;
  return n;
}

ledger child_list::books() const {
  std::unique_lock guard{lock_};
  auto sum = gone_;
  for (const auto* c = first_; c != nullptr; c = c->next_sibling)
    sum += c->supervisor() != nullptr ? c->supervisor()->books() : c->lane_books();
  return sum;
}

void child_list::link(cell& child) noexcept {
  child.listed_in = this;
  child.previous_sibling = last_;
  child.next_sibling = nullptr;
  (last_ != nullptr ? last_->next_sibling : first_) = &child;
  last_ = &child;
  ++size_;
  given_up_ += child.given_up;
}

void child_list::unlink(cell& child) noexcept {
  child.listed_in = nullptr;
  (child.previous_sibling != nullptr ? child.previous_sibling->next_sibling : first_) = child.next_sibling;
  (child.next_sibling != nullptr ? child.next_sibling->previous_sibling : last_) = child.previous_sibling;
  --size_;
  given_up_ -= child.given_up;
}

std::vector<cell_pointer> child_list::counted() const {
  std::vector<cell_pointer> result;
  result.reserve(size_);
  for (auto* c = first_; c != nullptr; c = c->next_sibling)
    result.emplace_back(*c);
  return result;
}

} // namespace troupe::detail
