package testkubelet

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

const (
	// Tests must not wait for long: no probe is made less often than this.
	maxProbePeriod = 500 * time.Millisecond
	maxProbeDelay  = time.Second
)

// probe checks whether the container is ready until ctx ends.
func (c *container) probe(ctx context.Context) {
	probe := c.spec.ReadinessProbe
	if probe == nil {
		return
	}
	if c.w.k.sleep(ctx, min(time.Duration(probe.InitialDelaySeconds)*time.Second, maxProbeDelay)) != nil {
		return
	}
	client := &http.Client{
		Timeout: time.Duration(max(1, probe.TimeoutSeconds)) * time.Second,
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // as a kubelet does
			DialContext:     (&net.Dialer{}).DialContext, DisableKeepAlives: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	period := min(time.Duration(max(1, probe.PeriodSeconds))*time.Second, maxProbePeriod)
	failures, successes := int32(0), int32(0)
	for {
		err := c.ask(ctx, client, probe)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			failures, successes = failures+1, 0
		} else {
			failures, successes = 0, successes+1
		}
		c.w.mu.Lock()
		ready := c.ready
		c.w.mu.Unlock()
		switch {
		case !ready && successes >= max(1, probe.SuccessThreshold):
			c.set(func() { c.ready = true })
		case ready && failures >= cmp.Or(probe.FailureThreshold, 3):
			c.set(func() { c.ready = false })
			c.w.event("Unhealthy", "Readiness probe failed: "+err.Error())
		}
		if c.w.k.sleep(ctx, period) != nil {
			return
		}
	}
}

func (c *container) ask(ctx context.Context, client *http.Client, probe *corev1.Probe) error {
	switch {
	case probe.HTTPGet != nil:
		get := probe.HTTPGet
		port, err := c.port(get.Port)
		if err != nil {
			return err
		}
		url := strings.ToLower(cmp.Or(string(get.Scheme), "http")) + "://" +
			net.JoinHostPort(cmp.Or(get.Host, c.w.k.address), port) + "/" + strings.TrimPrefix(get.Path, "/")
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		for _, header := range get.HTTPHeaders {
			request.Header.Add(header.Name, header.Value)
		}
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode < 200 || response.StatusCode >= 400 {
			return fmt.Errorf("HTTP probe failed with statuscode: %d", response.StatusCode)
		}
		return nil
	case probe.TCPSocket != nil:
		port, err := c.port(probe.TCPSocket.Port)
		if err != nil {
			return err
		}
		dialer := net.Dialer{Timeout: client.Timeout}
		connection, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(cmp.Or(probe.TCPSocket.Host, c.w.k.address), port))
		if err != nil {
			return err
		}
		return connection.Close()
	}
	return errors.New("this kubelet knows no such probe")
}

func (c *container) port(port intstr.IntOrString) (string, error) {
	if port.Type == intstr.Int {
		return strconv.Itoa(port.IntValue()), nil
	}
	for _, p := range c.spec.Ports {
		if p.Name == port.StrVal {
			return strconv.Itoa(int(p.ContainerPort)), nil
		}
	}
	return "", fmt.Errorf("the container has no port %q", port.StrVal)
}
