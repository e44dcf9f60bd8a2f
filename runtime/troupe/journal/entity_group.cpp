// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/actor.hpp>
#include <troupe/engine/control_call.hpp>
#include <troupe/engine/system_core.hpp>
#include <troupe/journal/entity_group.hpp>
#include <troupe/journal/journal_session.hpp>
#include <troupe/supervision/supervisor_core.hpp>

#include <algorithm>
#include <span>
#include <utility>

namespace troupe {

using namespace std::chrono_literals;

std::optional<std::string> validate(const entity_options& options) {
  if (auto wrong = detail::validate_time("idle", options.idle, 1ms))
    return wrong;
  if (options.live_max < 1 || options.live_max > 1'000'000)
    return "live_max must be 1..1000000, not " + std::to_string(options.live_max);
  if (auto wrong = validate(options.backoff))
    return wrong;
  return validate(options.mailbox);
}

namespace detail {

namespace {

constexpr std::size_t wakes_at_once = 1'000;
constexpr auto clock_check = 60s; // the wall clock may be set while a wake waits

struct sweep_wanted {};

/// Looks after one group.
class entity_keeper final : public actor<entity_keeper, sweep_wanted> {
public:
  explicit entity_keeper(std::shared_ptr<entity_group> group) : group_{std::move(group)} {
    after("sweep", 0ns, sweep_wanted{});
  }
  void on(const sweep_wanted&) {
    if (const auto pause = group_->sweep())
      after("sweep", *pause, sweep_wanted{});
  }
  void sweep_now() { after("sweep", 0ns, sweep_wanted{}); }

private:
  const std::shared_ptr<entity_group> group_;
};

supervisor_options supervisor_of(const entity_options& o) {
  if (auto wrong = validate(o))
    throw request_error{error{errc::bad_options, *wrong}};
  supervisor_options s;
  s.strategy = dynamic;
  s.intensity = s.group_intensity = unlimited;
  s.backoff = o.backoff;
  // A journal that cannot be understood will not be so after a pause: that one stops. A store that is away comes back: that
  // one is restarted, with pauses. The user's rules come first.
  s.on_failure = failure_rules{o.on_failure}.by<recovery_error>(failure_action::stop);
  s.children_max = o.live_max + std::max<std::size_t>(1, o.live_max / 8) + 1; // the keeper is one
  return s;
}

/// The prefix, if the store can keep what its entities keep: each of them would fail, and nobody hear of it but the log.
std::string keepable(system_core& core, std::string prefix, std::span<const journal_type* const> kept) {
  (void)core.journals->open(prefix + '/', kept);
  return prefix;
}

std::shared_ptr<const cell_options> child_of(const entity_options& o) {
  cell_options c;
  c.spec.restart = transient;
  c.spec.retries = o.retries;
  c.spec.mailbox = o.mailbox;
  return std::make_shared<const cell_options>(std::move(c));
}

} // namespace

entity_group::entity_group(const troupe::supervisor& parent, std::string prefix, const entity_options& options,
                           const durable_type& type, std::span<const journal_type* const> kept)
    : core_{required(parent.pointer()).core()}, prefix_{keepable(core_, std::move(prefix), kept)}, options_{options},
      type_{type}, supervisor_{parent.supervise(prefix_, supervisor_of(options))}, child_{child_of(options)} {}

entity_group::~entity_group() = default;

std::size_t entity_group::live() const {
  std::unique_lock guard{mutex_};
  return seats_.size();
}

// -- starting ---------------------------------------------------------------------------------------------------------

result<cell_pointer> entity_group::start(std::shared_ptr<durable_address> address) {
  const auto used = address->last_use();
  auto& c = make_cell(child_, std::move(address));
  auto& s = static_cast<entity_seat&>(c.seat());
  auto placed = place_unannounced(c, supervisor_.core());
  if (!placed) { // the cell is gone
    if (placed.error().code == errc::bad_options)
      return error{errc::mailbox_full, "too many entities " + prefix_ + " are in memory and busy"};
    return placed.error();
  }
  {
    std::unique_lock guard{mutex_};
    if (!s.left_)
      s.place_ = seats_.emplace(used, &s);
  }
  cell_pointer result{c};
  c.release();
  return result;
}

void entity_group::announce(cell& started) {
  supervisor_.core().announce(started);
  bool late = false;
  std::size_t excess = 0;
  {
    std::unique_lock guard{mutex_};
    late = bring_forward(core_.now() + patience());
    excess = seats_.size() - std::min(seats_.size(), options_.live_max);
  }
  if (late)
    tell_keeper();
  if (excess != 0)
    let_go(unused(std::numeric_limits<std::int64_t>::max(), 1 + excess / 8), false);
}

/// Those that wait for each other's places would else wait for ever, and those that were all busy once would be taken to be
/// so until their idle time is over.
void entity_group::make_room() {
  let_go(unused(std::numeric_limits<std::int64_t>::max(), 1 + options_.live_max / 64), true);
}

void entity_group::leave(entity_seat& seat) noexcept {
  std::unique_lock guard{mutex_};
  seat.left_ = true;
  if (seat.place_)
    seats_.erase(*seat.place_);
}

// -- leaving ----------------------------------------------------------------------------------------------------------

std::vector<std::shared_ptr<durable_address>> entity_group::unused(std::int64_t since, std::size_t most) {
  std::vector<std::shared_ptr<durable_address>> result;
  std::unique_lock guard{mutex_};
  // Places are brought up to date when their turn comes, each at most once here.
  for (auto looks = seats_.size(); looks != 0 && result.size() < most; --looks) {
    const auto first = seats_.begin();
    if (first->first > since)
      break;
    auto& seat = *first->second;
    const auto used = std::max(seat.address_->last_use(), first->first);
    const bool chosen = used == first->first;
    if (chosen)
      result.push_back(seat.address_);
    // One that is chosen and stays, because it has something to do, is asked again after the others.
    auto node = seats_.extract(first);
    node.key() = chosen ? core_.now_ns() : used;
    seat.place_ = seats_.insert(std::move(node));
  }
  return result;
}

void entity_group::let_go(const std::vector<std::shared_ptr<durable_address>>& entities, bool pressed) {
  for (const auto& a : entities)
    if (const auto c = a->live(); c.get() != nullptr)
      c->send_control(make_control([a, pressed](cell& here) {
        auto* s = a->session();
        if (s == nullptr)
          return here.passivate();
        if (!s->quiet(pressed))
          return;
        here.passivate();
        if (s = a->session(); s != nullptr)
          s->go_on();
      }));
}

// -- waking -----------------------------------------------------------------------------------------------------------

void entity_group::open() {
  keeper_ = supervisor_.start<entity_keeper>("keeper", shared_from_this());
  core_.durable->add(shared_from_this());
  for (auto& owing : core_.journals->unsettled())
    if (owing.key.starts_with(prefix_ + "/"))
      wake_at(owing.key, owing.due.value_or(wall_time_point::min()));
}

void entity_group::wake_at(const std::string& key, wall_time_point when) {
  const auto wall = core_.through.clock->wall_now();
  const std::chrono::nanoseconds left = std::max(when, wall) - wall;
  bool late = false;
  {
    std::unique_lock guard{mutex_};
    wakes_.wake_at(key, when);
    late = bring_forward(core_.now() + std::min<std::chrono::nanoseconds>(left, clock_check));
  }
  if (late)
    tell_keeper();
}

void entity_group::look_after(const std::string& key, std::chrono::nanoseconds pause) {
  bool late = false;
  {
    std::unique_lock guard{mutex_};
    const auto when = core_.now() + pause;
    wakes_.look_at(key, when);
    late = bring_forward(when);
  }
  if (late)
    tell_keeper();
}

void entity_group::loaded(const std::string& key) {
  std::unique_lock guard{mutex_};
  wakes_.erase(key);
}

/// After a failure it is unknown what the journal holds, and whether there will be another object.
void entity_group::unloading(const journal_session& session) {
  if (session.owner().failed() || session.owes_now())
    look_after(session.key(), wake_list::first_pause);
  else if (const auto next = session.next_timer())
    wake_at(session.key(), *next);
}

void entity_group::wake(const std::string& key) {
  const auto address = core_.durable->at(key);
  const auto c = address->resolve();
  if (c)
    (*c)->send_control(make_control(
        [group = shared_from_this(), key](cell& here) {
          here.activate();
          if (here.at_work()) // it was there already
            group->loaded(key);
        },
        [group = shared_from_this(), key](cell&) {
          group->wake_at(key, wall_time_point::min()); // it went at that moment
        }));
  else if (c.error().code == errc::mailbox_full)
    look_after(key, wake_list::first_pause); // there is room again before long
}

std::size_t entity_group::owing() const {
  std::unique_lock guard{mutex_};
  return wakes_.size();
}

// -- sweeping ---------------------------------------------------------------------------------------------------------

std::chrono::nanoseconds entity_group::patience() const noexcept {
  return std::max<std::chrono::nanoseconds>(std::chrono::nanoseconds{options_.idle} / 4, 1ms);
}

bool entity_group::bring_forward(time_point sweep) noexcept {
  if (next_sweep_ <= sweep)
    return false;
  next_sweep_ = sweep;
  return true;
}

/// Not with a message: an entity that ends in a shutdown must leave none behind.
void entity_group::tell_keeper() const {
  keeper_.pointer()->send_control(make_control([](cell& keeper) {
    if (keeper.at_work()) // else it sweeps when it is back
      static_cast<entity_keeper*>(keeper.object())->sweep_now();
  }));
}

std::optional<std::chrono::nanoseconds> entity_group::sweep() {
  std::vector<std::string> due;
  {
    std::unique_lock guard{mutex_};
    due = wakes_.take_due(core_.now(), core_.through.clock->wall_now(), wakes_at_once);
  }
  for (const auto& key : due)
    wake(key);
  let_go(
      unused(core_.now_ns() - std::chrono::nanoseconds{options_.idle}.count(), std::numeric_limits<std::size_t>::max()),
      false);

  std::unique_lock guard{mutex_};
  const auto now = core_.now();
  auto pause = wakes_.next(now, core_.through.clock->wall_now());
  if (pause)
    pause = std::min<std::chrono::nanoseconds>(*pause, clock_check);
  if (!seats_.empty())
    pause = std::min(pause.value_or(patience()), patience());
  next_sweep_ = pause ? now + *pause : time_point::max();
  return pause;
}

} // namespace detail

} // namespace troupe
