%% SPDX-License-Identifier: BSD-3-Clause
-module(savina).
-export([rows/0]).

rows() ->
    [{"big", fun big/2}, {"chameneos", fun chameneos/2}, {"concurrent-dictionary", fun dictionary/2}].

shares(All) -> lists:sum([receive {share, S} -> S end || _ <- All]).

big(N, _) ->
    Boss = self(),
    All = list_to_tuple([spawn(fun() -> big_begin(Own, N div 120, Boss) end) || Own <- lists:seq(1, 120)]),
    bench:settle_down(),
    Start = bench:now_ns(),
    [P ! {all, All} || P <- tuple_to_list(All)],
    Sum = shares(tuple_to_list(All)),
    bench:timed("big", Start, N, Sum).

big_begin(Own, Count, Boss) ->
    receive {all, All} -> big_ping(All, self(), Own, Count, 0, Boss) end.

big_ping(All, Self, Dice, 0, Pongs, Boss) ->
    Boss ! {share, Pongs},
    big_loop(All, Self, Dice, 0, Pongs, Boss);
big_ping(All, Self, Dice, Left, Pongs, Boss) ->
    Next = bench:burn(Dice, 1),
    element(1 + Next rem 120, All) ! {ping, Self},
    big_loop(All, Self, Next, Left - 1, Pongs, Boss).

big_loop(All, Self, Dice, Left, Pongs, Boss) ->
    receive
        {ping, From} ->
            From ! pong,
            big_loop(All, Self, Dice, Left, Pongs, Boss);
        pong -> big_ping(All, Self, Dice, Left, Pongs + 1, Boss)
    end.

chameneos(N, _) ->
    Boss = self(),
    Mall = spawn(fun() -> mall(N, none) end),
    All = [spawn(fun() -> receive begin_now -> visit(Mall, I rem 3, 0, Boss) end end) || I <- lists:seq(1, 100)],
    bench:settle_down(),
    Start = bench:now_ns(),
    [P ! begin_now || P <- All],
    Sum = shares(All),
    bench:timed("chameneos", Start, N, Sum).

mall(0, none) -> receive {Who, _} -> Who ! closed, mall(0, none) end;
mall(Left, none) -> receive First -> mall(Left, First) end;
mall(Left, {First, Colour}) ->
    receive
        {Who, Other} ->
            Who ! Colour,
            First ! Other,
            mall(Left - 1, none)
    end.

visit(Mall, Colour, Meetings, Boss) ->
    Mall ! {self(), Colour},
    receive
        closed -> Boss ! {share, Meetings};
        Other -> visit(Mall, (Colour + Other) rem 3, Meetings + 1, Boss)
    end.

dictionary(N, _) ->
    Boss = self(),
    Server = spawn(fun() -> serve(#{}) end),
    All = [spawn(fun() -> receive begin_now -> Boss ! {share, read(Server, I, 0, N div 20, 0)} end end)
           || I <- lists:seq(1, 20)],
    bench:settle_down(),
    Start = bench:now_ns(),
    [P ! begin_now || P <- All],
    Sum = shares(All),
    bench:timed("concurrent-dictionary", Start, N, Sum).

serve(Entries) ->
    receive
        {From, Mark, {put, Key, Value}} ->
            From ! {Mark, Value},
            serve(Entries#{Key => Value});
        {From, Mark, {find, Key}} ->
            From ! {Mark, maps:get(Key, Entries, 0)},
            serve(Entries)
    end.

read(_, _, Count, Count, Answers) -> Answers;
read(Server, Dice, I, Count, Answers) ->
    Next = bench:burn(Dice, 1),
    Question = case I rem 10 of
                   0 -> {put, Next rem 512, I};
                   _ -> {find, Next rem 512}
               end,
    true = messaging:call(Server, Question) >= 0,
    read(Server, Next, I + 1, Count, Answers + 1).
