// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/error.hpp>
#include <troupe/testing/slow_store.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace troupe::detail {

namespace {

/// A value of a record, on its own.
struct kept_record {
  explicit kept_record(const journal_record& r) : type{r.type}, value{r.type->copy(r.value)} {}
  journal_record record() const noexcept { return {type, value.get()}; }

  const journal_type* type;
  std::shared_ptr<const void> value;
};

/// An append that outlives what it was made of.
class kept_append {
public:
  explicit kept_append(const journal_append& a)
      : settled_{a.settled.begin(), a.settled.end()}, forgotten_{a.forgotten.begin(), a.forgotten.end()} {
    if (a.handled) {
      sender_ = a.handled->sender;
      handled_ = {sender_, a.handled->sequence};
    }
    for (const auto& e : a.events)
      events_.emplace_back(e);
    for (const auto& s : a.sends)
      sends_.push_back({s.sequence, std::string{s.target}, kept_record{s.message}, s.due, std::string{s.timer}});
  }
  kept_append(const kept_append&) = delete;
  kept_append& operator=(const kept_append&) = delete;

  void hand_to(journal& j) const {
    std::vector<journal_record> events;
    for (const auto& e : events_)
      events.push_back(e.record());
    std::vector<outbound> sends;
    for (const auto& s : sends_)
      sends.push_back({s.sequence, s.target, s.message.record(), s.due, s.timer});
    std::exception_ptr failure;
    const auto status = j.append({handled_, events, sends, settled_, forgotten_}, [&failure]() -> journal::completion {
      return [&failure](std::exception_ptr e) { failure = std::move(e); };
    });
    if (status == journal::status::pending)
      throw usage_error{"a simulation's store must write before `append` returns: give it no threads"};
    if (failure)
      std::rethrow_exception(failure);
  }

private:
  struct send {
    std::uint64_t sequence;
    std::string target;
    kept_record message;
    std::optional<wall_time_point> due;
    std::string timer;
  };

  std::string sender_;
  std::optional<inbound> handled_;
  std::vector<kept_record> events_;
  std::vector<send> sends_;
  std::vector<std::uint64_t> settled_;
  std::vector<std::string> forgotten_;
};

} // namespace

class slow_store::stream final : public journal {
public:
  stream(std::shared_ptr<slow_store> owner, std::shared_ptr<journal> behind)
      : owner_{std::move(owner)}, behind_{std::move(behind)} {}

  status append(const journal_append& a, const std::function<completion()>& done) override {
    std::chrono::nanoseconds how_long{};
    if (!owner_->takes_time(how_long))
      return behind_->append(a, done);
    owner_->add(
        how_long, [to = behind_, kept = std::make_shared<kept_append>(a)] { kept->hand_to(*to); }, done());
    return status::pending;
  }

  void snapshot(const journal_record& state) override {
    std::chrono::nanoseconds how_long{};
    if (!owner_->takes_time(how_long))
      return behind_->snapshot(state);
    owner_->add(
        how_long, [to = behind_, kept = kept_record{state}] { to->snapshot(kept.record()); }, nullptr);
  }

  void replay(journal_visitor& v) override {
    owner_->flush();
    behind_->replay(v);
  }

  void erase() override {
    std::chrono::nanoseconds how_long{};
    if (!owner_->takes_time(how_long))
      return behind_->erase();
    owner_->add(
        how_long, [to = behind_] { to->erase(); }, nullptr);
  }

private:
  const std::shared_ptr<slow_store> owner_;
  const std::shared_ptr<journal> behind_;
};

std::shared_ptr<journal> slow_store::open(const std::string& key, std::span<const journal_type* const> types) {
  return std::make_shared<stream>(shared_from_this(), behind_->open(key, types));
}

bool slow_store::takes_time(std::chrono::nanoseconds& how_long) {
  how_long = pace_.next();
  return how_long.count() > 0 || !waiting_.empty();
}

void slow_store::add(std::chrono::nanoseconds how_long, std::function<void()> commit, journal::completion tell) {
  const auto begins = waiting_.empty() ? pace_.now() : std::max(pace_.now(), waiting_.back().due);
  waiting_.push_back({begins + how_long, std::move(commit), std::move(tell)});
  if (waiting_.size() == 1)
    pace_.wake(waiting_.front().due);
}

void slow_store::do_first() {
  const auto first = std::move(waiting_.front());
  waiting_.pop_front();
  std::exception_ptr failure;
  try {
    first.commit();
  } catch (...) {
    failure = std::current_exception();
  }
  if (first.tell)
    first.tell(failure);
}

void slow_store::write_due() {
  while (!waiting_.empty() && waiting_.front().due <= pace_.now())
    do_first();
  if (!waiting_.empty())
    pace_.wake(waiting_.front().due);
}

void slow_store::flush() {
  while (!waiting_.empty())
    do_first();
  behind_->flush();
}

void slow_store::drop() {
  const auto lost = std::exchange(waiting_, {});
  for (const auto& w : lost)
    if (w.tell)
      w.tell(std::make_exception_ptr(journal_error{"the process crashed before this was written"}));
}

} // namespace troupe::detail
