// SPDX-License-Identifier: BSD-3-Clause
//! The same work on tokio: an actor is a task with an mpsc channel, on the multi-thread runtime.

mod birth;
mod latency;
mod messaging;
mod savina;

use std::time::Instant;

#[derive(Clone, Copy)]
pub struct RunSize {
    pub n: u64,
    pub workers: usize,
}

pub type Rows = Vec<(&'static str, fn(RunSize))>;

pub fn runtime(workers: usize) -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_time().build().expect("a runtime")
}

pub fn figure(row: &str, unit: &str, value: f64, check: i64) {
    println!("{row} {unit} {value:.4} {check}");
}

pub fn timed(row: &str, start: Instant, n: u64, check: i64) {
    figure(row, "ns", start.elapsed().as_nanos() as f64 / n as f64, check);
}

pub fn settle_down() {
    std::thread::sleep(std::time::Duration::from_millis(20));
}

/// Work of a fixed size: steps of Savina's generator.
pub fn burn(seed: i64, steps: u32) -> i64 {
    (0..steps).fold(seed, |value, _| (value * 1309 + 13849) & 65535)
}

pub fn quantile(samples: &mut [i64], q: f64) -> f64 {
    samples.sort_unstable();
    samples[((q * samples.len() as f64) as usize).min(samples.len() - 1)] as f64
}

fn main() {
    let mut rows = Rows::new();
    messaging::add_rows(&mut rows);
    birth::add_rows(&mut rows);
    savina::add_rows(&mut rows);
    latency::add_rows(&mut rows);
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.len() == 2 && arguments[1] == "--rows" {
        rows.iter().for_each(|(name, _)| println!("{name}"));
        return;
    }
    let number = |i: usize| arguments.get(i).and_then(|a| a.parse::<u64>().ok());
    match (rows.iter().find(|(name, _)| Some(*name) == arguments.get(1).map(String::as_str)), number(2), number(3)) {
        (Some((_, run)), Some(n), Some(workers)) => run(RunSize { n, workers: workers as usize }),
        _ => {
            eprintln!("usage: bench_tokio --rows | ROW N WORKERS");
            std::process::exit(2);
        }
    }
}
