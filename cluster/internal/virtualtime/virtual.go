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

// Enabled reports whether this program was built for virtual time.
const Enabled = true

// now is the runtime's fake time, in nanoseconds since 1970.
//
//go:linkname now runtime.faketime
var now int64

// watchSignalLoop is how os/signal waits for signals: in a system call, during which the clock
// would stand still.
//
//go:linkname watchSignalLoop os/signal.watchSignalLoop
var watchSignalLoop func()

// forceGCPeriod is how many nanoseconds after the last collection the runtime forces one: two
// minutes, which pass at once in virtual time.
//
//go:linkname forceGCPeriod runtime.forcegcperiod
var forceGCPeriod int64

// seeded is a variable of the overlay: whether the environment had a seed when the process was
// started.
//
//go:linkname seeded runtime.simkubeSeeded
var seeded bool

// route is a variable of the overlay: it returns where an HTTP request goes.
//
//go:linkname route net/http.simkubeRoute
var route func(*http.Request) http.RoundTripper

// setTestingReader has package crypto take its random numbers from a reader; it exists for tests.
//
//go:linkname setTestingReader crypto/internal/rand.SetTestingReader
func setTestingReader(io.Reader)

// Prepare prepares the process for virtual time. It must be called before anything that listens for
// signals, which never arrive afterwards: the process that starts this one must stop it in another
// way.
func Prepare() {
	watchSignalLoop = nil
	if seeded {
		// With two processors goroutines would race.
		runtime.GOMAXPROCS(1)
		// If the variable is not a number, the runtime has a seed all the same, and this one is 0.
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

// Set sets the clock to t. Timers fire if they are due before t.
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

// Seeded reports whether this process has a seed, see SeedVariable.
func Seeded() bool { return seeded }

// RouteHTTP has every http.Transport in this process send a request through the transport that to
// returns for it, if that is not nil. It must be called before the first request.
func RouteHTTP(to func(*http.Request) http.RoundTripper) { route = to }
