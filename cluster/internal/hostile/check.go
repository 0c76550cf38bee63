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

// untouchedTime is how long what was simulated may take to be gone.
const untouchedTime = time.Minute

// Count returns how many traces a test is to replay: what SIMKUBE_HOSTILE says, or else least.
func Count(least int) (int, error) {
	text := os.Getenv(countVariable)
	if text == "" {
		return least, nil
	}
	count, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("invalid %s %q: must be a number", countVariable, text)
	}
	return count, nil
}

// CheckUntouched waits until the cluster is as it was, and returns an error that lists what differs if it is
// not after a minute.
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
		return fmt.Errorf("the cluster is not as it was (%w):\n%s", err, strings.Join(diff, "\n"))
	}
	return nil
}
