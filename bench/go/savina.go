// SPDX-License-Identifier: BSD-3-Clause

package main

import "time"

func init() {
	rows["big"] = big
	rows["chameneos"] = chameneos
	rows["concurrent-dictionary"] = concurrentDictionary
	rows["bounded-buffer"] = boundedBuffer
	rows["banking"] = banking
}

// big: a message is the sender's index, or -1 for a pong. The channels hold one ping from each actor and the pong.
func big(s runSize) {
	const actors = 120
	all := make([]chan int, actors)
	for i := range all {
		all[i] = make(chan int, channelCapacity)
	}
	ended := make(chan int64, actors)
	begin := make(chan struct{})
	for i := range all {
		go func(own int) {
			<-begin
			dice, left, pongs := int64(own), s.n/actors, int64(0)
			ping := func() {
				if left--; left >= 0 {
					dice = burn(dice, 1)
					all[int(dice)%actors] <- own
				} else {
					ended <- pongs
				}
			}
			ping()
			for from := range all[own] {
				if from >= 0 {
					all[from] <- -1
				} else {
					pongs++
					ping()
				}
			}
		}(i)
	}
	settleDown()
	start := time.Now()
	close(begin)
	var sum int64
	for range all {
		sum += <-ended
	}
	printTime("big", start, s.n, sum)
}

type visitor struct {
	who    chan int
	colour int
}

func chameneos(s runSize) {
	const creatures = 100
	mall := make(chan visitor, channelCapacity)
	ended := make(chan int64, creatures)
	begin := make(chan struct{})
	go func() {
		left := s.n
		var waiting visitor
		for m := range mall {
			if left == 0 {
				m.who <- -1
			} else if waiting.who == nil {
				waiting = m
			} else {
				left--
				m.who <- waiting.colour
				waiting.who <- m.colour
				waiting.who = nil
			}
		}
	}()
	for i := 0; i < creatures; i++ {
		go func(colour int) {
			<-begin
			own := make(chan int, 1)
			meetings := int64(0)
			mall <- visitor{own, colour}
			for other := range own {
				if other < 0 {
					ended <- meetings
					return
				}
				meetings++
				colour = (colour + other) % 3
				mall <- visitor{own, colour}
			}
		}(i % 3)
	}
	settleDown()
	start := time.Now()
	close(begin)
	var sum int64
	for i := 0; i < creatures; i++ {
		sum += <-ended
	}
	printTime("chameneos", start, s.n, sum)
}

type lookup struct {
	key, value int64 // value < 0: a read
	answer     chan int64
}

func concurrentDictionary(s runSize) {
	const readers = 20
	requests := make(chan lookup, channelCapacity)
	ended := make(chan int64, readers)
	begin := make(chan struct{})
	go func() {
		entries := map[int64]int64{}
		for r := range requests {
			if r.value >= 0 {
				entries[r.key] = r.value
			}
			r.answer <- entries[r.key]
		}
	}()
	for i := 0; i < readers; i++ {
		go func(dice int64) {
			<-begin
			answer := make(chan int64, 1)
			answers := int64(0)
			for i := 0; i < s.n/readers; i++ {
				dice = burn(dice, 1)
				value := int64(-1)
				if i%10 == 0 {
					value = int64(i)
				}
				requests <- lookup{dice % 512, value, answer}
				if <-answer >= 0 {
					answers++
				}
			}
			ended <- answers
		}(int64(i + 1))
	}
	settleDown()
	start := time.Now()
	close(begin)
	var sum int64
	for i := 0; i < readers; i++ {
		sum += <-ended
	}
	printTime("concurrent-dictionary", start, s.n, sum)
}

// boundedBuffer: the manager with the same messages as everywhere; a buffered channel alone would be another program.
func boundedBuffer(s runSize) {
	const parties, bufferSize, itemCost = 40, 50, 25
	type parcel struct {
		from   chan struct{}
		hungry chan int64
		number int64
	}
	manager := make(chan parcel, channelCapacity)
	go func() {
		var buffer []int64
		var hungry []chan int64
		var paused []chan struct{}
		for p := range manager {
			if p.hungry != nil {
				if len(buffer) == 0 {
					hungry = append(hungry, p.hungry)
					continue
				}
				p.hungry <- buffer[0]
				buffer = buffer[1:]
				if len(paused) > 0 {
					paused[0] <- struct{}{}
					paused = paused[1:]
				}
				continue
			}
			if len(hungry) > 0 {
				hungry[0] <- p.number
				hungry = hungry[1:]
			} else {
				buffer = append(buffer, p.number)
			}
			if len(buffer)+parties > bufferSize {
				paused = append(paused, p.from)
			} else {
				p.from <- struct{}{}
			}
		}
	}()
	begin := make(chan struct{})
	consumed := make(chan int64, parties)
	for i := 0; i < parties; i++ {
		go func() {
			<-begin
			want := make(chan struct{}, 1)
			for left := int64(s.n / parties); left > 0; left-- {
				manager <- parcel{from: want, number: burn(left, itemCost)}
				<-want
			}
		}()
		go func() {
			<-begin
			own := make(chan int64, 1)
			taste := int64(0)
			for {
				manager <- parcel{hungry: own}
				taste += burn(<-own, itemCost)
				consumed <- 1
			}
		}()
	}
	settleDown()
	start := time.Now()
	close(begin)
	var sum int64
	for sum < int64(s.n) {
		sum += <-consumed
	}
	printTime("bounded-buffer", start, s.n, sum)
}

type order struct {
	amount  int64
	to      chan order // nil: a credit
	through chan int64
	ask     bool // for the balance
}

func account(own chan order) {
	money := int64(1000)
	credited := make(chan int64, 1)
	for o := range own {
		switch {
		case o.ask:
			o.through <- money
		case o.to == nil:
			money += o.amount
			o.through <- 1
		default:
			money -= o.amount
			o.to <- order{amount: o.amount, through: credited}
			o.through <- <-credited
		}
	}
}

func banking(s runSize) {
	const accounts, transfersOnTheWay = 1000, 500
	all := make([]chan order, accounts)
	for i := range all {
		all[i] = make(chan order, channelCapacity)
		go account(all[i])
	}
	begin := make(chan struct{})
	done := make(chan struct{})
	go func() { // the teller
		<-begin
		through := make(chan int64, transfersOnTheWay)
		dice, sent := int64(74755), 0
		roll := func() int { dice = burn(dice, 1); return int(dice) }
		transfer := func() {
			if sent == s.n {
				return
			}
			sent++
			from := roll() % (accounts / 10 * 8)
			to := from + 1 + roll()%(accounts-from-1)
			all[from] <- order{amount: int64(roll() % 100), to: all[to], through: through}
		}
		for i := 0; i < transfersOnTheWay; i++ {
			transfer()
		}
		for ended := 0; ended < s.n; ended++ {
			<-through
			transfer()
		}
		close(done)
	}()
	settleDown()
	start := time.Now()
	close(begin)
	<-done
	took := time.Since(start)
	var money int64
	answer := make(chan int64, 1)
	for _, a := range all {
		a <- order{ask: true, through: answer}
		money += <-answer
	}
	printFigure("banking", "ns", float64(took.Nanoseconds())/float64(s.n), money)
}
