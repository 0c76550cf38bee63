package main

// files are all changes. Each is inert in a program that does not ask for it through package virtualtime, but the
// first two, which fake time alone calls for.
func files() []file {
	return []file{
		{path: "runtime/proc.go", changes: append(deadWalk(), jumpInPlace(), quietMonitor())},
		{path: "runtime/rand.go", changes: seededRand()},
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
// is about to.
func jumpInPlace() change {
	return change{
		before: "\t\tif faketime != 0 && list.empty() {\n",
		after: `		if faketime != 0 && list.empty() {
			lock(&sched.lock)
			if mcount()-sched.nmidle-sched.nmidlelocked-sched.nmsys == 1 && sched.runq.empty() &&
				!sched.gcwaiting.Load() && panicking.Load() == 0 {
				if when := timeSleepUntil(); when < maxWhen {
					if pp, _ := pidleget(faketime); pp != nil {
						faketime = max(faketime, when)
						unlock(&sched.lock)
						acquirep(pp)
						mp.becomeSpinning()
						goto top
					}
				}
			}
			unlock(&sched.lock)
`,
	}
}

// quietMonitor stops the runtime's monitor, whose decisions depend on real time: to take the processor from a goroutine
// in a system call, and to poll the network.
func quietMonitor() change {
	return change{
		before: "\tfor {\n\t\tif idle == 0 { // start with 20us sleep...\n",
		after: `	for {
		if simkubeSeeded {
			usleep(10 * 1000)
			continue
		}
		if idle == 0 { // start with 20us sleep...
`,
	}
}

// seededRand has random numbers come from one generator, SplitMix64 (Steele, Lea and Flood, "Fast splittable
// pseudorandom number generators", 2014), instead of one for each thread, if the environment has a seed other than 0 for it. The
// environment is the one place to put it: maps get their seeds before anything else runs.
func seededRand() []change {
	return []change{
		{
			before: "var readRandomFailed bool\n",
			after: `var readRandomFailed bool

var (
	simkubeSeeded bool
	simkubeRand   uint64
)

func simkubeReadSeed() {
	const name = "SIMKUBE_SEED="
	if faketime == 0 {
		return
	}
	// The environment follows the arguments and a nil.
	for i := argc + 1; argv_index(argv, i) != nil; i++ {
		s := gostringnocopy(argv_index(argv, i))
		if len(s) <= len(name) || s[:len(name)] != name {
			continue
		}
		for _, digit := range []byte(s[len(name):]) {
			simkubeRand = simkubeRand*10 + uint64(digit-'0')
		}
		simkubeSeeded = simkubeRand != 0
	}
}
`,
		},
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
		simkubeRand += 0x9e3779b97f4a7c15
		z := simkubeRand
		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
		z = (z ^ (z >> 27)) * 0x94d049bb133111eb
		return z ^ (z >> 31)
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
