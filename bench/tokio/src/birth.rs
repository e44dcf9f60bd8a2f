// SPDX-License-Identifier: BSD-3-Clause
use crate::{burn, runtime, settle_down, timed, Rows, RunSize};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};

pub fn add_rows(rows: &mut Rows) {
    rows.push(("spawn", spawn));
    rows.push(("fork-join", fork_join));
    rows.push(("skynet", skynet));
}

/// Each child gets a channel, one message in it, answers its parent and ends.
fn spawn(s: RunSize) {
    let rt = runtime(s.workers);
    settle_down();
    let start = Instant::now();
    let sum = rt.block_on(async move {
        tokio::spawn(async move {
            let (parent, mut answers) = mpsc::unbounded_channel::<i64>();
            for _ in 0..s.n {
                let (to_child, mut own) = mpsc::unbounded_channel::<i64>();
                let parent = parent.clone();
                tokio::spawn(async move {
                    if let Some(number) = own.recv().await {
                        let _ = parent.send(number);
                    }
                });
                let _ = to_child.send(1);
            }
            let mut sum = 0;
            for _ in 0..s.n {
                sum += answers.recv().await.expect("an answer");
            }
            sum
        })
        .await
        .expect("a sum")
    });
    timed("spawn", start, s.n, sum);
}

fn fork_join(s: RunSize) {
    let rt = runtime(s.workers);
    let sum = Arc::new(AtomicI64::new(0));
    let (done, ended) = oneshot::channel::<()>();
    let done = Arc::new(std::sync::Mutex::new(Some(done)));
    let total = s.n as i64;
    settle_down();
    let start = Instant::now();
    let shared = sum.clone();
    rt.spawn(async move {
        for i in 0..total {
            let (to_child, mut own) = mpsc::unbounded_channel::<i64>();
            let (sum, done) = (shared.clone(), done.clone());
            tokio::spawn(async move {
                let number = own.recv().await.unwrap_or(0);
                if sum.fetch_add(1 + (burn(number, 25) & 0), Ordering::SeqCst) + 1 == total {
                    done.lock().expect("the end").take().map(|d| d.send(()));
                }
            });
            let _ = to_child.send(i);
        }
    });
    let _ = ended.blocking_recv();
    timed("fork-join", start, s.n, sum.load(Ordering::SeqCst));
}

fn grow(number: i64, leaves: i64, parent: mpsc::UnboundedSender<i64>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        if leaves == 1 {
            let _ = parent.send(number);
            return;
        }
        let (own, mut subtotals) = mpsc::unbounded_channel();
        for i in 0..10 {
            tokio::spawn(grow(number + i * (leaves / 10), leaves / 10, own.clone()));
        }
        let mut sum = 0;
        for _ in 0..10 {
            sum += subtotals.recv().await.expect("a subtotal");
        }
        let _ = parent.send(sum);
    })
}

fn skynet(s: RunSize) {
    let rt = runtime(s.workers);
    let (root, mut total) = mpsc::unbounded_channel();
    settle_down();
    let start = Instant::now();
    rt.spawn(grow(0, s.n as i64, root));
    let sum = total.blocking_recv().expect("the total");
    timed("skynet", start, s.n, sum);
}
