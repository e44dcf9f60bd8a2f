// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/testing/store_probe.hpp>

#include <algorithm>
#include <optional>

namespace troupe {

class store_probe::stream final : public journal {
public:
  stream(std::shared_ptr<store_probe> probe, std::string key, std::shared_ptr<journal> behind)
      : probe_{std::move(probe)}, key_{std::move(key)}, behind_{std::move(behind)} {}

  status append(const journal_append& a, const std::function<completion()>& done) override {
    const auto fault = draw();
    if (fault == write_fault::reject)
      throw rejected_record{"journal '" + key_ + "': the test rejects this append"};
    const auto failure = std::make_exception_ptr(journal_error{"journal '" + key_ + "': the test fails this append"});
    if (fault == write_fault::fail)
      return end(done(), failure);
    if (fault == write_fault::lose)
      return end(done(), nullptr);

    auto values = values_of(a);
    const auto told = fault ? failure : nullptr;
    const auto wrapped = [&]() -> completion {
      return [probe = probe_, told, values, tell = done()](std::exception_ptr e) mutable {
        if (!e)
          probe->note(std::move(values));
        probe_end(*probe, std::move(tell), e ? e : told);
      };
    };
    if (behind_->append(a, wrapped) == status::pending)
      return status::pending;
    probe_->note(std::move(values));
    return fault || holding() ? end(done(), told) : status::durable;
  }

  void snapshot(const journal_record& state) override { behind_->snapshot(state); }

  void replay(journal_visitor& v) override {
    {
      std::unique_lock held{probe_->mutex_};
      if (probe_->failing_replays_ > 0) {
        --probe_->failing_replays_;
        throw journal_error{"journal '" + key_ + "': the test fails this replay"};
      }
    }
    behind_->replay(v);
  }

  void erase() override { behind_->erase(); }

private:
  static void probe_end(store_probe& p, completion tell, std::exception_ptr failure) {
    {
      std::unique_lock held{p.mutex_};
      if (p.holding_) {
        p.held_.push_back({std::move(tell), std::move(failure)});
        return;
      }
    }
    tell(std::move(failure));
  }

  status end(completion tell, std::exception_ptr failure) {
    probe_end(*probe_, std::move(tell), std::move(failure));
    return status::pending;
  }

  bool holding() const {
    std::unique_lock held{probe_->mutex_};
    return probe_->holding_;
  }

  /// What is planned for this append, if anything.
  std::optional<write_fault> draw() {
    std::unique_lock held{probe_->mutex_};
    std::optional<write_fault> drawn;
    std::erase_if(probe_->planned_, [&](planned& p) {
      if (!key_.starts_with(p.prefix) || --p.left > 0)
        return false;
      drawn = p.fault;
      return true;
    });
    return drawn;
  }

  std::vector<noted> values_of(const journal_append& a) const {
    std::vector<noted> all;
    for (const auto& e : a.events)
      all.push_back({key_, false, e.type->info, e.type->copy(e.value)});
    for (const auto& s : a.sends)
      all.push_back({key_, true, s.message.type->info, s.message.type->copy(s.message.value)});
    return all;
  }

  const std::shared_ptr<store_probe> probe_;
  const std::string key_;
  const std::shared_ptr<journal> behind_;
};

store_probe::store_probe(std::shared_ptr<journal_store> behind) : behind_{std::move(behind)} {}
store_probe::~store_probe() = default;

void store_probe::strike(write_fault f, std::size_t nth, std::string prefix) {
  std::unique_lock held{mutex_};
  planned_.push_back({f, nth, std::move(prefix)});
}

void store_probe::fail_replays(std::size_t n) {
  std::unique_lock held{mutex_};
  failing_replays_ = n;
}

void store_probe::hold() {
  std::unique_lock held{mutex_};
  holding_ = true;
}

std::size_t store_probe::held() const {
  std::unique_lock held{mutex_};
  return held_.size();
}

void store_probe::release(std::size_t n) {
  std::deque<ended> going;
  {
    std::unique_lock held{mutex_};
    for (; n > 0 && !held_.empty(); --n) {
      going.push_back(std::move(held_.front()));
      held_.pop_front();
    }
  }
  for (auto& e : going)
    e.tell(std::move(e.failure));
}

void store_probe::stop_holding() {
  {
    std::unique_lock held{mutex_};
    holding_ = false;
  }
  release();
}

void store_probe::note(std::vector<noted> kept) {
  std::unique_lock held{mutex_};
  std::move(kept.begin(), kept.end(), std::back_inserter(noted_));
  ++appends_;
}

std::size_t store_probe::appends() const {
  std::unique_lock held{mutex_};
  return appends_;
}

std::shared_ptr<journal> store_probe::open(const std::string& key, std::span<const journal_type* const> types) {
  return std::make_shared<stream>(shared_from_this(), key, behind_->open(key, types));
}

} // namespace troupe
