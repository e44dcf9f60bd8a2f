// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/observe/actor_tree.hpp>

#include <fmt/format.h>

#include <map>

namespace troupe {

std::string_view to_string(actor_state s) noexcept {
  constexpr std::string_view names[] = {"starting", "passive", "running",  "draining",
                                        "waiting",  "out",     "stopping", "stopped"};
  return s <= actor_state::stopped ? names[static_cast<std::size_t>(s)] : "invalid actor_state";
}

namespace {

struct branches {
  const char* child;
  const char* last;
  const char* through;
  const char* none;
};

constexpr branches drawn{"├─ ", "└─ ", "│  ", "   "};
constexpr branches plain{"|- ", "`- ", "|  ", "   "};

std::string own_name(const actor_tree& t) {
  const auto slash = t.name.rfind('/');
  return slash == std::string::npos ? t.name : t.name.substr(slash + 1);
}

std::string line(const actor_tree& t, const tree_style& style) {
  auto text = own_name(t);
  if (t.supervisor)
    text += fmt::format("  {}", to_string(t.supervisor->strategy));
  else if (t.name.find('#') == std::string::npos)
    text += fmt::format("  {}", t.type);
  text += fmt::format("  {}", to_string(t.state));
  if (t.restarts != 0)
    text += fmt::format("  {} restart{}", t.restarts, t.restarts == 1 ? "" : "s");
  if (t.queued != 0)
    text += fmt::format("  {} queued", t.queued);
  if (t.supervisor)
    text += fmt::format("  {} child{}", t.children.size(), t.children.size() == 1 ? "" : "ren");
  if (!style.detail)
    return text;
  text += fmt::format("  #{}  {} accepted, {} handled", t.id, t.books.accepted, t.books.handled);
  if (t.books.expired != 0)
    text += fmt::format(", {} expired", t.books.expired);
  if (t.books.dropped != 0)
    text += fmt::format(", {} dropped", t.books.dropped);
  if (t.books.quarantined != 0)
    text += fmt::format(", {} quarantined", t.books.quarantined);
  if (!t.handling.empty())
    text += fmt::format("  handling {}", t.handling);
  return text;
}

/// The children beyond those that are shown: "and 950 more: 949 running, 1 waiting".
std::string rest_of(const actor_tree& t, std::size_t shown) {
  std::map<actor_state, std::size_t> states;
  for (auto i = shown; i < t.children.size(); ++i)
    ++states[t.children[i].state];
  auto text = fmt::format("and {} more:", t.children.size() - shown);
  const char* comma = " ";
  for (const auto& [state, n] : states) {
    text += fmt::format("{}{} {}", comma, n, to_string(state));
    comma = ", ";
  }
  return text;
}

void draw(const actor_tree& t, const tree_style& style, const std::string& margin, std::string& out) {
  const auto& b = style.ascii ? plain : drawn;
  out += line(t, style) + '\n';
  if (style.detail)
    out += to_string(t.recent, style.now, margin + (t.children.empty() ? b.none : b.through) + "  ");
  const bool cut = t.children.size() > style.most;
  const auto shown = cut ? style.most : t.children.size();
  for (std::size_t i = 0; i < shown; ++i) {
    const bool last = i + 1 == shown && !cut;
    out += margin + (last ? b.last : b.child);
    draw(t.children[i], style, margin + (last ? b.none : b.through), out);
  }
  if (cut)
    out += margin + b.last + rest_of(t, shown) + '\n';
}

} // namespace

std::string to_string(const actor_tree& root, const tree_style& style) {
  std::string out;
  draw(root, style, {}, out);
  return out;
}

} // namespace troupe
