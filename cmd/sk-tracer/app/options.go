package app

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/api/resource"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/internal/program"
	"simkube.io/simkube/internal/timespec"
	"simkube.io/simkube/internal/tracer"
	"simkube.io/simkube/internal/tracer/manifest"
	"simkube.io/simkube/internal/tracer/server"
)

// The values of --auth.
const (
	authToken = "token"
	authNone  = "none"
)

// leastMaxSize is the size in bytes below which a size was not meant: a unit was forgotten.
const leastMaxSize = 1 << 20

// options are the flags.
type options struct {
	configFile string
	verbosity  string
	cluster    program.Cluster

	dataDir     string
	inMemory    bool
	retention   string
	maxSize     string
	redact      []string
	redactKey   string
	noExtension bool
	ownerCache  int

	bindAddress string
	port        int
	auth        string
	insecure    bool
	allowed     []string
	maxExports  int
	spoolDir    string
	tlsCert     string
	tlsKey      string
}

func (o *options) addFlags(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.StringVarP(&o.configFile, "config-file", "c", "", "what to follow: a YAML file, read again when it changes (required)")
	program.AddVerbosity(flags, &o.verbosity)
	o.cluster.AddFlags(flags)

	flags.StringVar(&o.dataDir, "data-dir", "sk-tracer-data", "directory of the event log")
	flags.BoolVar(&o.inMemory, "in-memory", false, "keep the event log in memory alone: a restart loses it")
	flags.StringVar(&o.retention, "retention", "7d", "how long to keep what was recorded; 0s: for ever")
	flags.StringVar(&o.maxSize, "max-size", "10Gi", "how large the event log may become; 0: any size")
	flags.StringSliceVar(&o.redact, "redact", []string{"secrets", "env"},
		"what not to record in clear: env, secrets, configmaps, annotations=KEY (each may be repeated), or none. Commands, arguments, labels and "+
			"fields of custom resources are always recorded in clear, and so are annotations and ConfigMaps that no rule names")
	flags.StringVar(&o.redactKey, "redact-key-file", "", "32 bytes, in hexadecimal, that the tokens in place of redacted values depend on (default: made once, and kept in the data directory)")
	flags.BoolVar(&o.noExtension, "no-extension", false, "do not record nodes, which the trace format has no place for but x-simkube")
	flags.IntVar(&o.ownerCache, "owner-cache-size", tracer.DefaultOwnerCache, "how many objects to remember the owners of")

	flags.IntVar(&o.port, "server-port", simkubev1.DefaultTracerPort, "port of the export API")
	flags.StringVar(&o.bindAddress, "bind-address", "127.0.0.1", "address of the export API")
	flags.StringVar(&o.auth, "auth", authNone, "who may use the API: token (those the cluster lets, by their bearer tokens) or none (everybody, on a loopback address)")
	flags.BoolVar(&o.insecure, "insecure", false, "let everybody use the API on any address")
	flags.StringArrayVar(&o.allowed, "allow-destination", nil, "a bucket, or a prefix in one, that exports may be written to, such as s3://bucket/prefix (may be repeated; default: none)")
	flags.IntVar(&o.maxExports, "max-exports", 2, "how many exports may run at once")
	flags.StringVar(&o.spoolDir, "spool-dir", "", "directory for exports' temporary files, this tracer's alone: what killed ones left is removed at the start "+
		"(default: the system's, where nothing is removed)")
	flags.StringVar(&o.tlsCert, "tls-cert-file", "", "certificate to serve the API with, PEM; read again when it changes")
	flags.StringVar(&o.tlsKey, "tls-key-file", "", "the certificate's key, PEM")
}

func (o *options) complete(cmd *cobra.Command) {
	values := func(flag string, accepted ...string) {
		_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(accepted, cobra.ShellCompDirectiveNoFileComp))
	}
	program.CompleteVerbosity(cmd)
	values("auth", authToken, authNone)
	values("redact", "env", "secrets", "configmaps", "annotations=", "none")
	_ = cmd.MarkFlagFilename("config-file", "yaml", "yml", "json")
	_ = cmd.MarkFlagDirname("data-dir")
	_ = cmd.MarkFlagDirname("spool-dir")
}

// settings are the options, understood.
type settings struct {
	level     slog.Level
	retention time.Duration
	maxSize   int64
	redaction manifest.Redaction
	allowed   []server.Destination
	address   string
}

// parse tells everything that is wrong with the flags.
func (o *options) parse() (*settings, error) {
	s := &settings{address: net.JoinHostPort(o.bindAddress, strconv.Itoa(o.port))}
	var problems []error
	problem := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if o.configFile == "" {
		problem("--config-file is missing: it says what to follow")
	}
	var err error
	if s.level, err = program.ParseLevel(o.verbosity); err != nil {
		problem("--verbosity %w", err)
	}
	if s.retention, err = timespec.ParseDuration(o.retention); err != nil {
		problem("--retention: %w", err)
	}
	if size, err := resource.ParseQuantity(o.maxSize); err != nil || size.Sign() < 0 {
		problem("--max-size %q: wanted is a number of bytes, such as 10Gi or 500Mi", o.maxSize)
	} else {
		if s.maxSize = size.Value(); s.maxSize > 0 && s.maxSize < leastMaxSize {
			problem("--max-size %s: that is %d bytes, in which no log has room; wanted is a size such as 10Gi or 500Mi", o.maxSize, s.maxSize)
		}
	}
	switch {
	case len(o.redact) == 0:
		// An empty setting must not turn redaction off by accident.
		problem("--redact is empty: name what not to record in clear, or say none")
	case len(o.redact) == 1 && o.redact[0] == "none":
	case slices.Contains(o.redact, "none"):
		problem("--redact: none goes with nothing else")
	default:
		if s.redaction, err = manifest.ParseRedaction(o.redact); err != nil {
			problem("--redact: %w (or none)", err)
		}
	}
	for _, text := range o.allowed {
		destination, err := server.ParseDestination(text)
		if err != nil {
			problem("--allow-destination: %w", err)
		}
		s.allowed = append(s.allowed, destination)
	}
	switch {
	case o.auth != authToken && o.auth != authNone:
		problem("--auth %q: accepted are %s and %s", o.auth, authToken, authNone)
	case o.auth == authNone && !o.insecure && !canBeLoopback(o.bindAddress):
		problem("--bind-address %s: the API would be open to everybody who reaches it, and it gives away what is recorded; "+
			"ask for tokens with --auth token, listen on 127.0.0.1, or, if you must, say --insecure", o.bindAddress)
	}
	if o.port < 0 || o.port > 65535 {
		problem("--server-port %d: wanted is a port, 0 to 65535", o.port)
	}
	if (o.tlsCert == "") != (o.tlsKey == "") {
		problem("--tls-cert-file and --tls-key-file go together")
	}
	if o.maxExports < 1 {
		problem("--max-exports %d: wanted is at least 1", o.maxExports)
	}
	if o.ownerCache < 1 {
		problem("--owner-cache-size %d: wanted is at least 1", o.ownerCache)
	}
	if len(problems) > 0 {
		return nil, &program.UsageError{Err: errors.Join(problems...)}
	}
	return s, nil
}

// canBeLoopback tells addresses that others reach. What a name stands for is seen when it is listened at.
func canBeLoopback(address string) bool {
	ip := net.ParseIP(address)
	return address != "" && (ip == nil || ip.IsLoopback())
}
