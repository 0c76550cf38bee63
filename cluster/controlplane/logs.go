package controlplane

import (
	"flag"
	"io"
	"strconv"

	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
)

// redirectLogs sends the logs of all Kubernetes components, which share one logger per process, to
// w.
func redirectLogs(w io.Writer, verbosity int) {
	fs := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(fs)
	for name, value := range map[string]string{
		"logtostderr":     "false",
		"alsologtostderr": "false",
		"stderrthreshold": "FATAL",
		"one_output":      "true",
		"v":               strconv.Itoa(verbosity),
	} {
		// The names and values are klog's own: Set can't fail.
		_ = fs.Set(name, value)
	}
	klog.SetOutput(w)
	rest.SetDefaultWarningHandler(rest.NoWarnings{})
}
