package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	simkubev1 "simkube.io/simkube/api/v1"
	"simkube.io/simkube/storage/location"
)

// checkDriverTrace checks the syntax of the trace's location. It does not open the trace, which the
// driver reads elsewhere.
func checkDriverTrace(text string) error {
	switch scheme, _, isURL := strings.Cut(text, "://"); {
	case text == "":
		return errors.New("must not be empty")
	case !isURL && !path.IsAbs(text):
		return fmt.Errorf("%q: must be an absolute path on the node, which is not this machine; "+
			"copy a file of this machine to the node or to a bucket first", text)
	case isURL && scheme != strings.ToLower(scheme):
		return fmt.Errorf("%q: must begin with %s://", text, strings.ToLower(scheme))
	}
	_, err := location.Parse(text)
	return err
}

// parseResults parses where results are kept; nil means only in the status.
func parseResults(text string) (*simkubev1.SimulationResults, error) {
	if text == "" {
		return nil, nil
	}
	if name, ok := strings.CutPrefix(text, "configmap/"); ok {
		return &simkubev1.SimulationResults{ConfigMap: name}, checkObjectNames(name)
	}
	if name, ok := strings.CutPrefix(text, "pvc/"); ok {
		return &simkubev1.SimulationResults{PersistentVolumeClaim: name}, checkObjectNames(name)
	}
	if !regexp.MustCompile(`^(s3|gs|azure|az|azblob)://[^/]+`).MatchString(text) {
		return nil, fmt.Errorf("%q: must be a folder in a bucket (s3://bucket/folder, gs://..., azure://...), configmap/NAME or pvc/NAME", text)
	}
	return &simkubev1.SimulationResults{URL: text}, nil
}

// spec returns the specification of the Prometheus, or nil.
func (o *metricsOptions) spec(cmd *cobra.Command, wrong *problems) *simkubev1.SimulationMetrics {
	out := &simkubev1.SimulationMetrics{
		Namespace: &o.namespace, ServiceAccount: &o.account,
		PodMonitorNamespaces: o.podNamespaces, PodMonitorNames: o.podNames,
		ServiceMonitorNamespaces: o.serviceNamespaces, ServiceMonitorNames: o.serviceNames,
	}
	wrong.check(checkName("--metrics-namespace", o.namespace, maxNamespaceName))
	wrong.check(flagError("metrics-service-account", checkObjectNames(o.account)))
	if cmd.Flags().Changed("prometheus-shards") {
		if o.shards < 1 {
			wrong.check(fmt.Errorf("invalid --prometheus-shards %d: must be at least 1", o.shards))
		}
		out.PrometheusShards = &o.shards
	}
	if o.remoteWrite != "" {
		u, err := url.Parse(o.remoteWrite)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			wrong.check(fmt.Errorf("invalid --remote-write-endpoint %q: must be a URL such as http://prometheus.example.com/api/v1/write", o.remoteWrite))
		}
		var config simkubev1.RemoteWriteConfig
		config.Raw, err = json.Marshal(map[string]string{"url": o.remoteWrite})
		wrong.check(flagError("remote-write-endpoint", err))
		out.RemoteWriteConfigs = []simkubev1.RemoteWriteConfig{config}
	}
	return out
}
