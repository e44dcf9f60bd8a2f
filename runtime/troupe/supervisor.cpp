// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/system_core.hpp>
#include <troupe/supervision/supervisor_core.hpp>
#include <troupe/supervisor.hpp>

namespace troupe {

namespace {

/// The object of a supervisor's cell. It is never rebuilt: its children are.
class supervisor_host final : public detail::host {
public:
  supervisor_host(detail::system_core& system, supervisor_options options)
      : host{type}, core{system, std::move(options)} {}

  void construct() override { object_ = &core; }
  void destroy() noexcept override { object_ = nullptr; }

private:
  static constexpr detail::actor_type type{&typeid(supervisor), {}, nullptr, nullptr, 1};

public:
  detail::supervisor_core core;
};

} // namespace

supervisor supervisor::make(detail::system_core& system, detail::supervisor_core* parent, std::string_view name,
                            const supervisor_options& options) {
  if (auto wrong = validate(options))
    throw request_error{error{errc::bad_options, *wrong}};
  child_options spec;
  spec.shutdown = option_time_max;
  auto cell_options = parent != nullptr
                          ? detail::checked_options(*parent, spec, name).value()
                          : std::make_shared<const detail::cell_options>(detail::cell_options{spec, std::string{name}});
  auto& c = *detail::cell::make<supervisor_host>(system, std::move(cell_options), system, options);
  supervisor result{c};
  c.construct();
  auto& core = *static_cast<detail::supervisor_core*>(c.object());
  c.set_supervisor(&core);
  core.bind(c);
  if (parent != nullptr)
    place(c, *parent).value();
  else
    c.launch_root();
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
    ++(c->supervisor() != nullptr ? n.supervisors : n.actors);
    n.suspended += c->lifecycle() == detail::cell::state::suspended;
  }
  return n;
}

ledger supervisor::books() const { return core().books(); }

} // namespace troupe
