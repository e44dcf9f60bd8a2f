%% SPDX-License-Identifier: BSD-3-Clause
-module(birth).
-export([rows/0]).

rows() -> [{"spawn", fun spawn_row/2}, {"fork-join", fun fork_join/2}, {"skynet", fun skynet/2}].

spawn_row(N, _) ->
    Boss = self(),
    Parent = spawn(fun() -> receive begin_now -> Boss ! {sum, parent(N)} end end),
    bench:settle_down(),
    Start = bench:now_ns(),
    Parent ! begin_now,
    Sum = receive {sum, S} -> S end,
    bench:timed("spawn", Start, N, Sum).

parent(N) ->
    Parent = self(),
    [spawn(fun() -> receive X -> Parent ! X end end) ! 1 || _ <- lists:seq(1, N)],
    lists:sum([receive X -> X end || _ <- lists:seq(1, N)]).

fork_join(N, _) ->
    Sum = atomics:new(1, []),
    Boss = self(),
    Start = bench:now_ns(),
    spawn(fun() -> [spawn(fun() -> forked(Sum, N, Boss) end) ! I || I <- lists:seq(1, N)] end),
    receive done -> ok end,
    bench:timed("fork-join", Start, N, atomics:get(Sum, 1)).

forked(Sum, N, Boss) ->
    receive
        X ->
            case atomics:add_get(Sum, 1, 1 + (bench:burn(X, 25) band 0)) of
                N -> Boss ! done;
                _ -> ok
            end
    end.

skynet(N, _) ->
    Start = bench:now_ns(),
    Boss = self(),
    spawn(fun() -> grow(0, N, Boss) end),
    Sum = receive S -> S end,
    bench:timed("skynet", Start, N, Sum).

grow(Number, 1, Parent) -> Parent ! Number;
grow(Number, Leaves, Parent) ->
    Own = self(),
    Part = Leaves div 10,
    [spawn(fun() -> grow(Number + I * Part, Part, Own) end) || I <- lists:seq(0, 9)],
    Parent ! lists:sum([receive S -> S end || _ <- lists:seq(0, 9)]).
