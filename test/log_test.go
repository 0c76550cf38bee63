package test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// logVerbosity is the level at which the control plane logs every request, and every list of a
// watch.
const logVerbosity = 3

// logFaults searches the log of a control plane for faults between two times. It returns the kinds
// of faults, each with its number and first line, and how many Event objects were written.
//
// A watch that is closed after the minutes it asked for is resumed with a request for its resource
// version. A lost watch starts again by listing all objects: nothing lists once the control plane
// is up.
func logFaults(log io.Reader, from, to time.Time) (faults []string, events int, err error) {
	rules := logRules()
	first, count := map[string]string{}, map[string]int{}
	lines := bufio.NewReaderSize(log, 1<<20)
	read := 0
	for {
		line, err := lines.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, 0, fmt.Errorf("read the log: %w", err)
		}
		if now, ok := logTime(line, from.Year()); ok {
			read++
			if !now.Before(from) && now.Before(to) {
				if strings.Contains(line, `verb="POST"`) && strings.Contains(line, "/events\"") && strings.Contains(line, " resp=201") {
					events++
				}
				for _, rule := range rules {
					if rule.text.MatchString(line) {
						if count[rule.fault]++; count[rule.fault] == 1 {
							first[rule.fault] = strings.TrimSpace(line)
						}
					}
				}
			}
		}
		if err != nil {
			break
		}
	}
	if read == 0 {
		return nil, 0, errors.New("the log has no line with a time: this looks in the wrong place")
	}
	for _, fault := range slices.Sorted(maps.Keys(count)) {
		faults = append(faults, fmt.Sprintf("%s, %d times, first: %s", fault, count[fault], first[fault]))
	}
	return faults, events, nil
}

type logRule struct {
	fault string
	text  *regexp.Regexp
}

func logRules() []logRule {
	return []logRule{
		{"a client was not let in", regexp.MustCompile(` resp=401\b|Unauthorized|Unable to authenticate`)},
		{"a certificate or token had expired", regexp.MustCompile(`x509:|tls: |TLS handshake|(?i:certificate|token)\b.* (?i:expired|not yet valid)`)},
		{"the API server failed or was not ready", regexp.MustCompile(` resp=(5\d\d|429)\b`)},
		{"a watch was too far behind", regexp.MustCompile(` resp=410\b|too old resource version|required revision has been compacted`)},
		{"a watch ended with an error", regexp.MustCompile(`watch ended with error|Watch closed with unexpected EOF|Failed to watch|watch-list failed`)},
		{"a watch was lost and started again", regexp.MustCompile(
			`verb="LIST" URI="[^"]*\bresourceVersion=|verb="WATCH" URI="[^"]*\bsendInitialEvents=true|"Listing and watching"`)},
	}
}

// logTime returns when a line was logged according to klog's header, which is local and has no
// year; for a request, when it arrived.
func logTime(line string, year int) (time.Time, bool) {
	const layout = "0102 15:04:05.000000"
	if len(line) <= len(layout) || !strings.ContainsRune("IWEF", rune(line[0])) {
		return time.Time{}, false
	}
	t, err := time.ParseInLocation(layout, line[1:1+len(layout)], time.Local)
	if err != nil {
		return time.Time{}, false
	}
	t = time.Date(year, t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.Local)
	// A request is logged at its end, which for a watch is after minutes.
	_, rest, _ := strings.Cut(line, ` latency="`)
	latency, _, _ := strings.Cut(rest, `"`)
	if took, err := time.ParseDuration(latency); err == nil {
		t = t.Add(-took)
	}
	return t, true
}

// checkLog fails if a log has a fault between two times.
func checkLog(tb testing.TB, log *os.File, from, to time.Time) {
	tb.Helper()
	if log == nil {
		tb.Fatal("there was no log: this test looks in the wrong place")
	}
	faults, events, err := logFaults(log, from, to)
	if err != nil {
		tb.Fatal(err)
	}
	for _, fault := range faults {
		tb.Error(fault)
	}
	tb.Logf("%d Events were written", events)
}

func TestLogFaults(t *testing.T) {
	from := time.Date(2026, 3, 10, 0, 0, 0, 0, time.Local)
	to := from.Add(24 * time.Hour)
	request := func(verb, uri, code string) string {
		return `I0310 05:31:00.500000   31587 httplog.go:134] "HTTP" verb="` + verb + `" URI="` + uri + `" latency="0s" userAgent="simkube" resp=` + code
	}
	for name, tc := range map[string]struct {
		line, want string
	}{
		"a watch continues":    {request("WATCH", "/api/v1/nodes?allowWatchBookmarks=true&resourceVersion=187&timeoutSeconds=586&watch=true", "200"), ""},
		"a list for its own":   {request("LIST", "/api/v1/services", "200"), ""},
		"a conflict":           {request("PUT", "/apis/apps/v1/namespaces/shop/deployments/web/status", "409"), ""},
		"an expectation":       {`I0310 00:00:00.000000   31587 controller_utils.go:215] "Controller either never recorded expectations, or the ttl expired"`, ""},
		"before the replay":    {`I0309 23:59:01.645000   31587 reflector.go:472] "Listing and watching" type="*v1.Node"`, ""},
		"in the clean-up":      {`I0311 00:00:00.000000   31587 reflector.go:472] "Listing and watching" type="*v1.Node"`, ""},
		"an error":             {`I0310 05:31:00.500000   31587 reflector.go:664] "Warning: watch ended with error" err="disabled"`, "ended with an error"},
		"another list":         {request("LIST", "/api/v1/pods?fieldSelector=spec.nodeName%21%3D&resourceVersion=0", "200"), "started again"},
		"the first watch list": {strings.Replace(request("WATCH", "/api/v1/pods?sendInitialEvents=true&watch=true", "200"), `latency="0s"`, `latency="5h31m2s"`, 1), ""},
		"another watch list":   {request("WATCH", "/api/v1/pods?resourceVersionMatch=NotOlderThan&sendInitialEvents=true&watch=true", "200"), "started again"},
		"another in a server":  {`I0310 05:31:00.500000   31587 reflector.go:472] "Listing and watching" type="*core.Node" reflector="storage/cacher.go:/minions"`, "started again"},
		"compacted":            {`I0310 05:31:00.500000   31587 reflector.go:651] "Watch closed" err="too old resource version: 12 (345)"`, "too far behind"},
		"gone":                 {request("WATCH", "/api/v1/pods?resourceVersion=12&watch=true", "410"), "too far behind"},
		"not let in":           {request("GET", "/api/v1/pods", "401"), "was not let in"},
		"certificate":          {`E0310 05:31:00.500000   31587 authentication.go:75] err="x509: certificate has expired or is not yet valid"`, "had expired"},
		"token":                {`E0310 05:31:00.500000   31587 authentication.go:75] err="invalid bearer token, token has expired"`, "had expired"},
		"too many":             {request("POST", "/api/v1/pods", "429"), "was not ready"},
	} {
		t.Run(name, func(t *testing.T) {
			faults, _, err := logFaults(strings.NewReader(tc.line+"\n"), from, to)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(faults, "\n"); (got == "") != (tc.want == "") || !strings.Contains(got, tc.want) {
				t.Errorf("got %q, want one that has %q", got, tc.want)
			}
		})
	}
	if _, _, err := logFaults(strings.NewReader("kept in the dark\n"), from, to); err == nil {
		t.Error("accepted a log without a time")
	}
}
