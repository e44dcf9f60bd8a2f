// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"sync/atomic"
	"time"
)

func init() {
	rows["spawn"] = spawn
	rows["fork-join"] = forkJoin
	rows["skynet"] = skynet
}

// spawn: each child gets a channel of one message, answers its parent and ends.
func spawn(s runSize) {
	start := time.Now()
	parent := make(chan int64, channelCapacity)
	go func() {
		for i := 0; i < s.n; i++ {
			own := make(chan int64, 1)
			go func() { parent <- <-own }()
			own <- 1
		}
	}()
	var sum int64
	for i := 0; i < s.n; i++ {
		sum += <-parent
	}
	printTime("spawn", start, s.n, sum)
}

func forkJoin(s runSize) {
	var sum int64
	left := int64(s.n)
	done := make(chan struct{})
	start := time.Now()
	go func() {
		for i := 0; i < s.n; i++ {
			own := make(chan int64, 1)
			go func() {
				atomic.AddInt64(&sum, 1+burn(<-own, 25)&0)
				if atomic.AddInt64(&left, -1) == 0 {
					close(done)
				}
			}()
			own <- int64(i)
		}
	}()
	<-done
	printTime("fork-join", start, s.n, sum)
}

func grow(number, leaves int64, parent chan int64) {
	if leaves == 1 {
		parent <- number
		return
	}
	own := make(chan int64, 10)
	for i := int64(0); i < 10; i++ {
		go grow(number+i*(leaves/10), leaves/10, own)
	}
	var sum int64
	for i := 0; i < 10; i++ {
		sum += <-own
	}
	parent <- sum
}

func skynet(s runSize) {
	start := time.Now()
	root := make(chan int64, 1)
	go grow(0, int64(s.n), root)
	sum := <-root
	printTime("skynet", start, s.n, sum)
}
