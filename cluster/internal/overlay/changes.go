package main

import (
	_ "embed"
	"slices"
)

// runtimeFile is added to the runtime.
//
//go:embed runtime.go.txt
var runtimeFile string

// files returns all changes. Those for the jumps of the clock apply to every program with fake
// time, the others to those with a seed, see package virtualtime.
func files() []file {
	return []file{
		{path: "runtime/simkube.go", added: runtimeFile},
		{path: "runtime/proc.go", changes: slices.Concat(deadWalk(), jumpInPlace(), listeningMonitor(), fairTurns(), seededScheduler(), unlockedMain())},
		{path: "runtime/mgc.go", changes: seededCollector()},
		{path: "runtime/rand.go", changes: seededRand()},
		{path: "runtime/time.go", changes: seededTimers()},
		{path: "runtime/sigqueue.go", changes: []change{noSignals()}},
		{path: "runtime/select.go", changes: []change{seededSelect()}},
		{path: "net/http/roundtrip.go", changes: []change{routedHTTP()}},
	}
}

// deadWalk removes a walk over all goroutines. With fake time, the runtime moves the clock in
// checkdead, when nothing can run. Before that, checkdead walks all goroutines to distinguish a
// deadlock from a wait, at every jump of the clock. With thousands of goroutines that takes most of
// the time. A process full of timers is never in a deadlock, so with fake time the walk is left
// out; timeSleepUntil still checks that something sleeps.
func deadWalk() []change {
	return []change{
		{
			before: "\tgrunning := 0\n\tforEachG(func(gp *g) {\n",
			after:  "\tgrunning := 0\n\tif faketime != 0 {\n\t\tgrunning = 1\n\t\tgoto walked\n\t}\n\tforEachG(func(gp *g) {\n",
		},
		{
			before: "\tif grunning == 0 { // possible if main goroutine calls runtime·Goexit()\n",
			after:  "walked:\n\tif grunning == 0 {\n",
		},
	}
}

// jumpInPlace has the last thread that finds nothing to do move the clock and continue. Otherwise
// it would go to sleep, find in checkdead that it was the last, and wake another thread for the
// timer: two system calls and a thread switch at every jump. It checks what checkdead checks: that
// no other thread runs or is about to. With one processor that is known early; and as the network
// has few events, which a jump could miss, the kernel is asked only at every sixteenth jump.
func jumpInPlace() []change {
	return []change{
		{
			before: "\tif netpollinited() && netpollAnyWaiters() && sched.lastpoll.Load() != 0 && sched.pollingNet.Swap(1) == 0 {\n",
			after: `	if netpollinited() && netpollAnyWaiters() && sched.lastpoll.Load() != 0 && (faketime == 0 || simkubePoll()) &&
		sched.pollingNet.Swap(1) == 0 {
`,
		},
		{
			before: "\tif mp.spinning || 2*sched.nmspinning.Load() < gomaxprocs-sched.npidle.Load() {\n",
			after:  "\tif (faketime == 0 || gomaxprocs > 1) && (mp.spinning || 2*sched.nmspinning.Load() < gomaxprocs-sched.npidle.Load()) {\n",
		},
		{
			before: "\tif otherReady {\n\t\tgoto top\n\t}\n",
			after: `	if otherReady {
		goto top
	}
	if faketime != 0 && gomaxprocs == 1 && pollUntil != 0 {
		lock(&sched.lock)
		jumped := simkubeJump(pollUntil)
		unlock(&sched.lock)
		if jumped {
			goto top
		}
	}
`,
		},
		{
			before: "\t\tif faketime != 0 && list.empty() {\n",
			after: `		if faketime != 0 && list.empty() {
			lock(&sched.lock)
			if simkubeJump(timeSleepUntil()) {
				if pp, _ := pidleget(faketime); pp != nil {
					unlock(&sched.lock)
					acquirep(pp)
					mp.becomeSpinning()
					goto top
				}
			}
			unlock(&sched.lock)
`,
		},
	}
}

// listeningMonitor has the runtime's monitor poll the network by real time, see simkubeListen,
// whether or not the clock moves. By the process's clock it would poll every ten milliseconds,
// which never pass in a burst of pods, and it would sleep for as long as the clock is going to
// jump.
//
// With a seed it does nothing else: its other decisions depend on real time, to take the processor
// from a goroutine in a system call, and to interrupt those that run for long. Without a seed
// simkubeListen makes those, too, by real time.
func listeningMonitor() []change {
	return []change{
		{
			before: "\tfor {\n\t\tif idle == 0 { // start with 20us sleep...\n",
			after: `	for {
		if faketime != 0 {
			simkubeListen()
		}
		if simkubeSeeded {
			usleep(10 * 1000)
			continue
		}
		if idle == 0 { // start with 20us sleep...
`,
		},
		{
			before: "\t\tif debug.schedtrace <= 0 && (sched.gcwaiting.Load() || sched.npidle.Load() == gomaxprocs) {\n",
			after:  "\t\tif faketime == 0 && debug.schedtrace <= 0 && (sched.gcwaiting.Load() || sched.npidle.Load() == gomaxprocs) {\n",
		},
	}
}

