%% SPDX-License-Identifier: BSD-3-Clause
%% The same work in Erlang: an actor is a process. `bench:main([Row, N, Workers])`; start erl with +S Workers:Workers.
-module(bench).
-export([main/1, rows/0, figure/4, timed/4, settle_down/0, quantile/2, burn/2, now_ns/0]).

rows() -> messaging:rows() ++ birth:rows() ++ savina:rows() ++ exchange:rows() ++ latency:rows() ++ footprint:rows().

main(["--rows"]) ->
    [io:format("~s~n", [Name]) || {Name, _} <- rows()],
    halt(0);
main([Row, N, Workers]) ->
    case lists:keyfind(Row, 1, rows()) of
        {_, Run} ->
            Run(list_to_integer(N), list_to_integer(Workers)),
            halt(0);
        false ->
            io:format(standard_error, "no row '~s'~n", [Row]),
            halt(2)
    end.

figure(Row, Unit, Value, Check) -> io:format("~s ~s ~.4f ~w~n", [Row, Unit, float(Value), Check]).

timed(Row, Start, N, Check) -> figure(Row, "ns", (now_ns() - Start) / N, Check).

now_ns() -> erlang:monotonic_time(nanosecond).

settle_down() -> timer:sleep(20).

quantile(Samples, Q) ->
    Sorted = lists:sort(Samples),
    lists:nth(min(length(Sorted), 1 + trunc(Q * length(Sorted))), Sorted).

burn(Seed, 0) -> Seed;
burn(Seed, Steps) -> burn((Seed * 1309 + 13849) band 65535, Steps - 1).
