// SPDX-License-Identifier: BSD-3-Clause
use crate::{burn, figure, runtime, settle_down, timed, Rows, RunSize};
use std::collections::{HashMap, VecDeque};
use std::time::Instant;
use tokio::sync::mpsc::{unbounded_channel, UnboundedReceiver, UnboundedSender};
use tokio::sync::{broadcast, oneshot};

pub fn add_rows(rows: &mut Rows) {
    rows.push(("big", big));
    rows.push(("chameneos", chameneos));
    rows.push(("concurrent-dictionary", concurrent_dictionary));
    rows.push(("bounded-buffer", bounded_buffer));
    rows.push(("banking", banking));
}

fn sum_of(ended: &mut UnboundedReceiver<i64>, n: usize) -> i64 {
    (0..n).map(|_| ended.blocking_recv().expect("a share")).sum()
}

enum Big {
    Begin,
    Ping(usize),
    Pong,
}

fn big(s: RunSize) {
    const ACTORS: usize = 120;
    let rt = runtime(s.workers);
    let (done, mut ended) = unbounded_channel();
    let (all, receivers): (Vec<_>, Vec<_>) = (0..ACTORS).map(|_| unbounded_channel::<Big>()).unzip();
    for (own, mut messages) in receivers.into_iter().enumerate() {
        let (all, done) = (all.clone(), done.clone());
        rt.spawn(async move {
            let (mut dice, mut left, mut pongs) = (own as i64, s.n / ACTORS as u64, 0);
            while let Some(m) = messages.recv().await {
                match m {
                    Big::Ping(from) => {
                        let _ = all[from].send(Big::Pong);
                        continue;
                    }
                    Big::Pong => pongs += 1,
                    Big::Begin => (),
                }
                if left > 0 {
                    left -= 1;
                    dice = burn(dice, 1);
                    let _ = all[dice as usize % ACTORS].send(Big::Ping(own));
                } else {
                    let _ = done.send(pongs);
                }
            }
        });
    }
    settle_down();
    let start = Instant::now();
    all.iter().for_each(|a| drop(a.send(Big::Begin)));
    let sum = sum_of(&mut ended, ACTORS);
    timed("big", start, s.n, sum);
}

fn chameneos(s: RunSize) {
    const CREATURES: usize = 100;
    let rt = runtime(s.workers);
    let (mall, mut visitors) = unbounded_channel::<(UnboundedSender<i32>, i32)>();
    let (done, mut ended) = unbounded_channel();
    let (begin, _) = broadcast::channel::<()>(1);
    rt.spawn(async move {
        let mut left = s.n;
        let mut waiting: Option<(UnboundedSender<i32>, i32)> = None;
        while let Some((who, colour)) = visitors.recv().await {
            if left == 0 {
                let _ = who.send(-1);
            } else if let Some((first, other)) = waiting.take() {
                left -= 1;
                let _ = who.send(other);
                let _ = first.send(colour);
            } else {
                waiting = Some((who, colour));
            }
        }
    });
    for i in 0..CREATURES {
        let (mall, done, mut begun) = (mall.clone(), done.clone(), begin.subscribe());
        rt.spawn(async move {
            let (own, mut met) = unbounded_channel();
            let (mut colour, mut meetings) = (i as i32 % 3, 0);
            let _ = begun.recv().await;
            let _ = mall.send((own.clone(), colour));
            while let Some(other) = met.recv().await {
                if other < 0 {
                    break;
                }
                meetings += 1;
                colour = (colour + other) % 3;
                let _ = mall.send((own.clone(), colour));
            }
            let _ = done.send(meetings);
        });
    }
    settle_down();
    let start = Instant::now();
    let _ = begin.send(());
    let sum = sum_of(&mut ended, CREATURES);
    timed("chameneos", start, s.n, sum);
}

fn concurrent_dictionary(s: RunSize) {
    const READERS: usize = 20;
    let rt = runtime(s.workers);
    let (to, mut requests) = unbounded_channel::<(i64, Option<i64>, oneshot::Sender<i64>)>();
    let (done, mut ended) = unbounded_channel();
    let (begin, _) = broadcast::channel::<()>(1);
    rt.spawn(async move {
        let mut entries = HashMap::new();
        while let Some((key, value, answer)) = requests.recv().await {
            if let Some(v) = value {
                entries.insert(key, v);
            }
            let _ = answer.send(entries.get(&key).copied().unwrap_or(0));
        }
    });
    for i in 0..READERS {
        let (to, done, mut begun) = (to.clone(), done.clone(), begin.subscribe());
        rt.spawn(async move {
            let _ = begun.recv().await;
            let (mut dice, mut answers) = (i as i64 + 1, 0);
            for i in 0..s.n as i64 / READERS as i64 {
                dice = burn(dice, 1);
                let (answer, answered) = oneshot::channel();
                let _ = to.send((dice % 512, if i % 10 == 0 { Some(i) } else { None }, answer));
                answers += i64::from(answered.await.expect("an answer") >= 0);
            }
            let _ = done.send(answers);
        });
    }
    settle_down();
    let start = Instant::now();
    let _ = begin.send(());
    let sum = sum_of(&mut ended, READERS);
    timed("concurrent-dictionary", start, s.n, sum);
}

