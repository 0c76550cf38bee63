//go:build faketime

package virtualtime

import (
	"encoding/binary"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"time"
	_ "unsafe" // for go:linkname
)

// Enabled tells whether this program was built for virtual time.
const Enabled = true

// now is the runtime's fake time, in nanoseconds since 1970.
//
//go:linkname now runtime.faketime
var now int64

// watchSignalLoop is what os/signal runs to wait for signals: in a system call, in which
// the clock would stand still.
//
//go:linkname watchSignalLoop os/signal.watchSignalLoop
var watchSignalLoop func()

// forceGCPeriod is after how many nanoseconds the runtime collects garbage although nothing asks
// for it: two minutes, which in virtual time are over in a blink.
//
//go:linkname forceGCPeriod runtime.forcegcperiod
var forceGCPeriod int64

// seeded is the overlay's: whether the environment had a seed when the process was started.
//
//go:linkname seeded runtime.simkubeSeeded
var seeded bool

// route is the overlay's: what tells where an HTTP request goes.
//
//go:linkname route net/http.simkubeRoute
var route func(*http.Request) http.RoundTripper

// setTestingReader has all of package crypto take its random numbers from a reader; it is there for tests.
//
//go:linkname setTestingReader crypto/internal/rand.SetTestingReader
func setTestingReader(io.Reader)

// Prepare makes the process fit for virtual time. It must be called before anything that listens for
// signals, which afterwards never come: whoever starts the process has to tell it to stop in
// another way.
func Prepare() {
	watchSignalLoop = nil
	if seeded {
		// One processor: two would race.
		runtime.GOMAXPROCS(1)
		// The environment is to blame if it is no number; the runtime has made something of it.
		n, _ := strconv.ParseUint(os.Getenv(SeedVariable), 10, 64)
		var key [32]byte
		binary.LittleEndian.PutUint64(key[:], n)
		setTestingReader(&lockedReader{from: rand.NewChaCha8(key)})
	}
	forceGCPeriod = math.MaxInt64
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(maxGarbagePercent)
	}
}

// Set moves the clock to t. Timers that are running fire if t is behind them.
func Set(t time.Time) { now = t.UnixNano() }

// lockedReader makes a reader safe for concurrent use.
type lockedReader struct {
	mu   sync.Mutex // guards from
	from io.Reader
}

// Read implements io.Reader.
func (r *lockedReader) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.from.Read(p)
}

// Seeded tells whether this process has a seed, see SeedVariable.
func Seeded() bool { return seeded }

// RouteHTTP sends the requests of every http.Transport in this process for which to returns a transport there. It is to be
// called before there are any.
func RouteHTTP(to func(*http.Request) http.RoundTripper) { route = to }
