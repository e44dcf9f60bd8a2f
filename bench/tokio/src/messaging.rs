// SPDX-License-Identifier: BSD-3-Clause
use crate::{figure, runtime, settle_down, timed, Rows, RunSize};
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};

pub fn add_rows(rows: &mut Rows) {
    rows.push(("ping-pong", |s| {
        play(s, 1, "ping-pong");
    }));
    rows.push(("pairs", |s| {
        play(s, 50, "pairs");
    }));
    rows.push(("scaling", scaling));
    rows.push(("ring-100", |s| ring(s, 100, "ring-100")));
    rows.push(("ring-503", |s| ring(s, 503, "ring-503")));
    rows.push(("request-reply", request_reply));
    rows.push(("counting", |s| flood(s, 1, 1, "counting")));
    rows.push(("fan-in", |s| flood(s, 8, 1, "fan-in")));
    rows.push(("fan-out", |s| flood(s, 1, 60, "fan-out")));
}

type Sender = mpsc::UnboundedSender<i64>;

async fn player(mut own: mpsc::UnboundedReceiver<i64>, partner: Sender, done: Sender) {
    let mut hits = 0;
    while let Some(left) = own.recv().await {
        hits += 1;
        if left == 0 {
            let _ = done.send(hits);
            return;
        }
        let _ = partner.send(left - 1);
    }
}

fn play(s: RunSize, pairs: u64, row: &str) -> f64 {
    let rt = runtime(s.workers);
    let rounds = s.n / pairs;
    let (done, mut ended) = mpsc::unbounded_channel();
    let mut first = Vec::new();
    for _ in 0..pairs {
        let (to_a, a) = mpsc::unbounded_channel();
        let (to_b, b) = mpsc::unbounded_channel();
        rt.spawn(player(a, to_b, done.clone()));
        rt.spawn(player(b, to_a.clone(), done.clone()));
        first.push(to_a);
    }
    settle_down();
    let start = Instant::now();
    for to in &first {
        let _ = to.send(2 * rounds as i64);
    }
    let mut hits = 0;
    for _ in 0..pairs {
        hits += ended.blocking_recv().expect("the hits");
    }
    let took = start.elapsed().as_nanos() as f64 / (rounds * pairs) as f64;
    figure(row, "ns", took, hits - pairs as i64);
    took
}

fn scaling(s: RunSize) {
    let one = play(RunSize { n: s.n, workers: 1 }, 50, "scaling-1");
    let mut workers = 2;
    while workers < s.workers {
        play(RunSize { n: s.n, workers }, 50, &format!("scaling-{workers}"));
        workers *= 2;
    }
    let all = play(s, 50, &format!("scaling-{}", s.workers));
    figure("scaling", "speed-up", one / all, 0);
}

fn ring(s: RunSize, members: usize, row: &str) {
    let rt = runtime(s.workers);
    let (done, mut ended) = mpsc::unbounded_channel();
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..members).map(|_| mpsc::unbounded_channel::<i64>()).unzip();
    let mut tasks = Vec::new();
    for (i, mut own) in receivers.into_iter().enumerate() {
        let next = senders[(i + 1) % members].clone();
        let done = done.clone();
        tasks.push(rt.spawn(async move {
            let mut passed = 0i64;
            while let Some(left) = own.recv().await {
                if left < 0 {
                    break;
                }
                passed += 1;
                if left == 0 {
                    let _ = done.send(());
                } else {
                    let _ = next.send(left - 1);
                }
            }
            passed
        }));
    }
    settle_down();
    let start = Instant::now();
    let _ = senders[0].send(s.n as i64);
    ended.blocking_recv();
    let took = start.elapsed().as_nanos() as f64 / s.n as f64;
    senders.iter().for_each(|to| drop(to.send(-1)));
    let passed: i64 = tasks.into_iter().map(|t| rt.block_on(t).expect("a count")).sum();
    figure(row, "ns", took, passed - 1);
}

fn request_reply(s: RunSize) {
    let rt = runtime(s.workers);
    let (to_server, mut questions) = mpsc::unbounded_channel::<(i64, oneshot::Sender<i64>)>();
    rt.spawn(async move {
        while let Some((number, answer)) = questions.recv().await {
            let _ = answer.send(number + 1);
        }
    });
    let (begin, begun) = oneshot::channel::<u64>();
    let (done, ended) = oneshot::channel::<i64>();
    rt.spawn(async move {
        let n = begun.await.expect("a number");
        let mut sum = 0;
        for i in 0..n as i64 {
            let (answer, answered) = oneshot::channel();
            let _ = to_server.send((i, answer));
            sum += answered.await.expect("an answer") - i;
        }
        let _ = done.send(sum);
    });
    settle_down();
    let start = Instant::now();
    let _ = begin.send(s.n);
    let sum = ended.blocking_recv().expect("a sum");
    timed("request-reply", start, s.n, sum);
}

/// Unbounded channels: bounded ones of 1024 take two to six times as long here.
fn flood(s: RunSize, producers: u64, consumers: usize, row: &str) {
    let rt = runtime(s.workers);
    let (done, mut ended) = mpsc::unbounded_channel::<i64>();
    let (begin, _) = tokio::sync::broadcast::channel::<()>(1);
    let total = s.n / producers;
    let expected = s.n / consumers as u64;
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..consumers).map(|_| mpsc::unbounded_channel::<i64>()).unzip();
    for mut own in receivers {
        let done = done.clone();
        rt.spawn(async move {
            let mut sum = 0;
            for _ in 0..expected {
                sum += own.recv().await.expect("an item");
            }
            let _ = done.send(sum);
        });
    }
    for _ in 0..producers {
        let (to, mut begun) = (senders.clone(), begin.subscribe());
        rt.spawn(async move {
            let _ = begun.recv().await;
            for i in 0..total as usize {
                let _ = to[i % to.len()].send(1);
            }
        });
    }
    settle_down();
    let start = Instant::now();
    let _ = begin.send(());
    let mut sum = 0;
    for _ in 0..consumers {
        sum += ended.blocking_recv().expect("a sum");
    }
    timed(row, start, s.n, sum);
}
