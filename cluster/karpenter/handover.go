package karpenter

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	v1 "sigs.k8s.io/karpenter/pkg/apis/v1"

	"simkube.io/simkube/internal/words"
)

// Handover hands nodes that another autoscaler has made over to node pools. The zero value can be
// set in Options; it has an effect once the component is ready. It is safe for concurrent use.
type Handover struct {
	client client.Client
	// reader reads past the cache.
	reader   client.Reader
	provider *provider

	mu sync.Mutex
	// quiet is until when Karpenter disrupts no node.
	quiet time.Time
}

const (
	// handoverBatch is how many nodes are handed over at once. With many more, Karpenter's caches are
	// so late that most of its updates conflict.
	handoverBatch = 50
	// handoverTime bounds how long Karpenter takes to register those.
	handoverTime = 2 * time.Minute
	handoverPoll = 100 * time.Millisecond
	// maxHandedNames is how many nodes and reasons a note names.
	maxHandedNames = 3
)

// TakeOptions are options of [Handover.Take].
type TakeOptions struct {
	// All says that nodes that name no pool are handed over too, if a pool allows them.
	All bool
	// Start returns when the first pods will be created, as it is known then. Until then Karpenter
	// disrupts no node. It must not be nil.
	Start func() time.Time
	// Taken, if not nil, is called with the number of nodes that are ready so far.
	Taken func(n int)
}

// connect makes a Handover hand nodes over to a provider. It must be called before all other
// methods.
func (h *Handover) connect(c client.Client, reader client.Reader, p *provider) {
	h.client, h.reader, h.provider = c, reader, p
}

// Take hands nodes over. Each becomes an instance of its type, of the pool that its label
// karpenter.sh/nodepool names; if it names none that exists, of the first pool that allows it, in
// the order of their weights. A node without allocatable resources gets those of its type. Take
// returns when Karpenter has registered the nodes, so that pods can run there. consolidateAfter
// begins at the start of the options. It returns the other nodes, which it has not created, and
// notes about both. It must not be called twice with one node.
func (h *Handover) Take(ctx context.Context, nodes []*corev1.Node, opts TakeOptions) (rest []*corev1.Node, notes []string, err error) {
	pools := &v1.NodePoolList{}
	if err := h.reader.List(ctx, pools); err != nil {
		return nil, nil, fmt.Errorf("list node pools: %w", err)
	}
	slices.SortFunc(pools.Items, func(a, b v1.NodePool) int {
		return cmp.Or(-cmp.Compare(weight(a), weight(b)), cmp.Compare(a.Name, b.Name))
	})
	matcher := matcher{types: h.provider.avoided.all, pools: pools.Items, all: opts.All}
	taken := map[string]int{}
	var refused refusals
	var matches []match
	for _, node := range nodes {
		m, why := matcher.match(node)
		if m.pool == nil {
			if rest = append(rest, node); why.what != "" {
				refused.add(node.Name, why)
			}
			continue
		}
		matches = append(matches, m)
		taken[m.pool.Name]++
	}
	for i := range pools.Items {
		if name := pools.Items[i].Name; taken[name] > 0 {
			notes = append(notes, fmt.Sprintf("%s handed over to node pool %s", words.Count(taken[name], "node"), name))
		}
	}
	notes = append(notes, refused.notes()...)
	done := 0
	for batch := range slices.Chunk(matches, handoverBatch) {
		if err := h.create(ctx, batch); err != nil {
			return nil, nil, err
		}
		if done += len(batch); opts.Taken != nil {
			opts.Taken(done)
		}
	}
	return rest, notes, h.begin(ctx, matches, opts.Start())
}

