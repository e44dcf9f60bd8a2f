// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <troupe/pipeline/pipeline.hpp>

#include <bench/nexmark/answer.hpp>
#include <bench/nexmark/generator.hpp>
#include <memory>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

namespace nexmark {

/// Where a query's events come from, and by how much they are out of order.
struct feed {
  /// Events in memory, which outlive the pipeline, or generated ones.
  std::variant<std::span<const event>, generated_events> events;
  troupe::pipeline::event_duration bound{0};
  /// Sources that share the events of queries that keep nothing.
  unsigned parts = 1;
};

/// One of Nexmark's queries as a pipeline.
struct query {
  std::string_view name;
  std::string_view meaning;
  /// Events per second and core of the published run on Flink; 0 if there is none.
  double published;
  troupe::pipeline::pipeline_plan (*plan)(const feed& from, std::shared_ptr<answer> to);
  /// The same as a loop of one thread, over events in order.
  digest (*loop)(std::span<const event> events);
};

/// All that there are, by number.
std::span<const query> queries();

/// The query of that name ("q5"; "q12" is "q12e"), or null.
const query* find_query(std::string_view name);

} // namespace nexmark
