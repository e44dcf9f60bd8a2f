// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/control_call.hpp>
#include <troupe/engine/system_core.hpp>
#include <troupe/supervision/child_record.hpp>
#include <troupe/supervision/supervisor_core.hpp>
#include <troupe/supervisor.hpp>
#include <troupe/type_name.hpp>

namespace troupe {

namespace {

/// The object of a supervisor's cell. It is never rebuilt: its children are.
class supervisor_host final : public detail::host {
public:
  supervisor_host(detail::system_core& system, supervisor_options options)
      : host{type}, core{system, std::move(options)} {}

  void construct() override { object_ = &core; }
  void destroy() noexcept override { object_ = nullptr; }

  static constexpr detail::actor_type type{&typeid(supervisor), {}, nullptr, nullptr, 1};
  detail::supervisor_core core;
};

actor_state state_of(const detail::cell& c) {
  using state = detail::cell::state;
  switch (c.lifecycle()) {
    case state::starting: return actor_state::starting;
    case state::passive: return actor_state::passive;
    case state::running: return actor_state::running;
    case state::draining: return actor_state::draining;
    case state::suspended: return c.is_out() ? actor_state::out : actor_state::waiting;
    case state::stopping: return actor_state::stopping;
    case state::stopped: break;
  }
  return actor_state::stopped;
}

actor_tree look_at(const detail::cell& c, bool deep) {
  actor_tree t;
  t.name = c.name();
  t.id = c.id();
  t.type = type_name(*c.type().info);
  t.state = state_of(c);
  t.restarts = c.incarnation();
  t.queued = c.depth();
  t.options = c.options().spec;
  if (const auto* h = c.handling())
    t.handling = type_name(*h->message->info);
  t.recent = c.recent();
  if (c.supervisor() == nullptr) {
    t.books = c.books();
    return t;
  }
  t.supervisor = c.supervisor()->options();
  t.books = c.supervisor()->books();
  if (deep)
    for (const auto& child : c.supervisor()->children())
      t.children.push_back(look_at(*child, true));
  return t;
}

} // namespace

supervisor supervisor::make(detail::system_core& system, detail::supervisor_core* parent, std::string_view name,
                            const supervisor_options& options) {
  if (auto wrong = validate(options))
    throw request_error{error{errc::bad_options, *wrong}};
  child_options spec;
  spec.shutdown = option_time_max;
  auto cell_options = parent != nullptr
                          ? detail::checked_options(*parent, supervisor_host::type, spec, name).value()
                          : std::make_shared<const detail::cell_options>(detail::cell_options{spec, std::string{name}});
  auto& c = *detail::cell::make<supervisor_host>(system, std::move(cell_options), system, options);
  supervisor result{c};
  c.construct();
  auto& core = *static_cast<detail::supervisor_core*>(c.object());
  c.set_supervisor(&core);
  core.bind(c);
  if (parent != nullptr) {
    place(c, *parent).value();
    parent->review(c);
  } else {
    c.launch_root();
  }
  c.release();
  return result;
}

detail::supervisor_core& supervisor::core() const { return *detail::required(cell_).supervisor(); }

supervisor supervisor::supervise(std::string_view name, const supervisor_options& options) const {
  return make(detail::required(cell_).core(), &core(), name, options);
}

std::vector<any_ref> supervisor::children() const {
  std::vector<any_ref> result;
  for (const auto& c : core().children())
    result.emplace_back(*c);
  return result;
}

child_count supervisor::count() const {
  child_count n;
  for (const auto& c : core().children()) {
    const auto state = state_of(*c);
    ++n.specs;
    n.active += state == actor_state::running || state == actor_state::draining;
    ++(c->supervisor() != nullptr ? n.supervisors : n.actors);
    n.waiting += state == actor_state::waiting;
  }
  return n;
}

std::vector<actor_tree> supervisor::list() const {
  std::vector<actor_tree> all;
  for (const auto& c : core().children())
    all.push_back(look_at(*c, false));
  return all;
}

actor_tree supervisor::tree() const { return look_at(detail::required(cell_), true); }

reply<void> supervisor::request(int what, std::string_view name) const {
  auto& c = detail::required(cell_);
  const auto deadline = detail::ask_deadline(c, option_time_max); // the supervisor's own times are the limit
  auto* slot = detail::typed_reply_slot<void>::make();
  slot->open_for(c, detail::cell::current(), deadline);
  reply<void> result{slot};
  auto wanted = std::make_shared<detail::child_request>(static_cast<detail::child_request::kind>(what),
                                                        core().path_of(name), *slot);
  c.send_control(detail::make_control([wanted](detail::cell& to) { to.supervisor()->on_request(std::move(*wanted)); },
                                      [wanted](detail::cell& to) {
                                        wanted->end(error{errc::stopped, to.name() + " has stopped"});
                                      }));
  return result;
}

reply<void> supervisor::stop(std::string_view name) const { return request(detail::child_request::stop, name); }

reply<void> supervisor::restart(std::string_view name) const { return request(detail::child_request::restart, name); }

reply<void> supervisor::remove(std::string_view name) const { return request(detail::child_request::remove, name); }

ledger supervisor::books() const { return core().books(); }

} // namespace troupe
