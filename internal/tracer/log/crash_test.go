package log

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	// killsVar is the number of kills in TestCrash.
	killsVar = "SIMKUBE_KILLS"
	// These pass the round, and whether to run retention, to the child process of a crash test.
	crashRound  = "SIMKUBE_LOG_TEST_ROUND"
	crashRetain = "SIMKUBE_LOG_TEST_RETAIN"
	crashKeys   = 500
)

// acknowledged is an entry that the log reported as durable.
type acknowledged struct {
	seq  Seq
	key  int
	hash uint64
}

func crashKey(i int) Key { return deployment(fmt.Sprintf("default/object-%d", i)) }

// TestCrash repeatedly kills a process that appends, and checks the log each time.
func TestCrash(t *testing.T) {
	kills := 25
	if testing.Short() {
		kills = 4
	}
	if s := os.Getenv(killsVar); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("%s: %v", killsVar, err)
		}
		kills = n
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	dir := t.TempDir()
	c := &crashes{t: t, dir: dir, entries: map[Seq]acknowledged{}, newest: map[int]acknowledged{}}
	for round := range kills {
		// Some children are killed while they open the log.
		lines := rng.IntN(1500)
		if rng.IntN(5) == 0 {
			lines = 0
		}
		c.kill(round, lines, time.Duration(rng.IntN(20_000))*time.Microsecond, rng.IntN(2) == 0)
		c.verify()
	}
	t.Logf("%d kills, %d entries acknowledged", kills, c.total)
}

type crashes struct {
	t   *testing.T
	dir string
	// entries are those acknowledged and not dropped by retention, newest the last one of each object.
	entries map[Seq]acknowledged
	newest  map[int]acknowledged
	last    Seq
	total   int
}

// kill lets a process append until it has acknowledged some entries, and a random time longer.
func (c *crashes) kill(round, lines int, extra time.Duration, retain bool) {
	c.t.Helper()
	cmd := exec.CommandContext(c.t.Context(), os.Args[0], "-test.run=^TestCrashChild$")
	cmd.Env = append(os.Environ(), childDir+"="+c.dir, crashRound+"="+strconv.Itoa(round), crashRetain+"="+strconv.FormatBool(retain))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	r := bufio.NewReader(out)
	killed := make(chan struct{})
	kill := func() {
		time.Sleep(extra) // a random time
		if err := cmd.Process.Kill(); err != nil {
			c.t.Error(err)
		}
		close(killed)
	}
	if lines == 0 {
		go kill()
	}
	for n := 1; ; n++ {
		line, err := r.ReadString('\n')
		if err != nil {
			break // a line without an end was not acknowledged
		}
		var a acknowledged
		if _, err := fmt.Sscanf(line, "%d %d %d\n", &a.seq, &a.key, &a.hash); err != nil {
			c.t.Fatalf("the child said %q: %v", line, err)
		}
		if had, ok := c.entries[a.seq]; ok {
			c.t.Fatalf("number %d acknowledged twice: %v and %v", a.seq, had, a)
		}
		c.entries[a.seq] = a
		c.total++
		c.last = max(c.last, a.seq)
		if c.newest[a.key].seq < a.seq {
			c.newest[a.key] = a
		}
		if n == lines {
			go kill()
		}
	}
	<-killed
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		c.t.Fatalf("the child ended by itself: %v", err)
	}
}

