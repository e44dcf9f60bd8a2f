// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

func init() {
	rows["wake-up"] = wakeUp
	rows["head-of-line"] = headOfLine
	for _, percent := range []int{1, 10, 50, 95} {
		percent := percent
		rows[fmt.Sprintf("latency-%d", percent)] = func(s runSize) { latency(s, percent) }
	}
	rows["memory-per-idle-actor"] = memory
	rows["idle-cpu"] = idleCPU
	rows["timer"] = timer
}

var epoch = time.Now()

func nowNs() int64 { return int64(time.Since(epoch)) }

// sleepNs sleeps in the kernel: Go's own timers would add their lateness to what is measured.
func sleepNs(ns int64) {
	if ns > 0 {
		pause := syscall.NsecToTimespec(ns)
		_ = syscall.Nanosleep(&pause, nil)
	}
}

func printQuantile(row string, samples []int64, q float64) {
	printFigure(row, "us", quantile(samples, q)/1000, int64(len(samples)))
}

func wakeUp(s runSize) {
	runtime.LockOSThread() // the thread outside
	own := make(chan int64, channelCapacity)
	all := make([]int64, 0, s.n)
	done := make(chan struct{})
	go func() {
		for i := 0; i < s.n; i++ {
			at := <-own
			all = append(all, nowNs()-at)
		}
		close(done)
	}()
	dice := int64(74755)
	for i := 0; i < s.n; i++ {
		dice = burn(dice, 1)
		sleepNs(1000000 + dice*61)
		own <- nowNs()
	}
	<-done
	printQuantile("wake-up", all, 0.5)
	printQuantile("wake-up-p99", all, 0.99)
}

func headOfLine(s runSize) {
	witness, hog := make(chan int64, channelCapacity), make(chan int64, channelCapacity)
	all := make([]int64, 0, s.n)
	done := make(chan struct{})
	go func() {
		for i := 0; i < s.n; i++ {
			at := <-witness
			all = append(all, nowNs()-at)
		}
		close(done)
	}()
	go func() {
		for ns := range hog {
			start := nowNs()
			witness <- start
			for nowNs()-start < ns {
			}
		}
	}()
	runtime.LockOSThread()
	for i := 0; i < s.n; i++ {
		sleepNs(5000000)
		hog <- 20000000
		sleepNs(25000000)
	}
	<-done
	printQuantile("head-of-line", all, 0.9)
}

type request struct {
	due    int64
	answer chan request
	value  int64
}

func latency(s runSize, percent int) {
	const servers, cost, calibration, waiting = 8, 8000, 6000, 64
	runtime.LockOSThread()
	front := make(chan request, 1<<17)
	var to [servers]chan request
	for i := range to {
		to[i] = make(chan request, 1<<14)
		go func(own chan request) {
			for r := range own {
				r.value = burn(r.due, cost)
				r.answer <- r
			}
		}(to[i])
	}
	var added int64
	samples := make([]int64, 0, s.n+calibration)
	go func() { // requests and answers come in over one channel, as in an actor's mailbox
		next := 0
		for r := range front {
			if r.answer == nil {
				r.answer = front
				to[next%servers] <- r
				next++
			} else {
				samples = append(samples, nowNs()-r.due)
				atomic.AddInt64(&added, 1)
			}
		}
	}()
	await := func(n int64) {
		for atomic.LoadInt64(&added) < n {
			sleepNs(100000)
		}
	}
	begun := nowNs()
	for i := int64(0); i < calibration; i++ {
		for i-atomic.LoadInt64(&added) >= waiting {
			sleepNs(50000)
		}
		front <- request{due: nowNs()}
	}
	await(calibration)
	gap := float64(nowNs()-begun) / calibration * 100 / float64(percent)
	n := int64(math.Max(300, math.Min(float64(s.n), 2e9/gap)))
	dice, due := int64(74755), float64(nowNs()+5000000)
	for i := int64(0); i < n; i++ {
		sleepNs(int64(due) - nowNs())
		front <- request{due: int64(due)}
		dice = burn(dice, 1)
		due -= gap * math.Log((float64(dice)+1)/65536)
	}
	await(calibration + n)
	measured := samples[calibration:]
	row := fmt.Sprintf("latency-%d", percent)
	printQuantile(row, measured, 0.99)
	printQuantile(row+"-p50", measured, 0.5)
	printQuantile(row+"-p999", measured, 0.999)
}

func resident() int64 {
	var total, pages int64
	f, err := os.Open("/proc/self/statm")
	if err == nil {
		_, _ = fmt.Fscan(f, &total, &pages)
		_ = f.Close()
	}
	return pages * int64(os.Getpagesize())
}

// idlers wait on unbuffered channels, which are the smallest.
func idlers(n int) []chan int64 {
	all := make([]chan int64, n)
	for i := range all {
		own := make(chan int64)
		all[i] = own
		go func() {
			nudges := 0
			for range own {
				nudges++
			}
		}()
	}
	return all
}

func memory(s runSize) {
	settleDown()
	before := resident()
	all := idlers(s.n)
	time.Sleep(500 * time.Millisecond)
	printFigure("memory-per-idle-actor", "bytes", float64(resident()-before)/float64(s.n), int64(len(all)))
	runtime.KeepAlive(all)
}

func usage() (float64, int64) {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9, u.Nvcsw + u.Nivcsw
}

func idleCPU(s runSize) {
	all := idlers(s.n)
	for _, a := range all {
		a <- 1
	}
	time.Sleep(500 * time.Millisecond)
	cpu, switches := usage()
	time.Sleep(10 * time.Second)
	cpuAfter, switchesAfter := usage()
	printFigure("idle-cpu", "cpu-s", cpuAfter-cpu, int64(len(all)))
	printFigure("idle-switches", "switches", float64(switchesAfter-switches), int64(len(all)))
	runtime.KeepAlive(all)
}

func timer(s runSize) {
	const sleepers = 100
	lateness := make([]int64, s.n)
	left := int64(s.n)
	done := make(chan struct{})
	settleDown()
	cpu, _ := usage()
	for i := 0; i < sleepers; i++ {
		go func(dice int64) {
			for j := 0; j < s.n/sleepers; j++ {
				dice = burn(dice, 1)
				delay := 1000000000 + dice*15000
				due := nowNs() + delay
				time.AfterFunc(time.Duration(delay), func() {
					late := nowNs() - due
					l := atomic.AddInt64(&left, -1)
					lateness[l] = late
					if l == 0 {
						close(done)
					}
				})
			}
		}(int64(i))
	}
	<-done
	cpuAfter, _ := usage()
	printQuantile("timer", lateness, 0.99)
	printQuantile("timer-p50", lateness, 0.5)
	printFigure("timer-cpu", "us", (cpuAfter-cpu)*1e6/float64(s.n), int64(s.n))
}