// fairTurns lets other goroutines run while two goroutines wake each other by turns. A goroutine
// that is woken runs before those that wait, for the rest of its waker's time slice; that ends by
// the clock of the process, which stands still in a burst of pods.
func fairTurns() []change {
	return []change{
		{
			before: "\tnext := pp.runnext\n\t// If the runnext",
			after: `	next := pp.runnext
	others := faketime != 0 && next != 0 && simkubeOthersTurn()
	if others && pp.runqhead != pp.runqtail {
		next = 0
	}
	// If the runnext`,
		},
		{
			before: "\tif next != 0 && pp.runnext.cas(next, 0) {\n\t\treturn next.ptr(), true\n",
			after:  "\tif next != 0 && pp.runnext.cas(next, 0) {\n\t\treturn next.ptr(), !others\n",
		},
	}
}

// seededCollector has garbage collected between two goroutines, by one of the runtime's own, with
// the world stopped. Otherwise the goroutine whose allocation crosses the limit would start the
// collection, which would alternate with the others: how much has been allocated is never quite the
// same.
func seededCollector() []change {
	return []change{
		{
			before: "func gcStart(trigger gcTrigger) {\n",
			after: `func gcStart(trigger gcTrigger) {
	if simkubeSeeded && trigger.kind == gcTriggerHeap && getg() != forcegc.g {
		simkubeCollect = true
		return
	}
`,
		},
		{
			before: "\tmode := gcBackgroundMode\n",
			after:  "\tif simkubeSeeded {\n\t\tdebug.gcstoptheworld = 1\n\t}\n\tmode := gcBackgroundMode\n",
		},
		{
			before: "\t\tready(sweep.g, 0, true)\n",
			after:  "\t\tready(sweep.g, 0, !simkubeSeeded)\n",
		},
	}
}

// seededScheduler starts what seededCollector postpones, and keeps the runtime's own goroutines
// from changing the order of the others: they don't count as turns, after a number of which the
// global queue comes first, and don't run first.
func seededScheduler() []change {
	return []change{
		{
			before: "\t// Try to schedule a GC worker.\n\tif gcBlackenEnabled != 0 {\n",
			after: `	if simkubeCollect && forcegc.idle.Load() {
		simkubeCollect = false
		lock(&forcegc.lock)
		forcegc.idle.Store(false)
		unlock(&forcegc.lock)
		gp := forcegc.g
		casgstatus(gp, _Gwaiting, _Grunnable)
		return gp, false, false
	}
	// Try to schedule a GC worker.
	if gcBlackenEnabled != 0 {
`,
		},
		{
			before: "\tlockInit(&forcegc.lock, lockRankForcegc)\n",
			after:  "\tlockInit(&forcegc.lock, lockRankForcegc)\n\tif simkubeSeeded {\n\t\tgcBgMarkStartWorkers()\n\t}\n",
		},
		{
			before: "\t\tgcStart(gcTrigger{kind: gcTriggerTime, now: nanotime()})\n",
			after: `		trigger := gcTrigger{kind: gcTriggerTime, now: nanotime()}
		if simkubeSeeded {
			trigger = gcTrigger{kind: gcTriggerHeap}
		}
		gcStart(trigger)
`,
		},
		{
			before: "\tif !inheritTime {\n\t\tmp.p.ptr().schedtick++\n",
			after:  "\tif !inheritTime && !(simkubeSeeded && isSystemGoroutine(gp, false)) {\n\t\tmp.p.ptr().schedtick++\n",
		},
		{
			before: "\t\tif gp := wakefing(); gp != nil {\n\t\t\tready(gp, 0, true)\n",
			after:  "\t\tif gp := wakefing(); gp != nil {\n\t\t\tready(gp, 0, !simkubeSeeded)\n",
		},
	}
}

