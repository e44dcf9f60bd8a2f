// SPDX-License-Identifier: BSD-3-Clause
#pragma once

/// Pipelines: sources, stages and sinks that are supervised, demand-driven actors, in event time. All of it.
///
///     namespace pl = troupe::pipeline;
///     pl::collection<...> results;
///     auto plan = pl::from_values(readings)
///                     .event_times(1s)
///                     .key_by(&reading::sensor)
///                     .window(pl::tumbling{10s}, pl::count{})
///                     .collect(results);
///     plan.start(sys, "readings").wait();

#include <troupe/pipeline/accumulators.hpp>
#include <troupe/pipeline/keyed_stream.hpp>
#include <troupe/pipeline/merge.hpp>
#include <troupe/pipeline/sources.hpp>
