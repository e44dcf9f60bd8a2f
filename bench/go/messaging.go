// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"fmt"
	"runtime"
	"sync"
	"time"
)

func init() {
	rows["ping-pong"] = func(s runSize) { play(s, 1, "ping-pong") }
	rows["pairs"] = func(s runSize) { play(s, 50, "pairs") }
	rows["scaling"] = scaling
	rows["ring-100"] = func(s runSize) { ring(s, 100, "ring-100") }
	rows["ring-503"] = func(s runSize) { ring(s, 503, "ring-503") }
	rows["request-reply"] = requestReply
	rows["counting"] = func(s runSize) { flood(s, 1, 1, "counting") }
	rows["fan-in"] = func(s runSize) { flood(s, 8, 1, "fan-in") }
	rows["fan-out"] = func(s runSize) { flood(s, 1, 60, "fan-out") }
}

func player(own, partner chan int64, hits *int64, done *sync.WaitGroup) {
	for left := range own {
		*hits++
		if left > 0 {
			partner <- left - 1
		} else {
			done.Done()
		}
	}
}

func play(s runSize, pairs int, row string) float64 {
	rounds := s.n / pairs
	var done sync.WaitGroup
	done.Add(pairs)
	first := make([]chan int64, pairs)
	hits := make([][16]int64, pairs)
	for i := range first {
		a, b := make(chan int64, channelCapacity), make(chan int64, channelCapacity)
		var other int64
		go player(a, b, &hits[i][0], &done)
		go player(b, a, &other, &done)
		first[i] = a
	}
	settleDown()
	start := time.Now()
	for _, c := range first {
		c <- int64(2 * rounds)
	}
	done.Wait()
	took := float64(time.Since(start).Nanoseconds()) / float64(rounds*pairs)
	var sum int64
	for i := range hits {
		sum += hits[i][0]
	}
	printFigure(row, "ns", took, sum-int64(pairs))
	return took
}

func scaling(s runSize) {
	runtime.GOMAXPROCS(1)
	one := play(s, 50, "scaling-1")
	for w := 2; w < s.workers; w *= 2 {
		runtime.GOMAXPROCS(w)
		play(s, 50, fmt.Sprintf("scaling-%d", w))
	}
	runtime.GOMAXPROCS(s.workers)
	all := play(s, 50, fmt.Sprintf("scaling-%d", s.workers))
	printFigure("scaling", "speed-up", one/all, 0)
}

func ring(s runSize, members int, row string) {
	done := make(chan struct{})
	passed := int64(-1)
	all := make([]chan int64, members)
	for i := range all {
		all[i] = make(chan int64, channelCapacity)
	}
	for i := range all {
		go func(own, next chan int64) {
			for left := range own {
				passed++
				if left == 0 {
					close(done)
				} else {
					next <- left - 1
				}
			}
		}(all[i], all[(i+1)%members])
	}
	settleDown()
	start := time.Now()
	all[0] <- int64(s.n)
	<-done
	printTime(row, start, s.n, passed)
}

type question struct {
	number int64
	answer chan int64
}

func requestReply(s runSize) {
	questions := make(chan question, channelCapacity)
	begin := make(chan int)
	done := make(chan int64)
	go func() {
		for q := range questions {
			q.answer <- q.number + 1
		}
	}()
	go func() {
		answer := make(chan int64, 1) // one for all its requests: the fastest way
		var sum int64
		n := <-begin
		for i := 0; i < n; i++ {
			questions <- question{int64(i), answer}
			sum += <-answer - int64(i)
		}
		done <- sum
	}()
	settleDown()
	start := time.Now()
	begin <- s.n
	sum := <-done
	printTime("request-reply", start, s.n, sum)
}

func flood(s runSize, producers, consumers int, row string) {
	var done sync.WaitGroup
	done.Add(consumers)
	to := make([]chan int64, consumers)
	sums := make([][16]int64, consumers)
	for i := range to {
		to[i] = make(chan int64, channelCapacity)
		go func(own chan int64, sum *int64, expected int) {
			for ; expected > 0; expected-- {
				*sum += <-own
			}
			done.Done()
		}(to[i], &sums[i][0], s.n/consumers)
	}
	begin := make(chan struct{})
	for i := 0; i < producers; i++ {
		go func() {
			<-begin
			next := 0
			for left := s.n / producers; left > 0; left-- {
				to[next] <- 1
				if next++; next == consumers {
					next = 0
				}
			}
		}()
	}
	settleDown()
	start := time.Now()
	close(begin)
	done.Wait()
	took := time.Since(start)
	var sum int64
	for i := range sums {
		sum += sums[i][0]
	}
	printFigure(row, "ns", float64(took.Nanoseconds())/float64(s.n), sum)
}
