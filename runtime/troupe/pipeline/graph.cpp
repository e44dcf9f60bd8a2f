// SPDX-License-Identifier: BSD-3-Clause
#include <troupe/pipeline/graph.hpp>

#include <algorithm>
#include <map>

namespace troupe::pipeline {

namespace {

void visit(const std::shared_ptr<node>& n, std::vector<node*>& order) {
  if (std::ranges::find(order, n.get()) != order.end())
    return;
  for (const auto& i : n->inputs())
    visit(i.from, order);
  order.push_back(n.get());
}

std::string instances_of(const node& n) {
  switch (n.instances()) {
    case 0: return " x partitions";
    case 1: return {};
    default: return " x " + std::to_string(n.instances());
  }
}

std::string quoted(const std::string& text) { return '"' + text + '"'; }

} // namespace

std::optional<std::string> validate(const options& o) {
  if (o.stages.batch_size < 1 || o.stages.batch_size > 1'000'000)
    return "stages.batch_size must be 1..1000000, not " + std::to_string(o.stages.batch_size);
  if (o.demand.max < 1 || o.demand.max > 10'000)
    return "demand.max must be 1..10000, not " + std::to_string(o.demand.max);
  if (o.demand.min >= o.demand.max)
    return "demand.min must be below demand.max, not " + std::to_string(o.demand.min);
  if (o.partitions > 1'000)
    return "partitions must be 0..1000, not " + std::to_string(o.partitions);
  return validate(o.checkpoints);
}

const std::string* detail::state_of(const checkpointing& c, const std::string& name) {
  if (!c.last)
    return nullptr;
  const auto found = c.last->kept.find(name);
  if (found == c.last->kept.end())
    throw journal_error{"the last checkpoint knows no '" + name + "': it was made with other partitions"};
  return &found->second;
}

void detail::require_all_taken(const checkpointing& c) {
  if (c.last && c.last->kept.size() != c.names.size())
    throw journal_error{"the last checkpoint knows " + std::to_string(c.last->kept.size()) +
                        " instances of stages, there are " + std::to_string(c.names.size()) +
                        ": it was made with other partitions"};
}

void detail::refuse_checkpoints(const std::string& stage, const char* fault) {
  throw request_error{error{errc::bad_options, "checkpoints: '" + stage +
                                                   "' has a state that cannot be written down: " + fault +
                                                   " (see troupe/pipeline/archive.hpp)"}};
}

void detail::refuse_state(const std::string& stage, const char* what) {
  throw journal_error{"the last checkpoint's state of '" + stage + "' cannot be read: " + what +
                      "; if its types have changed, raise checkpoints.version"};
}

std::vector<node*> in_order(const std::vector<std::shared_ptr<node>>& sinks) {
  std::vector<node*> order;
  for (const auto& s : sinks)
    visit(s, order);
  return order;
}

std::string to_text(const std::vector<std::shared_ptr<node>>& sinks) {
  std::string text;
  for (const auto* n : in_order(sinks)) {
    text += std::string{to_string(n->what())} + ' ' + quoted(n->name()) + instances_of(*n);
    if (!n->steps().empty())
      text += ": " + n->steps();
    const auto inputs = n->inputs();
    for (std::size_t i = 0; i < inputs.size(); ++i)
      text += (i == 0 ? " <- " : ", ") + quoted(inputs[i].from->name()) + ' ' + std::string{to_string(inputs[i].how)};
    text += '\n';
  }
  return text;
}

std::string to_mermaid(const std::vector<std::shared_ptr<node>>& sinks) {
  std::string text = "flowchart LR\n";
  std::map<const node*, std::string> ids; // seams: never walked
  for (const auto* n : in_order(sinks)) {
    const auto id = "n" + std::to_string(ids.size());
    ids[n] = id;
    text +=
        "  " + id + "[" + quoted(n->name() + instances_of(*n) + (n->steps().empty() ? "" : ": " + n->steps())) + "]\n";
    for (const auto& i : n->inputs())
      text += "  " + ids[i.from.get()] + " -->|" + std::string{to_string(i.how)} + "| " + id + "\n";
  }
  return text;
}

std::string_view to_string(routing r) noexcept {
  switch (r) {
    case routing::forward: return "forward";
    case routing::spread: return "spread";
    case routing::by_key: return "by_key";
  }
  return "invalid routing";
}

std::string_view to_string(node::kind k) noexcept {
  switch (k) {
    case node::kind::source: return "source";
    case node::kind::stage: return "stage";
    case node::kind::sink: return "sink";
  }
  return "invalid node::kind";
}

} // namespace troupe::pipeline
