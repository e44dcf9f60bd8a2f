// SPDX-License-Identifier: BSD-3-Clause

// The same work in Go: an actor is a goroutine with a bounded channel of 1024.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"time"
)

const channelCapacity = 1024

type runSize struct {
	n       int
	workers int
}

var rows = map[string]func(runSize){}

func printFigure(row, unit string, value float64, check int64) {
	fmt.Printf("%s %s %.6g %d\n", row, unit, value, check)
}

func printTime(row string, start time.Time, n int, check int64) {
	printFigure(row, "ns", float64(time.Since(start).Nanoseconds())/float64(n), check)
}

func settleDown() { time.Sleep(20 * time.Millisecond) }

// quantile sorts its samples.
func quantile(samples []int64, q float64) float64 {
	sort.Slice(samples, func(i, j int) bool { return samples[i] < samples[j] })
	i := int(q * float64(len(samples)))
	if i >= len(samples) {
		i = len(samples) - 1
	}
	return float64(samples[i])
}

// burn does work of a fixed size: steps of Savina's generator.
func burn(seed int64, steps int) int64 {
	for i := 0; i < steps; i++ {
		seed = (seed*1309 + 13849) & 65535
	}
	return seed
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "--rows" {
		for name := range rows {
			fmt.Println(name)
		}
		return
	}
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: bench --rows | ROW N WORKERS")
		os.Exit(2)
	}
	n, _ := strconv.Atoi(os.Args[2])
	workers, _ := strconv.Atoi(os.Args[3])
	run, found := rows[os.Args[1]]
	if !found || n <= 0 || workers <= 0 {
		fmt.Fprintln(os.Stderr, "no such row, or a wrong number")
		os.Exit(2)
	}
	runtime.GOMAXPROCS(workers)
	run(runSize{n, workers})
}
