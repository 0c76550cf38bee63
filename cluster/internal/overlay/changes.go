package main

import (
	_ "embed"
	"slices"
)

// runtimeFile is added to the runtime.
//
//go:embed runtime.go.txt
var runtimeFile string

// files are all changes. What the jumps of the clock need is at work in every program with fake time, the rest in those
// that have a seed, see package virtualtime.
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

// deadWalk leaves out a walk over all goroutines. With fake time, the runtime moves the clock in checkdead, when nothing can
// run. Before it does, checkdead walks all goroutines to tell a deadlock from a wait, at every jump of the
// clock. With thousands of goroutines that walk is most of the time there is. A process full of
// timers is never dead, so with fake time the walk is left out; that something
// sleeps is still checked, by timeSleepUntil.
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

// jumpInPlace has the last thread that finds nothing to do move the clock and go on, where it would go to sleep, find in
// checkdead that it was the last, and wake another thread for the timer: two system calls and a
// switch of threads at every jump. It asks what checkdead asks: that no other thread runs or
// is about to. With one processor that is known early on; and as there is little to hear from the network, which a jump
// could miss, the kernel is asked at every sixteenth only.
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

// listeningMonitor has the runtime's monitor look for news from outside by real time, see
// simkubeListen, whether or not the clock moves. By the clock of the process it would look every
// ten milliseconds, which in a burst of pods is never; and it would sleep for as long as the clock
// is to jump.
//
// With a seed that is all it does: what else it decides depends on real time, to take the processor
// from a goroutine in a system call, and to interrupt those that run for long. Without one
// simkubeListen does that, too, by real time.
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

// fairTurns has goroutines that wake each other by turns let others have one now and then. Who is
// woken goes before those who wait, on what is left of the time of its waker; that time ends by the
// clock of the process, which in a burst of pods stands still.
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

// seededCollector has garbage collected between two goroutines, by one of the runtime's own, with the world stopped, where
// it would be started by the one that happens to have allocated the last straw and take turns with the others:
// how much has been allocated is never quite the same.
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

// seededScheduler starts what seededCollector puts off, and keeps the runtime's own goroutines from changing the order of the
// others: they don't count as turns, after so many of which the global queue comes first, and don't go first.
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

// unlockedMain leaves the main goroutine free to run on any thread while packages are initialised. If it can't, threads take turns, and
// whether another is made for that depends on how quick they are. A thread takes memory, and where
// things are in memory decides on the order of maps with pointers as keys.
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

// noSignals keeps the runtime from starting a goroutine on a thread of its own for signals, which do not come in virtual time
// anyway.
func noSignals() change {
	return change{
		before: "func signal_enable(s uint32) {\n",
		after:  "func signal_enable(s uint32) {\n\tif simkubeSeeded {\n\t\treturn\n\t}\n",
	}
}

// seededTimers has timers of the same instant fire in the order in which they were set, where the shape of the heap they are kept in
// would decide, and with it every other timer there is.
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

// seededRand has random numbers come from one generator, SplitMix64 (Steele, Lea and Flood, "Fast splittable
// pseudorandom number generators", 2014), instead of one for each thread, if the environment has a seed other than 0 for it. The
// environment is the one place to put it: maps get their seeds before anything else runs.
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

// routedHTTP lets the process take HTTP requests elsewhere than to the network: the API server's own clients
// can't be given a transport.
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
