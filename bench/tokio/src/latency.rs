// SPDX-License-Identifier: BSD-3-Clause
use crate::{burn, figure, quantile, runtime, settle_down, Rows, RunSize};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{unbounded_channel, UnboundedSender};

pub fn add_rows(rows: &mut Rows) {
    rows.push(("wake-up", wake_up));
    rows.push(("head-of-line", head_of_line));
    rows.push(("latency-1", |s| latency(s, 1)));
    rows.push(("latency-10", |s| latency(s, 10)));
    rows.push(("latency-50", |s| latency(s, 50)));
    rows.push(("latency-95", |s| latency(s, 95)));
    rows.push(("memory-per-idle-actor", memory));
    rows.push(("idle-cpu", idle_cpu));
    rows.push(("timer", timer));
}

fn sleep_ns(ns: i64) {
    if ns > 0 {
        std::thread::sleep(Duration::from_nanos(ns as u64));
    }
}

fn print(row: &str, samples: &mut [i64], q: f64) {
    figure(row, "us", quantile(samples, q) / 1000.0, samples.len() as i64);
}

type Times = tokio::task::JoinHandle<Vec<i64>>;

fn witness(rt: &tokio::runtime::Runtime, n: u64, epoch: Instant) -> (UnboundedSender<i64>, Times) {
    let (to, mut own) = unbounded_channel::<i64>();
    let all = rt.spawn(async move {
        let mut all = Vec::with_capacity(n as usize);
        for _ in 0..n {
            let at = own.recv().await.expect("a time");
            all.push(epoch.elapsed().as_nanos() as i64 - at);
        }
        all
    });
    (to, all)
}

fn wake_up(s: RunSize) {
    let rt = runtime(s.workers);
    let epoch = Instant::now();
    let (to, all) = witness(&rt, s.n, epoch);
    let mut dice = 74755;
    for _ in 0..s.n {
        dice = burn(dice, 1);
        sleep_ns(1_000_000 + dice * 61);
        let _ = to.send(epoch.elapsed().as_nanos() as i64);
    }
    let mut all = rt.block_on(all).expect("the times");
    print("wake-up", &mut all, 0.5);
    print("wake-up-p99", &mut all, 0.99);
}

fn head_of_line(s: RunSize) {
    let rt = runtime(s.workers);
    let epoch = Instant::now();
    let (to, all) = witness(&rt, s.n, epoch);
    let (hog, mut orders) = unbounded_channel::<i64>();
    rt.spawn(async move {
        while let Some(ns) = orders.recv().await {
            let start = epoch.elapsed().as_nanos() as i64;
            let _ = to.send(start);
            while epoch.elapsed().as_nanos() as i64 - start < ns {}
        }
    });
    for _ in 0..s.n {
        sleep_ns(5_000_000);
        let _ = hog.send(20_000_000);
        sleep_ns(25_000_000);
    }
    let mut all = rt.block_on(all).expect("the times");
    print("head-of-line", &mut all, 0.9);
}

enum Mail {
    Due(i64),
    Done(i64),
}

fn latency(s: RunSize, percent: u32) {
    const SERVERS: usize = 8;
    const COST: u32 = 8000;
    const CALIBRATION: u64 = 6000;
    const WAITING: u64 = 64;
    let rt = runtime(s.workers);
    let epoch = Instant::now();
    let now = move || epoch.elapsed().as_nanos() as i64;
    let (front, mut mail) = unbounded_channel::<Mail>();
    let mut servers = Vec::new();
    for _ in 0..SERVERS {
        let (to, mut requests) = unbounded_channel::<i64>();
        let front = front.clone();
        rt.spawn(async move {
            while let Some(due) = requests.recv().await {
                std::hint::black_box(burn(due, COST));
                let _ = front.send(Mail::Done(due));
            }
        });
        servers.push(to);
    }
    let added = Arc::new(AtomicU64::new(0));
    let samples = Arc::new(Mutex::new(Vec::<i64>::with_capacity((s.n + CALIBRATION) as usize)));
    let (counter, store) = (added.clone(), samples.clone());
    rt.spawn(async move {
        let mut next = 0;
        while let Some(m) = mail.recv().await {
            match m {
                Mail::Due(due) => {
                    let _ = servers[next % SERVERS].send(due);
                    next += 1;
                }
                Mail::Done(due) => {
                    store.lock().expect("the samples").push(now() - due);
                    counter.fetch_add(1, Ordering::SeqCst);
                }
            }
        }
    });
    let wait = |n: u64| {
        while added.load(Ordering::SeqCst) < n {
            sleep_ns(100_000);
        }
    };
    let begun = now();
    for i in 0..CALIBRATION {
        while i - added.load(Ordering::SeqCst).min(i) >= WAITING {
            sleep_ns(50_000);
        }
        let _ = front.send(Mail::Due(now()));
    }
    wait(CALIBRATION);
    let gap = (now() - begun) as f64 / CALIBRATION as f64 * 100.0 / f64::from(percent);
    let n = ((2e9 / gap) as u64).min(s.n).max(300);
    let (mut dice, mut due) = (74755, (now() + 5_000_000) as f64);
    for _ in 0..n {
        sleep_ns(due as i64 - now());
        let _ = front.send(Mail::Due(due as i64));
        dice = burn(dice, 1);
        due -= gap * ((dice as f64 + 1.0) / 65536.0).ln();
    }
    wait(CALIBRATION + n);
    let mut measured = samples.lock().expect("the samples")[CALIBRATION as usize..].to_vec();
    let row = format!("latency-{percent}");
    print(&row, &mut measured, 0.99);
    print(&format!("{row}-p50"), &mut measured, 0.5);
    print(&format!("{row}-p999"), &mut measured, 0.999);
}

