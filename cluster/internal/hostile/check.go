package hostile

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
)

// countVariable sets the number of traces that a test replays.
const countVariable = "SIMKUBE_HOSTILE"

// untouchedTime is how long deleting simulated objects may take.
const untouchedTime = time.Minute

// Count returns how many traces a test must replay: the value of SIMKUBE_HOSTILE, or minimum by
// default.
func Count(minimum int) (int, error) {
	text := os.Getenv(countVariable)
	if text == "" {
		return minimum, nil
	}
	count, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("invalid %s %q: must be a number", countVariable, text)
	}
	return count, nil
}

// CheckUntouched waits until the cluster is as before. After a minute it returns an error that
// lists the differences.
func CheckUntouched(ctx context.Context, config *rest.Config, before Listing) error {
	var diff []string
	err := wait.PollUntilContextTimeout(ctx, time.Second, untouchedTime, true, func(ctx context.Context) (bool, error) {
		after, err := List(ctx, config)
		if err != nil {
			return false, err
		}
		diff = before.Diff(after)
		return len(diff) == 0, nil
	})
	if err != nil {
		return fmt.Errorf("the cluster has changed (%w):\n%s", err, strings.Join(diff, "\n"))
	}
	return nil
}
