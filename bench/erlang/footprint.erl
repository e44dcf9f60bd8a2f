%% SPDX-License-Identifier: BSD-3-Clause
-module(footprint).
-export([rows/0]).

rows() ->
    [{"memory-per-idle-actor", fun memory/2}, {"idle-cpu", fun idle_cpu/2}, {"head-of-line", fun head_of_line/2},
     {"timer", fun timer_row/2}].

field(File, Index) ->
    {ok, Text} = file:read_file(File),
    list_to_integer(lists:nth(Index, string:lexemes(binary_to_list(Text), " \n"))).

resident() -> field("/proc/self/statm", 2) * 4096.

idle() -> receive _ -> idle() end.

idlers(N) -> [spawn(fun idle/0) || _ <- lists:seq(1, N)].

memory(N, _) ->
    bench:settle_down(),
    Before = resident(),
    All = idlers(N),
    timer:sleep(500),
    bench:figure("memory-per-idle-actor", "bytes", (resident() - Before) / N, length(All)).

%% CPU seconds and context switches, summed over the threads.
usage() ->
    {ok, Threads} = file:list_dir("/proc/self/task"),
    Cpu = lists:sum([field("/proc/self/task/" ++ T ++ "/schedstat", 1) || T <- Threads]) / 1.0e9,
    {Cpu, lists:sum([switches("/proc/self/task/" ++ T ++ "/status") || T <- Threads])}.

switches(File) ->
    {ok, Text} = file:read_file(File),
    {match, Found} = re:run(Text, "ctxt_switches:\\s*(\\d+)", [global, {capture, [1], list}]),
    lists:sum([list_to_integer(X) || [X] <- Found]).

idle_cpu(N, _) ->
    All = idlers(N),
    [P ! 1 || P <- All],
    timer:sleep(500),
    {Cpu, Switches} = usage(),
    timer:sleep(10000),
    {CpuAfter, SwitchesAfter} = usage(),
    bench:figure("idle-cpu", "cpu-s", CpuAfter - Cpu, length(All)),
    bench:figure("idle-switches", "switches", SwitchesAfter - Switches, length(All)).

head_of_line(N, _) ->
    Boss = self(),
    Witness = spawn(fun() -> witness(Boss) end),
    Hog = spawn(fun() -> hog(Witness) end),
    All = [begin
               timer:sleep(5),
               Hog ! 20000000,
               timer:sleep(25),
               receive {late, L} -> L end
           end || _ <- lists:seq(1, N)],
    bench:figure("head-of-line", "us", bench:quantile(All, 0.9) / 1000, length(All)).

witness(Boss) ->
    receive
        At ->
            Boss ! {late, bench:now_ns() - At},
            witness(Boss)
    end.

hog(Witness) ->
    receive
        Ns ->
            Start = bench:now_ns(),
            Witness ! Start,
            compute(Start + Ns),
            hog(Witness)
    end.

compute(End) ->
    case bench:now_ns() < End of
        true -> compute(End);
        false -> ok
    end.

timer_row(N, _) ->
    Boss = self(),
    {Cpu, _} = usage(),
    All = [spawn(fun() -> Boss ! {late, sleeper(I, N div 100)} end) || I <- lists:seq(1, 100)],
    Late = lists:append([receive {late, L} -> L end || _ <- All]),
    {CpuAfter, _} = usage(),
    bench:figure("timer", "us", bench:quantile(Late, 0.99) / 1000, length(Late)),
    bench:figure("timer-p50", "us", bench:quantile(Late, 0.5) / 1000, length(Late)),
    bench:figure("timer-cpu", "us", (CpuAfter - Cpu) * 1.0e6 / N, length(Late)).

sleeper(Dice, Count) ->
    set(Dice, Count),
    [receive {due, At} -> bench:now_ns() - At end || _ <- lists:seq(1, Count)].

set(_, 0) -> ok;
set(Dice, Count) ->
    Next = bench:burn(Dice, 1),
    Ms = 1000 + Next * 15 div 1000,
    erlang:send_after(Ms, self(), {due, bench:now_ns() + Ms * 1000000}),
    set(Next, Count - 1).