fn resident() -> i64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split(' ').nth(1).and_then(|pages| pages.parse::<i64>().ok()).unwrap_or(0) * 4096
}

fn idlers(rt: &tokio::runtime::Runtime, n: u64) -> Vec<UnboundedSender<i64>> {
    (0..n)
        .map(|_| {
            let (to, mut own) = unbounded_channel();
            rt.spawn(async move {
                let mut nudges = 0;
                while let Some(n) = own.recv().await {
                    nudges += n;
                }
                std::hint::black_box(nudges);
            });
            to
        })
        .collect()
}

fn memory(s: RunSize) {
    let rt = runtime(s.workers);
    settle_down();
    let before = resident();
    let all = idlers(&rt, s.n);
    sleep_ns(500_000_000);
    figure("memory-per-idle-actor", "bytes", (resident() - before) as f64 / s.n as f64, all.len() as i64);
}

fn usage() -> (f64, i64) {
    let mut u = unsafe { std::mem::zeroed::<libc::rusage>() };
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut u) };
    let seconds = |t: libc::timeval| t.tv_sec as f64 + 1e-6 * t.tv_usec as f64;
    (seconds(u.ru_utime) + seconds(u.ru_stime), u.ru_nvcsw + u.ru_nivcsw)
}

fn idle_cpu(s: RunSize) {
    let rt = runtime(s.workers);
    let all = idlers(&rt, s.n);
    all.iter().for_each(|a| drop(a.send(1)));
    sleep_ns(500_000_000);
    let (cpu, switches) = usage();
    sleep_ns(10_000_000_000);
    let (cpu_after, switches_after) = usage();
    figure("idle-cpu", "cpu-s", cpu_after - cpu, all.len() as i64);
    figure("idle-switches", "switches", (switches_after - switches) as f64, all.len() as i64);
}

/// A timer is a task that sleeps: tokio has no other.
fn timer(s: RunSize) {
    const SLEEPERS: u64 = 100;
    let rt = runtime(s.workers);
    let left = Arc::new(AtomicI64::new(s.n as i64));
    let lateness = Arc::new((0..s.n).map(|_| AtomicI64::new(0)).collect::<Vec<_>>());
    let (done, mut ended) = unbounded_channel::<()>();
    settle_down();
    let (cpu, _) = usage();
    for i in 0..SLEEPERS {
        let (left, lateness, done) = (left.clone(), lateness.clone(), done.clone());
        rt.spawn(async move {
            let mut dice = i as i64;
            for _ in 0..s.n / SLEEPERS {
                dice = burn(dice, 1);
                let due = Instant::now() + Duration::from_nanos((1_000_000_000 + dice * 15_000) as u64);
                let (left, lateness, done) = (left.clone(), lateness.clone(), done.clone());
                tokio::spawn(async move {
                    tokio::time::sleep_until(due.into()).await;
                    let late = due.elapsed().as_nanos() as i64;
                    let l = left.fetch_sub(1, Ordering::SeqCst) - 1;
                    lateness[l as usize].store(late, Ordering::SeqCst);
                    if l == 0 {
                        let _ = done.send(());
                    }
                });
            }
        });
    }
    ended.blocking_recv();
    let (cpu_after, _) = usage();
    let mut all: Vec<i64> = lateness.iter().map(|l| l.load(Ordering::SeqCst)).collect();
    print("timer", &mut all, 0.99);
    print("timer-p50", &mut all, 0.5);
    figure("timer-cpu", "us", (cpu_after - cpu) * 1e6 / s.n as f64, s.n as i64);
}
