package watch

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/validate/content"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/clock"
)

// answerSilence is how long the API server may take for an answer that it does not hold back on purpose, and pause in one. It gives up
// by itself after a minute.
const answerSilence = 90 * time.Second

// maxResources is how long the list of the resources of a group may be, in bytes. Real ones have some 10 KB.
const maxResources = 16 << 20

// find asks for the path of a kind's objects of all namespaces. It asks for the kind's group version alone: asking for all groups costs an API
// server with many a lot, and fails when any one of them is not well.
func (c *Client) find(ctx context.Context, clk clock.Clock, kind schema.GroupVersionKind) (string, *ending) {
	for _, segment := range []string{kind.Group, kind.Version} {
		if reasons := content.IsPathSegmentName(segment); len(reasons) > 0 {
			return "", &ending{reason: Absent, err: fmt.Errorf("find kind %s of %s: %q %s", kind.Kind, kind.GroupVersion(), segment, reasons[0])}
		}
	}
	group := "/apis/" + kind.Group + "/" + kind.Version
	if kind.Group == "" {
		group = "/api/" + kind.Version
	}
	doing := "find kind " + kind.Kind + " of " + kind.GroupVersion().String()
	answer, end := c.get(ctx, clk, doing, group, nil, answerSilence)
	if end != nil {
		if end.reason == Absent {
			end.err = fmt.Errorf("%s: the API server has no such group and version: install what brings it", doing)
		}
		return "", end
	}
	defer answer.close()
	body, err := io.ReadAll(io.LimitReader(answer, maxResources))
	if err != nil {
		return "", broken(doing, err)
	}
	var resources metav1.APIResourceList
	if err := json.Unmarshal(body, &resources); err != nil {
		return "", failed(fmt.Errorf("%s: read the API server's list of resources: %w", doing, err))
	}
	for _, r := range resources.APIResources {
		// A name with a slash is a part of another resource's objects.
		if r.Kind != kind.Kind || len(content.IsPathSegmentName(r.Name)) > 0 {
			continue
		}
		if !slices.Contains(r.Verbs, "watch") || !slices.Contains(r.Verbs, "list") {
			return "", &ending{reason: Absent, err: fmt.Errorf("%s: its objects cannot be listed and watched", doing)}
		}
		return group + "/" + r.Name, nil
	}
	return "", &ending{reason: Absent, err: fmt.Errorf(
		"%s: the API server has no such kind: install its CustomResourceDefinition, or see if its name is spelled right", doing)}
}
