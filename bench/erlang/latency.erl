%% SPDX-License-Identifier: BSD-3-Clause
%% Wake-up, and request latency under load. Without C there is no thread outside. For wake-up a process sends, kept on
%% another scheduler than the one that it wakes. Erlang's timers count milliseconds, so the process that sends requests
%% spins through the last two before each is due; what it takes from the others is in the capacity that it finds out
%% first.
-module(latency).
-export([rows/0]).

-define(SERVERS, 8).
-define(COST, 8000).
-define(CALIBRATION, 6000).
-define(WAITING, 64).

rows() ->
    [{"wake-up", fun wake_up/2} |
     [{"latency-" ++ integer_to_list(P), fun(N, _) -> latency(N, P) end} || P <- [1, 10, 50, 95]]].

wake_up(N, Workers) ->
    Boss = self(),
    Witness = spawn_opt(fun() -> Boss ! {all, [receive At -> bench:now_ns() - At end || _ <- lists:seq(1, N)]} end,
                        [{scheduler, Workers}]),
    spawn_opt(fun() -> send_stamps(N, 74755, Witness) end, [{scheduler, 1}]),
    All = receive {all, A} -> A end,
    bench:figure("wake-up", "us", bench:quantile(All, 0.5) / 1000, length(All)),
    bench:figure("wake-up-p99", "us", bench:quantile(All, 0.99) / 1000, length(All)).

send_stamps(0, _, _) -> ok;
send_stamps(Left, Dice, Witness) ->
    Next = bench:burn(Dice, 1),
    timer:sleep(1 + Next * 4 div 65536),
    Witness ! bench:now_ns(),
    send_stamps(Left - 1, Next, Witness).

server() ->
    receive
        {From, Due} ->
            From ! {answer, bench:burn(Due, ?COST), Due},
            server()
    end.

%% Passes requests on to the servers in turn, and notes when the answer is there.
front(Servers, Next, Added, Late) ->
    receive
        {answer, _, Due} ->
            More = [bench:now_ns() - Due | Late],
            atomics:add(Added, 1, 1),
            front(Servers, Next, Added, More);
        {take, Who} ->
            Who ! {late, Late},
            front(Servers, Next, Added, []);
        Due ->
            element(1 + Next rem ?SERVERS, Servers) ! {self(), Due},
            front(Servers, Next + 1, Added, Late)
    end.

await(Added, Count) ->
    case atomics:get(Added, 1) >= Count of
        true -> ok;
        false -> erlang:yield(), await(Added, Count)
    end.

await_due(Due) ->
    case Due - bench:now_ns() of
        Left when Left =< 0 -> ok;
        Left when Left > 2000000 -> timer:sleep((Left - 1000000) div 1000000), await_due(Due);
        _ -> erlang:yield(), await_due(Due)
    end.

latency(N, Percent) ->
    Servers = list_to_tuple([spawn(fun server/0) || _ <- lists:seq(1, ?SERVERS)]),
    Added = atomics:new(1, []),
    Front = spawn(fun() -> front(Servers, 0, Added, []) end),
    Begun = bench:now_ns(),
    [begin await(Added, I - ?WAITING), Front ! bench:now_ns() end || I <- lists:seq(1, ?CALIBRATION)],
    await(Added, ?CALIBRATION),
    Gap = (bench:now_ns() - Begun) / ?CALIBRATION * 100 / Percent,
    _ = samples(Front),
    Requests = max(300, min(N, trunc(2.0e9 / Gap))),
    send_requests(Requests, 74755, bench:now_ns() + 5.0e6, Gap, Front),
    await(Added, ?CALIBRATION + Requests),
    Late = samples(Front),
    Row = "latency-" ++ integer_to_list(Percent),
    [bench:figure(Name, "us", bench:quantile(Late, Q) / 1000, length(Late))
     || {Name, Q} <- [{Row, 0.99}, {Row ++ "-p50", 0.5}, {Row ++ "-p999", 0.999}]].

samples(Front) ->
    Front ! {take, self()},
    receive {late, Late} -> Late end.

send_requests(0, _, _, _, _) -> ok;
send_requests(Left, Dice, Due, Gap, Front) ->
    await_due(trunc(Due)),
    Front ! trunc(Due),
    Next = bench:burn(Dice, 1),
    send_requests(Left - 1, Next, Due - Gap * math:log((Next + 1) / 65536), Gap, Front).
