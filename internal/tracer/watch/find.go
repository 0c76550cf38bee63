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

// answerSilence is how long the API server may take to respond to a request that is not a watch,
// and pause in the response. Its own timeout is a minute.
const answerSilence = 90 * time.Second

// maxResources is the maximum length in bytes of a group's list of resources. Real ones have some
// 10 KB.
const maxResources = 16 << 20

// find returns the path of a kind's objects in all namespaces. It requests only the resources of
// the kind's group and version: a request for all groups is expensive for an API server with many,
// and fails if any of them is unavailable.
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
	action := "find kind " + kind.Kind + " of " + kind.GroupVersion().String()
	answer, end := c.get(ctx, clk, action, group, nil, answerSilence)
	if end != nil {
		if end.reason == Absent {
			end.err = fmt.Errorf("%s: the API server has no such group and version: install the API that defines it", action)
		}
		return "", end
	}
	defer answer.close()
	body, err := io.ReadAll(io.LimitReader(answer, maxResources))
	if err != nil {
		return "", broken(action, err)
	}
	var resources metav1.APIResourceList
	if err := json.Unmarshal(body, &resources); err != nil {
		return "", failed(fmt.Errorf("%s: read the API server's list of resources: %w", action, err))
	}
	for _, r := range resources.APIResources {
		// A name with a slash is that of a subresource.
		if r.Kind != kind.Kind || len(content.IsPathSegmentName(r.Name)) > 0 {
			continue
		}
		if !slices.Contains(r.Verbs, "watch") || !slices.Contains(r.Verbs, "list") {
			return "", &ending{reason: Absent, err: fmt.Errorf("%s: its objects cannot be listed and watched", action)}
		}
		return group + "/" + r.Name, nil
	}
	return "", &ending{reason: Absent, err: fmt.Errorf(
		"%s: the API server has no such kind: install its CustomResourceDefinition, or correct the name", action)}
}
