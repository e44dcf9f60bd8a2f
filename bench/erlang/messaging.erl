%% SPDX-License-Identifier: BSD-3-Clause
-module(messaging).
-export([rows/0, call/2]).

rows() ->
    [{"ping-pong", fun(N, _) -> play(N, 1, "ping-pong") end},
     {"pairs", fun(N, _) -> play(N, 50, "pairs") end},
     {"scaling", fun scaling/2},
     {"ring-100", fun(N, _) -> ring(N, 100, "ring-100") end},
     {"ring-503", fun(N, _) -> ring(N, 503, "ring-503") end},
     {"request-reply", fun request_reply/2},
     {"counting", fun(N, _) -> flood(N, 1, 1, "counting") end},
     {"fan-in", fun(N, _) -> flood(N, 8, 1, "fan-in") end},
     {"fan-out", fun(N, _) -> flood(N, 1, 60, "fan-out") end}].

player(Partner, Hits, Boss) ->
    receive
        {partner, P} -> player(P, Hits, Boss);
        0 -> Boss ! {done, Hits + 1};
        Left ->
            Partner ! Left - 1,
            player(Partner, Hits + 1, Boss)
    end.

play(N, Pairs, Row) ->
    Boss = self(),
    Rounds = N div Pairs,
    First = [begin
                 A = spawn(fun() -> player(none, 0, Boss) end),
                 B = spawn(fun() -> player(A, 0, Boss) end),
                 A ! {partner, B},
                 A
             end || _ <- lists:seq(1, Pairs)],
    bench:settle_down(),
    Start = bench:now_ns(),
    [P ! 2 * Rounds || P <- First],
    Hits = lists:sum([receive {done, H} -> H end || _ <- First]),
    Took = (bench:now_ns() - Start) / (Rounds * Pairs),
    bench:figure(Row, "ns", Took, Hits - Pairs),
    Took.

scaling(N, Workers) ->
    erlang:system_flag(schedulers_online, 1),
    One = play(N, 50, "scaling-1"),
    [begin
         erlang:system_flag(schedulers_online, W),
         play(N, 50, "scaling-" ++ integer_to_list(W))
     end || W <- [2, 4, 8, 16, 32, 64], W < Workers],
    erlang:system_flag(schedulers_online, Workers),
    All = play(N, 50, "scaling-" ++ integer_to_list(Workers)),
    bench:figure("scaling", "speed-up", One / All, 0).

member(Next, Passed, Boss) ->
    receive
        {next, P} -> member(P, Passed, Boss);
        stop -> Boss ! {passed, Passed};
        0 ->
            Boss ! done,
            member(Next, Passed + 1, Boss);
        Left ->
            Next ! Left - 1,
            member(Next, Passed + 1, Boss)
    end.

ring(N, Members, Row) ->
    Boss = self(),
    All = [spawn(fun() -> member(none, 0, Boss) end) || _ <- lists:seq(1, Members)],
    [P ! {next, Q} || {P, Q} <- lists:zip(All, tl(All) ++ [hd(All)])],
    bench:settle_down(),
    Start = bench:now_ns(),
    hd(All) ! N,
    receive done -> ok end,
    Took = bench:now_ns() - Start,
    [P ! stop || P <- All],
    Passed = lists:sum([receive {passed, X} -> X end || _ <- All]),
    bench:figure(Row, "ns", Took / N, Passed - 1).

%% What gen_server:call does at the least: a monitor as the request's mark.
call(Server, Question) ->
    Mark = erlang:monitor(process, Server),
    Server ! {self(), Mark, Question},
    receive
        {Mark, Answer} ->
            erlang:demonitor(Mark, [flush]),
            Answer;
        {'DOWN', Mark, _, _, Reason} -> exit(Reason)
    end.

server() ->
    receive
        {From, Mark, Question} ->
            From ! {Mark, Question + 1},
            server()
    end.

ask(0, _, Sum) -> Sum;
ask(Left, Server, Sum) -> ask(Left - 1, Server, Sum + call(Server, Left) - Left).

request_reply(N, _) ->
    Boss = self(),
    Server = spawn(fun server/0),
    Client = spawn(fun() -> receive begin_now -> Boss ! {sum, ask(N, Server, 0)} end end),
    bench:settle_down(),
    Start = bench:now_ns(),
    Client ! begin_now,
    Sum = receive {sum, S} -> S end,
    bench:timed("request-reply", Start, N, Sum).

consume(0, Sum, Boss) -> Boss ! {sum, Sum};
consume(Left, Sum, Boss) -> receive Number -> consume(Left - 1, Sum + Number, Boss) end.

produce(0, _, _) -> ok;
produce(Left, [], All) -> produce(Left, All, All);
produce(Left, [P | Others], All) ->
    P ! 1,
    produce(Left - 1, Others, All).

flood(N, Producers, Consumers, Row) ->
    Boss = self(),
    %% off_heap: Erlang's own advice for processes that get floods of messages
    To = [spawn_opt(fun() -> consume(N div Consumers, 0, Boss) end, [{message_queue_data, off_heap}])
          || _ <- lists:seq(1, Consumers)],
    From = [spawn(fun() -> receive begin_now -> produce(N div Producers, To, To) end end)
            || _ <- lists:seq(1, Producers)],
    bench:settle_down(),
    Start = bench:now_ns(),
    [P ! begin_now || P <- From],
    Sum = lists:sum([receive {sum, S} -> S end || _ <- To]),
    bench:timed(Row, Start, N, Sum).