// create creates the claims of nodes, and waits for the nodes.
func (h *Handover) create(ctx context.Context, batch []match) error {
	h.hold(h.provider.opts.Clock.Now().Add(2 * handoverTime))
	names := make([]string, 0, len(batch))
	for i := range batch {
		m := &batch[i]
		names = append(names, m.node.Name)
		h.provider.expect(m.existing(), m.offer)
		if err := h.client.Create(ctx, m.claim()); err != nil {
			return fmt.Errorf("hand node %s over to node pool %s: %w", m.node.Name, m.pool.Name, err)
		}
	}
	left, err := h.await(ctx, names)
	if err != nil {
		return fmt.Errorf("hand %s over: %s: %w", words.Count(len(left), "node"), words.First(maxHandedNames, left...), err)
	}
	return nil
}

func weight(p v1.NodePool) int32 {
	if p.Spec.Weight == nil {
		return 0
	}
	return *p.Spec.Weight
}

// await waits until Karpenter has registered and initialized nodes. With an error, it returns those
// that are not.
func (h *Handover) await(ctx context.Context, names []string) ([]string, error) {
	left := names
	err := wait.PollUntilContextTimeout(ctx, handoverPoll, handoverTime, true, func(ctx context.Context) (bool, error) {
		var waiting []string
		for _, name := range left {
			claim := &v1.NodeClaim{}
			if err := h.client.Get(ctx, client.ObjectKey{Name: name}, claim); client.IgnoreNotFound(err) != nil {
				return false, err
			} else if apierrors.IsNotFound(err) || !claim.StatusConditions().IsTrue(v1.ConditionTypeInitialized) {
				waiting = append(waiting, name)
			}
		}
		left = waiting
		return len(left) == 0, nil
	})
	if wait.Interrupted(err) && ctx.Err() == nil {
		err = errors.New("Karpenter has not registered them in " + handoverTime.String())
	}
	return left, err
}

// begin makes the time that nodes are empty count from a time, which may be in the future.
// Karpenter counts it from when it has initialized them, which is earlier.
func (h *Handover) begin(ctx context.Context, matches []match, at time.Time) error {
	patch, err := json.Marshal(map[string]any{"status": map[string]any{"lastPodEventTime": metav1.NewTime(at)}})
	if err != nil {
		return err
	}
	for _, m := range matches {
		claim := &v1.NodeClaim{ObjectMeta: metav1.ObjectMeta{Name: m.node.Name}}
		err := h.client.Status().Patch(ctx, claim, client.RawPatch(types.MergePatchType, patch))
		if client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("hand node %s over: %w", claim.Name, err)
		}
	}
	// By then, pods that are created at once have nodes.
	h.hold(at.Add(disruptionPeriod))
	return nil
}

func (h *Handover) hold(until time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.quiet = until
}

// held returns how long Karpenter must not disrupt nodes from now on.
func (h *Handover) held(now time.Time) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return max(0, h.quiet.Sub(now))
}

// refusal is why a node is not handed over: what is the reason, and detail what of the node.
type refusal struct{ what, detail string }

// refusals are the nodes that are not handed over, by reason, in the order of the first.
type refusals []refusedNodes

type refusedNodes struct {
	what           string
	details, nodes []string
}

func (r *refusals) add(node string, why refusal) {
	i := slices.IndexFunc(*r, func(n refusedNodes) bool { return n.what == why.what })
	if i < 0 {
		*r = append(*r, refusedNodes{what: why.what})
		i = len(*r) - 1
	}
	known := &(*r)[i]
	known.nodes = append(known.nodes, node)
	if why.detail != "" && !slices.Contains(known.details, why.detail) {
		known.details = append(known.details, why.detail)
	}
}

func (r refusals) notes() []string {
	var out []string
	for _, n := range r {
		what := n.what
		if len(n.details) > 0 {
			what += " (" + words.First(maxHandedNames, n.details...) + ")"
		}
		out = append(out, fmt.Sprintf("%s not handed over, and not removed by Karpenter: %s: %s",
			words.Count(len(n.nodes), "node"), what, words.First(maxHandedNames, n.nodes...)))
	}
	slices.SortFunc(out, strings.Compare)
	return out
}
