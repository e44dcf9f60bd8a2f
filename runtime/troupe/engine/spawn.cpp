// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/engine/spawn.hpp>
#include <troupe/supervision/supervisor_core.hpp>
#include <troupe/type_name.hpp>

#include <string>

namespace troupe::detail {

namespace {

/// What the options want of the actor's type that it cannot give.
std::optional<std::string> beyond(const actor_type& type, const child_options& spec) {
  if (spec.on_overrun == overrun_action::replace && !type.replaceable)
    return "on_overrun must not be replace for " + type_name(*type.info) +
           ": it is journaled, and a journal has one writer at a time";
  if (spec.rehearse != 0 && type.keep_state == nullptr)
    return "rehearse must be 0 for " + type_name(*type.info) + ": only a journaled actor can be rehearsed";
  return std::nullopt;
}

} // namespace

result<std::shared_ptr<const cell_options>> checked_options(const supervisor_core& parent, const actor_type& type,
                                                            const child_options& spec, std::string_view name) {
  if (name.find('/') != std::string_view::npos)
    return error{errc::bad_options, "name must not contain a slash: " + std::string{name}};
  if (auto wrong = validate(spec))
    return error{errc::bad_options, *wrong};
  if (auto wrong = beyond(type, spec))
    return error{errc::bad_options, *wrong};
  return std::shared_ptr<const cell_options>{std::make_shared<cell_options>(cell_options{spec, parent.path_of(name)})};
}

namespace {

result<void> adopt_and_launch(cell& c, supervisor_core& parent, bool announced) {
  auto adopted = parent.adopt(c);
  if (!adopted) {
    c.give_up_start();
    c.release();
    return adopted;
  }
  if (announced)
    parent.announce(c);
  c.launch(parent);
  return {};
}

} // namespace

result<void> place(cell& c, supervisor_core& parent) { return adopt_and_launch(c, parent, true); }

void review(supervisor_core& parent, const cell& child) { parent.review(child); }

result<void> place_unannounced(cell& c, supervisor_core& parent) { return adopt_and_launch(c, parent, false); }

} // namespace troupe::detail