enum Parcel {
    Goods(UnboundedSender<()>, i64),
    Hungry(UnboundedSender<i64>),
}

/// The manager with the same messages as everywhere; a bounded channel alone would be another program.
fn bounded_buffer(s: RunSize) {
    const PARTIES: usize = 40;
    const BUFFER: usize = 50;
    const COST: u32 = 25;
    let rt = runtime(s.workers);
    let (manager, mut parcels) = unbounded_channel();
    let (done, mut ended) = unbounded_channel::<i64>();
    let (begin, _) = broadcast::channel::<()>(1);
    rt.spawn(async move {
        let (mut buffer, mut hungry, mut paused) = (VecDeque::new(), VecDeque::new(), VecDeque::new());
        while let Some(p) = parcels.recv().await {
            match p {
                Parcel::Goods(from, number) => {
                    match hungry.pop_front() {
                        Some(who) => drop(UnboundedSender::send(&who, number)),
                        None => buffer.push_back(number),
                    }
                    if buffer.len() + PARTIES > BUFFER {
                        paused.push_back(from);
                    } else {
                        let _ = from.send(());
                    }
                }
                Parcel::Hungry(who) => match buffer.pop_front() {
                    None => hungry.push_back(who),
                    Some(number) => {
                        let _ = who.send(number);
                        if let Some(from) = paused.pop_front() {
                            let _ = UnboundedSender::send(&from, ());
                        }
                    }
                },
            }
        }
    });
    for _ in 0..PARTIES {
        let (to, mut begun) = (manager.clone(), begin.subscribe());
        rt.spawn(async move {
            let _ = begun.recv().await;
            let (want, mut wanted) = unbounded_channel();
            for left in (0..s.n as i64 / PARTIES as i64).rev() {
                let _ = to.send(Parcel::Goods(want.clone(), burn(left, COST)));
                let _ = wanted.recv().await;
            }
        });
        let (from, done, mut begun) = (manager.clone(), done.clone(), begin.subscribe());
        rt.spawn(async move {
            let _ = begun.recv().await;
            let (own, mut goods) = unbounded_channel();
            let mut taste = 0;
            loop {
                let _ = from.send(Parcel::Hungry(own.clone()));
                match goods.recv().await {
                    Some(number) => taste += burn(number, COST),
                    None => break,
                }
                if done.send(1).is_err() {
                    break;
                }
            }
            std::hint::black_box(taste);
        });
    }
    settle_down();
    let start = Instant::now();
    let _ = begin.send(());
    let sum = sum_of(&mut ended, s.n as usize);
    timed("bounded-buffer", start, s.n, sum);
}

enum Order {
    Credit(i64, oneshot::Sender<bool>),
    Transfer(i64, UnboundedSender<Order>, UnboundedSender<bool>),
    Balance(oneshot::Sender<i64>),
}

async fn account(mut orders: UnboundedReceiver<Order>) {
    let mut money = 1000;
    while let Some(o) = orders.recv().await {
        match o {
            Order::Credit(amount, through) => {
                money += amount;
                let _ = through.send(true);
            }
            Order::Transfer(amount, to, through) => {
                money -= amount;
                let (credit, credited) = oneshot::channel();
                let _ = to.send(Order::Credit(amount, credit));
                let _ = through.send(credited.await.expect("a credit"));
            }
            Order::Balance(answer) => drop(answer.send(money)),
        }
    }
}

fn banking(s: RunSize) {
    const ACCOUNTS: usize = 1000;
    const ON_THE_WAY: u64 = 500;
    let rt = runtime(s.workers);
    let mut all = Vec::new();
    for _ in 0..ACCOUNTS {
        let (to, orders) = unbounded_channel();
        rt.spawn(account(orders));
        all.push(to);
    }
    let (begin, begun) = oneshot::channel::<()>();
    let (done, ended) = oneshot::channel::<()>();
    let accounts = all.clone();
    rt.spawn(async move {
        let _ = begun.await;
        let (through, mut ends) = unbounded_channel();
        let (mut dice, mut sent) = (74755i64, 0);
        let mut roll = || {
            dice = burn(dice, 1);
            dice as usize
        };
        let mut transfer = || {
            if sent < s.n {
                sent += 1;
                let from = roll() % (ACCOUNTS / 10 * 8);
                let to = from + 1 + roll() % (ACCOUNTS - from - 1);
                let order = Order::Transfer((roll() % 100) as i64, accounts[to].clone(), through.clone());
                let _ = accounts[from].send(order);
            }
        };
        (0..ON_THE_WAY).for_each(|_| transfer());
        for _ in 0..s.n {
            let _ = ends.recv().await;
            transfer();
        }
        let _ = done.send(());
    });
    settle_down();
    let start = Instant::now();
    let _ = begin.send(());
    let _ = ended.blocking_recv();
    let took = start.elapsed().as_nanos() as f64 / s.n as f64;
    let mut money = 0;
    for a in &all {
        let (answer, answered) = oneshot::channel();
        let _ = a.send(Order::Balance(answer));
        money += answered.blocking_recv().expect("a balance");
    }
    figure("banking", "ns", took, money);
}
