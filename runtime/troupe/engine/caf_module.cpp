// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/caf_module.hpp>
#include <troupe/engine/runnable.hpp>
#include <troupe/engine/worker.hpp>

#include <caf/resumable.hpp>

#include <chrono>

namespace troupe::detail {

namespace {

constexpr std::size_t turn_messages = 128; // CAF's default is without limit, which starves the others
constexpr std::chrono::seconds leave_time{1};

/// A CAF actor's place in the run queue. Holds the reference that CAF passes with a job.
class caf_job final : public engine::runnable {
public:
  caf_job(caf_module& m, caf::resumable* r) : module_{m}, actor_{r} {}

  engine::run_result run() noexcept override {
    if (module_.leaving()) {
      caf_module::cleanup_and_release(actor_);
    } else {
      if (actor_->resume(&module_.unit(), turn_messages) == caf::resumable::resume_later)
        return engine::run_result::again;
      caf::intrusive_ptr_release(actor_);
    }
    module_.job_ended();
    delete this;
    return engine::run_result::idle;
  }

private:
  caf_module& module_;
  caf::resumable* const actor_;
};

} // namespace

struct caf_module::worker_unit final : caf::execution_unit {
  explicit worker_unit(caf_module& m) : execution_unit{&m.system()}, module{m} {}
  void exec_later(caf::resumable* r) override { module.enqueue(r); }
  caf_module& module;
};

caf_config::caf_config(engine::executor& e, unsigned n) : where{e}, workers{n} { load<caf_module>(); }

caf::actor_system::module* caf_module::make(caf::actor_system& system, caf::detail::type_list<>) {
  return new caf_module{system};
}

caf_module::caf_module(caf::actor_system& system)
    : abstract_coordinator{system}, where_{static_cast<const caf_config&>(system.config()).where} {
  const auto workers = static_cast<const caf_config&>(system.config()).workers;
  for (unsigned i = 0; i <= workers; ++i)
    units_.push_back(std::make_unique<worker_unit>(*this));
}

caf::execution_unit& caf_module::unit() noexcept {
  const auto* w = engine::worker::current();
  return *units_.at(w == nullptr ? 0 : w->index() + 1);
}

void caf_module::enqueue(caf::resumable* what) {
  jobs_.fetch_add(1, std::memory_order_relaxed); // relaxed: the queue publishes the job
  engine::schedule(where_, *new caf_job{*this, what});
}

void caf_module::start() {
  clock_thread_ = std::thread{[this] { clock_.run_dispatch_loop(); }};
  abstract_coordinator::start();
}

bool caf_module::jobs_end_in_time() const noexcept {
  const auto deadline = std::chrono::steady_clock::now() + leave_time;
  while (jobs_.load(std::memory_order_acquire) != 0) { // acquire: pairs with job_ended
    if (std::chrono::steady_clock::now() >= deadline)
      return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  return true;
}

// CAF gives no limit; an actor that keeps itself busy must not keep the process.
bool caf_module::leave() noexcept {
  (void)jobs_end_in_time();
  leaving_.store(true, std::memory_order_relaxed);
  return jobs_end_in_time();
}

void caf_module::stop() {
  stop_actors();
  (void)jobs_end_in_time(); // what that has woken
  clock_.cancel_dispatch_loop();
  clock_thread_.join();
}

} // namespace troupe::detail
