// Command chance prints what the Go runtime leaves to chance, for the test of the overlay: which of
// the goroutines that wake at the same instant is first, where the iteration of a map begins, which
// ready case a select takes, random numbers. It makes a lot of garbage meanwhile, whose collection
// must not show in the output.
package main

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"
)

const (
	workers = 40
	steps   = 300
	// second is how long a step takes at most, so that many end at the same instant, and the whole
	// more than an hour.
	second = time.Second
	kept   = 15 // pieces of garbage of a worker that live at most
	size   = 20_000
	links  = 30_000 // as many as keep a collection busy for a while
)

// state is what the workers share.
type state struct {
	mu   sync.Mutex // guards the rest, which changes with who came before
	sum  int
	keys map[string]int
}

func main() {
	began := time.Now()
	long := chain(links)
	s := &state{keys: map[string]int{}}
	for i := range 1000 {
		s.keys[fmt.Sprint(i)] = i
	}
	var all sync.WaitGroup
	for worker := range workers {
		all.Go(func() { work(worker, s) })
	}
	ticks := tick()
	all.Wait()
	fmt.Println("ticks", ticks())
	time.Sleep(time.Hour)
	fmt.Println("sum", s.sum, "after", time.Since(began))
	runtime.KeepAlive(long)
}

// link is one of many pieces of memory, of which each is found through the one before: a collection
// takes its time.
type link struct {
	next  *link
	other [4]*link
}

func chain(n int) *link {
	var last *link
	for range n {
		last = &link{next: last, other: [4]*link{{}, {}, {}, {}}}
	}
	return last
}

func work(worker int, s *state) {
	var held []*[size]byte
	for step := range steps {
		time.Sleep(time.Duration(rand.IntN(10)) * second / 10)
		// Others are ready to run: a collection that starts here must not let them go first.
		if held = append(held, litter()); len(held) > kept {
			held = nil
		}
		s.mu.Lock()
		for _, n := range s.keys {
			s.sum = s.sum*31 + n
			break
		}
		fmt.Println(time.Now().UnixNano(), "worker", worker, "step", step, "sum", s.sum, "choice", choice())
		s.mu.Unlock()
		runtime.Gosched()
	}
}

// litter makes garbage with something to do at its end.
func litter() *[size]byte {
	piece := new([size]byte)
	runtime.AddCleanup(piece, func(int) {}, 0)
	runtime.SetFinalizer(piece, func(*[size]byte) {})
	return piece
}

// choice has a select choose.
func choice() int {
	a, b, c := make(chan int, 1), make(chan int, 1), make(chan int, 1)
	a <- 1
	b <- 2
	c <- 3
	select {
	case n := <-a:
		return n
	case n := <-b:
		return n
	case n := <-c:
		return n
	}
}

// tick counts the ticks of a timer that is set again and again, at instants at which workers wake,
// until its result is called.
func tick() func() int {
	ticker, over, n := time.NewTicker(second/10), make(chan struct{}), make(chan int)
	go func() {
		count := 0
		for {
			select {
			case <-ticker.C:
				count++
			case <-over:
				n <- count
				return
			}
		}
	}()
	return func() int {
		ticker.Stop()
		close(over)
		return <-n
	}
}