// unlockedMain lets the main goroutine run on any thread during the initialization of packages. If
// it can't, threads alternate, and whether another one is created for that depends on how fast they
// are. A thread takes memory, and the addresses of objects determine the order of maps with
// pointers as keys.
func unlockedMain() []change {
	return []change{
		{
			before: "\tlockOSThread()\n\n\tif mp != &m0 {\n",
			after:  "\tif !simkubeSeeded {\n\t\tlockOSThread()\n\t}\n\n\tif mp != &m0 {\n",
		},
		{
			before: "\tneedUnlock := true\n",
			after:  "\tneedUnlock := !simkubeSeeded\n",
		},
		{
			before: "\tneedUnlock = false\n\tunlockOSThread()\n",
			after:  "\tif needUnlock {\n\t\tneedUnlock = false\n\t\tunlockOSThread()\n\t}\n",
		},
	}
}

// noSignals keeps the runtime from starting a goroutine on a thread of its own for signals, which
// do not arrive in virtual time.
func noSignals() change {
	return change{
		before: "func signal_enable(s uint32) {\n",
		after:  "func signal_enable(s uint32) {\n\tif simkubeSeeded {\n\t\treturn\n\t}\n",
	}
}

// seededTimers has timers that are due at the same time fire in the order in which they were set.
// Otherwise the shape of their heap would decide, which depends on every other timer.
func seededTimers() []change {
	return []change{
		{
			before: "type timerWhen struct {\n\ttimer *timer\n\twhen  int64\n",
			after:  "type timerWhen struct {\n\ttimer *timer\n\twhen  int64\n\torder uint64\n",
		},
		{
			before: "\tblocked uint32 // number of goroutines blocked on timer's channel\n",
			after:  "\tblocked uint32 // number of goroutines blocked on timer's channel\n\torder   uint64\n",
		},
		{
			before: "\t\treturn tw.timer.rand < other.timer.rand\n",
			after:  "\t\tif tw.order != other.order {\n\t\t\treturn tw.order < other.order\n\t\t}\n\t\treturn tw.timer.rand < other.timer.rand\n",
		},
		{
			before: "\tpending := t.when > 0\n\tt.when = when\n",
			after:  "\tpending := t.when > 0\n\tt.when = when\n\tif simkubeSeeded {\n\t\tsimkubeTimers++\n\t\tt.order = simkubeTimers\n\t}\n",
		},
		{
			before: "\tts := t.ts\n\tt.when = next\n",
			after:  "\tts := t.ts\n\tt.when = next\n\tif simkubeSeeded {\n\t\tsimkubeTimers++\n\t\tt.order = simkubeTimers\n\t}\n",
		},
		{
			before: "\tts.heap = append(ts.heap, timerWhen{t, t.when})\n",
			after:  "\tts.heap = append(ts.heap, timerWhen{t, t.when, t.order})\n",
		},
		{
			before: "\t\tts.heap[0].when = t.when\n",
			after:  "\t\tts.heap[0].when, ts.heap[0].order = t.when, t.order\n",
		},
		{
			before: "\t\t\ttw.when = t.when\n",
			after:  "\t\t\ttw.when, tw.order = t.when, t.order\n",
		},
	}
}

// seededRand has random numbers come from one generator, SplitMix64 (Steele, Lea and Flood, "Fast
// splittable pseudorandom number generators", 2014), instead of one for each thread, if the
// environment has a seed other than 0. The seed must be in the environment because maps are seeded
// before anything else runs.
func seededRand() []change {
	return []change{
		{
			before: "\tseed := &globalRand.seed\n\tif len(startupRand) >= 16 &&\n",
			after: `	seed := &globalRand.seed
	simkubeReadSeed()
	if simkubeSeeded {
		seed[0] = 1
	} else if len(startupRand) >= 16 &&
`,
		},
		{
			before: "\tmp := getg().m\n\tc := &mp.chacha8\n",
			after: `	if simkubeSeeded {
		return simkubeNext()
	}
	mp := getg().m
	c := &mp.chacha8
`,
		},
		{
			// A new thread is made when the kernel says so and must not take from the seeded numbers.
			before: "\tmp.cheaprand = rand()\n",
			after:  "\tmp.cheaprand = bootstrapRand()\n",
		},
	}
}

// seededSelect has a select choose among its ready cases by the seeded numbers.
func seededSelect() change {
	return change{
		before: "\t\tj := cheaprandn(uint32(norder + 1))\n",
		after: `		var j uint32
		if simkubeSeeded {
			j = randn(uint32(norder + 1))
		} else {
			j = cheaprandn(uint32(norder + 1))
		}
`,
	}
}

// routedHTTP lets the process send HTTP requests elsewhere than to the network: the API server's
// own clients can't be given a transport.
func routedHTTP() change {
	return change{
		before: "\treturn t.roundTrip(req)\n}\n",
		after: `	if simkubeRoute != nil {
		if to := simkubeRoute(req); to != nil {
			return to.RoundTrip(req)
		}
	}
	return t.roundTrip(req)
}

var simkubeRoute func(*Request) RoundTripper
`,
	}
}
