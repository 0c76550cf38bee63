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

// Values of --auth.
const (
	authToken = "token"
	authNone  = "none"
)

// minMaxSize is the minimum of --max-size in bytes. Below it, a unit was probably forgotten.
const minMaxSize = 1 << 20

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
	flags.BoolVar(&o.inMemory, "in-memory", false, "keep the event log in memory: it is lost on a restart")
	flags.StringVar(&o.retention, "retention", "7d", "how long to keep what was recorded; 0s means forever")
	flags.StringVar(&o.maxSize, "max-size", "10Gi", "maximum size of the event log; 0 means no limit")
	flags.StringSliceVar(&o.redact, "redact", []string{"secrets", "env"},
		"what not to record in plain text: env, secrets, configmaps, annotations=KEY (each may be repeated), or none. Commands, arguments, labels and "+
			"fields of custom resources are always recorded in plain text, and so are annotations and ConfigMaps that no rule covers")
	flags.StringVar(&o.redactKey, "redact-key-file", "", "file with 32 bytes in hexadecimal, the key of the tokens that replace redacted values (default: generated once, and stored in the data directory)")
	flags.BoolVar(&o.noExtension, "no-extension", false, "do not record nodes, which are part of the extension x-simkube of the trace format")
	flags.IntVar(&o.ownerCache, "owner-cache-size", tracer.DefaultOwnerCache, "number of objects whose owners are cached")

	flags.IntVar(&o.port, "server-port", simkubev1.DefaultTracerPort, "port of the export API")
	flags.StringVar(&o.bindAddress, "bind-address", "127.0.0.1", "address of the export API")
	flags.StringVar(&o.auth, "auth", authNone, "who may use the API: token (users authorized by the cluster, with bearer tokens) or none (everyone, on a loopback address)")
	flags.BoolVar(&o.insecure, "insecure", false, "allow everyone to use the API on any address")
	flags.StringArrayVar(&o.allowed, "allow-destination", nil, "a bucket, or a prefix in one, that exports may be written to, such as s3://bucket/prefix (may be repeated; default: none)")
	flags.IntVar(&o.maxExports, "max-exports", 2, "maximum number of concurrent exports")
	flags.StringVar(&o.spoolDir, "spool-dir", "", "directory for the temporary files of exports, used by this tracer only: leftover files are removed at the start "+
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

// settings are the parsed options.
type settings struct {
	level     slog.Level
	retention time.Duration
	maxSize   int64
	redaction manifest.Redaction
	allowed   []server.Destination
	address   string
}

// parse parses the flags, and returns all of their problems in one error.
func (o *options) parse() (*settings, error) {
	s := &settings{address: net.JoinHostPort(o.bindAddress, strconv.Itoa(o.port))}
	var problems []error
	problem := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if o.configFile == "" {
		problem("--config-file is missing: it must be a file with the kinds to follow")
	}
	var err error
	if s.level, err = program.ParseLevel(o.verbosity); err != nil {
		problem("--verbosity %w", err)
	}
	if s.retention, err = timespec.ParseDuration(o.retention); err != nil {
		problem("--retention: %w", err)
	}
	if size, err := resource.ParseQuantity(o.maxSize); err != nil || size.Sign() < 0 {
		problem("invalid --max-size %q: must be a number of bytes, such as 10Gi or 500Mi", o.maxSize)
	} else {
		if s.maxSize = size.Value(); s.maxSize > 0 && s.maxSize < minMaxSize {
			problem("invalid --max-size %s: %d bytes is too small; must be a size such as 10Gi or 500Mi", o.maxSize, s.maxSize)
		}
	}
	switch {
	case len(o.redact) == 0:
		// An empty value must not turn redaction off by accident.
		problem("invalid --redact \"\": must be what not to record in plain text, or none")
	case len(o.redact) == 1 && o.redact[0] == "none":
	case slices.Contains(o.redact, "none"):
		problem("invalid --redact: none cannot be combined with other values")
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
		problem("invalid --auth %q: must be %s or %s", o.auth, authToken, authNone)
	case o.auth == authNone && !o.insecure && !canBeLoopback(o.bindAddress):
		problem("--bind-address %s: the API, with everything that is recorded, would be open to everyone who can reach it; "+
			"require tokens with --auth token, listen on 127.0.0.1, or accept this with --insecure", o.bindAddress)
	}
	if o.port < 0 || o.port > 65535 {
		problem("invalid --server-port %d: must be a port from 0 to 65535", o.port)
	}
	if (o.tlsCert == "") != (o.tlsKey == "") {
		problem("--tls-cert-file and --tls-key-file must be set together")
	}
	if o.maxExports < 1 {
		problem("invalid --max-exports %d: must be at least 1", o.maxExports)
	}
	if o.ownerCache < 1 {
		problem("invalid --owner-cache-size %d: must be at least 1", o.ownerCache)
	}
	if len(problems) > 0 {
		return nil, &program.UsageError{Err: errors.Join(problems...)}
	}
	return s, nil
}

// canBeLoopback reports whether an address may be a loopback address. A name is checked when the
// server listens.
func canBeLoopback(address string) bool {
	ip := net.ParseIP(address)
	return address != "" && (ip == nil || ip.IsLoopback())
}