// verify checks that everything acknowledged is in the log.
func (c *crashes) verify() {
	c.t.Helper()
	if _, err := os.Stat(c.dir + "/" + formatFile); err == nil {
		if err := Check(c.t.Context(), c.dir); err != nil {
			c.t.Fatal(err)
		}
	}
	l, err := Open(c.dir, Options{Retention: time.Second})
	if err != nil {
		c.t.Fatal(err)
	}
	defer l.Close()
	// Entries that were verified need not be read again in later rounds.
	defer l.Retain(c.t.Context())
	s, err := l.Snapshot()
	if err != nil {
		c.t.Fatal(err)
	}
	defer s.Close()
	hashes := map[uint64]Seq{}
	lastTime := int64(0)
	for r, err := range s.Changes(0, 1<<62) {
		if err != nil {
			c.t.Fatal(err)
		}
		if other, ok := hashes[r.Hash]; ok {
			c.t.Fatalf("one entry is there as %d and as %d", other, r.Seq)
		}
		hashes[r.Hash] = r.Seq
		lastTime = r.Time
		if want, ok := c.entries[r.Seq]; ok && (r.Key != crashKey(want.key) || r.Hash != want.hash) {
			c.t.Fatalf("entry %d: got %v, want %v", r.Seq, r.Key, want)
		}
	}
	for seq, want := range c.entries {
		if seq < s.begin.seq {
			delete(c.entries, seq)
		} else if hashes[want.hash] != seq {
			c.t.Fatalf("entry %d was acknowledged and is not there", seq)
		}
	}
	state := map[Key]*Record{}
	for r, err := range l.Objects() {
		if err != nil {
			c.t.Fatal(err)
		}
		state[r.Key] = r
	}
	for i, want := range c.newest {
		got := state[crashKey(i)]
		if got == nil || got.Seq < want.seq || got.Seq == want.seq && got.Hash != want.hash {
			c.t.Fatalf("object %d: got %v, want what was acknowledged as %d, or later", i, got, want.seq)
		}
	}
	if s.end.seq == 0 {
		return
	}
	gaps := collect(c.t, s.Gaps(0, 1<<62))
	if entry, err := s.get(entryKey(s.end.seq)); err != nil || entryType(entry[0]) != gapEntry || len(gaps) == 0 {
		c.t.Fatalf("the last entry: got %q, %v, want the gap", entry, err)
	}
	if gap := gaps[len(gaps)-1]; gap.From < lastTime || gap.To < gap.From {
		c.t.Fatalf("got a gap from %d to %d, want it to begin behind the last entry, of %d", gap.From, gap.To, lastTime)
	}
}

// TestCrashChild appends from several goroutines until it is killed, and prints what is durable.
func TestCrashChild(t *testing.T) {
	dir, round := os.Getenv(childDir), os.Getenv(crashRound)
	if dir == "" || round == "" {
		t.Skip("runs as a child of TestCrash")
	}
	n, err := strconv.Atoi(round)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var waiting []acknowledged
	opts := Options{OnDurable: func(upTo Seq) {
		mu.Lock()
		defer mu.Unlock()
		waiting = slices.DeleteFunc(waiting, func(a acknowledged) bool {
			if a.seq > upTo {
				return false
			}
			fmt.Printf("%d %d %d\n", a.seq, a.key, a.hash)
			return true
		})
	}, chunkEntries: 500}
	if os.Getenv(crashRetain) == "true" {
		opts.Retention = 20 * time.Millisecond
	}
	l, err := Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(n), uint64(w)))
			for i := 0; ; i++ {
				a := acknowledged{key: rng.IntN(crashKeys), hash: uint64(n)<<40 | uint64(w)<<32 | uint64(i)}
				content := []byte(strings.Repeat(fmt.Sprint(rng.Uint64()), rng.IntN(60)))
				c := &Change{Op: Applied, Key: crashKey(a.key), UID: someUID, Hash: a.hash, Object: content}
				// The lock keeps OnDurable from running before the entry is registered.
				mu.Lock()
				seq, err := appendUnlocked(&mu, l, c)
				if err != nil {
					t.Error(err)
					mu.Unlock()
					return
				}
				a.seq = seq
				waiting = append(waiting, a)
				mu.Unlock()
			}
		})
	}
	if opts.Retention > 0 {
		wg.Go(func() {
			for {
				if err := l.Retain(t.Context()); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// appendUnlocked appends with mu held; it unlocks mu while the log is full.
func appendUnlocked(mu *sync.Mutex, l *Log, c *Change) (Seq, error) {
	for {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		seq, err := l.Append(ctx, c)
		if err == nil || !errors.Is(err, context.Canceled) {
			return seq, err
		}
		mu.Unlock()
		err = l.Sync(context.Background(), l.Stats().Appended)
		mu.Lock()
		if err != nil {
			return 0, err
		}
	}
}
