// Command listen is as busy as its argument says, at one instant of virtual time, and ends when it
// reads a line from the standard input, for the test of the overlay.
package main

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"
)

func main() {
	// A read that waits must not hold a thread: see sk-cluster.
	if err := syscall.SetNonblock(0, true); err != nil {
		panic(err)
	}
	in := os.NewFile(0, "standard input")
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if _, err := in.Read(make([]byte, 1)); err != nil {
			panic(err)
		}
	}()
	time.Sleep(time.Second) // the read waits by then
	began := time.Now()
	fmt.Fprintln(os.Stderr, "busy")
	go busy(os.Args[1])
	if len(os.Args) > 2 {
		// Nothing comes, and this goroutine wants its turns all the same.
		for range 10 {
			runtime.Gosched()
		}
		return
	}
	<-ended
	fmt.Println("ended after", time.Since(began))
}

func busy(how string) {
	switch how {
	case "taking turns":
		for range 1000 {
			go func() {
				for {
					work()
					runtime.Gosched()
				}
			}()
		}
	case "talking": // each wakes the other, which goes before all who wait
		to, from := make(chan int), make(chan int)
		go relay(to, from)
		go relay(from, to)
		to <- 1
	case "alone":
		for {
			work()
		}
	case "jumping":
		for {
			time.Sleep(time.Hour)
		}
	}
}

func relay(from <-chan int, to chan<- int) {
	for n := range from {
		work()
		to <- n
	}
}

//go:noinline
func work() {
	for i := range 20_000 {
		_ = i
	}
}
