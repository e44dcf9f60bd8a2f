// SPDX-License-Identifier: BSD-3-Clause
#include "observed_store.hpp"

#include <exception>
#include <utility>

namespace order_simulation {

namespace {

class observed_journal final : public troupe::journal {
public:
  observed_journal(std::shared_ptr<troupe::journal> inner, std::uint64_t number, journal_watcher& watcher)
      : inner_{std::move(inner)}, number_{number}, watcher_{watcher} {}

  status append(const troupe::journal_append& a, const std::function<completion()>& done) override {
    bool taken = false;
    const auto later = [&]() -> completion {
      taken = true;
      auto digest = watcher_.begun(number_, a.events);
      if (!digest)
        return done();
      return [&watcher = watcher_, digest = std::move(digest), then = done()](std::exception_ptr failure) mutable {
        if (failure)
          return then(failure);
        digest();
        if (watcher.has_room())
          return then(nullptr);
        watcher.when_room([then = std::make_shared<completion>(std::move(then))] { (*then)(nullptr); });
      };
    };
    const auto s = inner_->append(a, later);
    if (s == status::pending || a.events.empty())
      return s;
    if (!taken)
      watcher_.kept(number_, a.events);
    if (watcher_.has_room())
      return s;
    watcher_.when_room([then = std::make_shared<completion>(done())] { (*then)(nullptr); });
    return status::pending;
  }

  void snapshot(const troupe::journal_record& state) override { inner_->snapshot(state); }
  void replay(troupe::journal_visitor& v) override { inner_->replay(v); }
  void erase() override { inner_->erase(); }

private:
  std::shared_ptr<troupe::journal> inner_;
  const std::uint64_t number_;
  journal_watcher& watcher_;
};

} // namespace

std::shared_ptr<troupe::journal> observed_store::open(const std::string& key,
                                                      std::span<const troupe::journal_type* const> types) {
  auto inner = inner_->open(key, types);
  const auto number = watcher_.watches(key);
  return number ? std::make_shared<observed_journal>(std::move(inner), *number, watcher_) : inner;
}

} // namespace order_simulation
