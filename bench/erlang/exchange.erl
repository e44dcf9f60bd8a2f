%% SPDX-License-Identifier: BSD-3-Clause
-module(exchange).
-export([rows/0]).

-define(PARTIES, 40).
-define(BUFFER, 50).
-define(COST, 25).
-define(ACCOUNTS, 1000).

rows() -> [{"bounded-buffer", fun bounded_buffer/2}, {"banking", fun banking/2}].

bounded_buffer(N, _) ->
    Boss = self(),
    Manager = spawn(fun() -> manager(queue:new(), 0, queue:new(), queue:new()) end),
    Sinks = [spawn(fun() -> receive want -> sink(Manager, Boss, 0) end end) || _ <- lists:seq(1, ?PARTIES)],
    Sources = [spawn(fun() -> source(Manager, N div ?PARTIES) end) || _ <- lists:seq(1, ?PARTIES)],
    bench:settle_down(),
    Start = bench:now_ns(),
    [P ! want || P <- Sinks ++ Sources],
    consumed(N),
    bench:timed("bounded-buffer", Start, N, N).

consumed(0) -> ok;
consumed(N) -> receive one -> consumed(N - 1) end.

source(_, 0) -> ok;
source(Manager, Left) ->
    receive
        want ->
            Manager ! {goods, self(), bench:burn(Left, ?COST)},
            source(Manager, Left - 1)
    end.

sink(Manager, Boss, Taste) ->
    Manager ! {hungry, self()},
    receive
        Number ->
            More = Taste + bench:burn(Number, ?COST),
            Boss ! one,
            sink(Manager, Boss, More)
    end.

manager(Buffer, Size, Hungry, Paused) ->
    receive
        {goods, From, Number} ->
            case queue:out(Hungry) of
                {{value, Who}, Others} ->
                    Who ! Number,
                    admit(From, Buffer, Size, Others, Paused);
                {empty, _} -> admit(From, queue:in(Number, Buffer), Size + 1, Hungry, Paused)
            end;
        {hungry, Who} ->
            case queue:out(Buffer) of
                {empty, _} -> manager(Buffer, Size, queue:in(Who, Hungry), Paused);
                {{value, Number}, Rest} ->
                    Who ! Number,
                    case queue:out(Paused) of
                        {{value, From}, Others} ->
                            From ! want,
                            manager(Rest, Size - 1, Hungry, Others);
                        {empty, _} -> manager(Rest, Size - 1, Hungry, Paused)
                    end
            end
    end.

admit(From, Buffer, Size, Hungry, Paused) when Size + ?PARTIES > ?BUFFER ->
    manager(Buffer, Size, Hungry, queue:in(From, Paused));
admit(From, Buffer, Size, Hungry, Paused) ->
    From ! want,
    manager(Buffer, Size, Hungry, Paused).

%% A selective receive keeps other transfers waiting while one's own is on its way.
account(Money) ->
    receive
        {credit, From, Mark, Amount} ->
            From ! Mark,
            account(Money + Amount);
        {transfer, Teller, Amount, To} ->
            Mark = make_ref(),
            To ! {credit, self(), Mark, Amount},
            receive Mark -> Teller ! through end,
            account(Money - Amount);
        {balance, From} ->
            From ! {money, Money},
            account(Money)
    end.

banking(N, _) ->
    Boss = self(),
    All = list_to_tuple([spawn(fun() -> account(1000) end) || _ <- lists:seq(1, ?ACCOUNTS)]),
    Teller = spawn(fun() ->
                       receive begin_now -> ok end,
                       Window = min(500, N),
                       Dice = lists:foldl(fun(_, D) -> transfer(All, D) end, 74755, lists:seq(1, Window)),
                       teller(All, Dice, N - Window, N),
                       Boss ! done
                   end),
    bench:settle_down(),
    Start = bench:now_ns(),
    Teller ! begin_now,
    receive done -> ok end,
    Took = (bench:now_ns() - Start) / N,
    Money = lists:sum([begin A ! {balance, self()}, receive {money, M} -> M end end || A <- tuple_to_list(All)]),
    bench:figure("banking", "ns", Took, Money).

teller(_, _, _, 0) -> ok;
teller(All, Dice, Left, Pending) ->
    receive through -> ok end,
    case Left of
        0 -> teller(All, Dice, 0, Pending - 1);
        _ -> teller(All, transfer(All, Dice), Left - 1, Pending - 1)
    end.

transfer(All, Dice) ->
    D1 = bench:burn(Dice, 1),
    D2 = bench:burn(D1, 1),
    D3 = bench:burn(D2, 1),
    From = D1 rem (?ACCOUNTS div 10 * 8),
    To = From + 1 + D2 rem (?ACCOUNTS - From - 1),
    element(From + 1, All) ! {transfer, self(), D3 rem 100, element(To + 1, All)},
    D3.
