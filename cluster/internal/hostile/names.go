package hostile

import (
	"math/rand/v2"
	"strings"
)

// Namespace is the namespace of most objects outside.
const Namespace = "prod"

// names are those of objects in traces: of objects outside, paths to them, and invalid ones.
var names = []string{
	"settings", "shop", "data", "real-0", "real-1", "high", "prod", "default", "kube-system",
	"../../prod/configmaps/settings",
	"../../../namespaces/prod/configmaps/settings",
	"../../../nodes/real-0",
	"../nodes/real-1",
	"../../../persistentvolumes/disk",
	"../../../../../api/v1/namespaces/prod",
	"../../../../apis/apps/v1/namespaces/prod/deployments/shop",
	"settings/../../prod/settings",
	"..", ".", "...", "/", "//", "a/b", "a%2fb", "%2e%2e", "..%2f..%2fprod", `..\..\prod`,
	"settings/status", "shop/scale", "shop/eviction", "a?b=c", "a#b", "a;b", "a b", "a\x00b", "a\nb", "\x1b[31mred",
	"UPPER", "-", "ünïcode", "\u202egnp.exe", strings.Repeat("x", 300), strings.Repeat("../", 100) + "x",
	"ordinary", "another",
}

// namespaces are those of objects in traces. They get a prefix in the simulation, so a path must
// get around it.
var namespaces = []string{
	"prod", "kube-system", "default", "simkube", "shop",
	"x/../../prod", "x/../prod", "../prod", "../../nodes", "..", ".", "x/..", "x/../../../nodes", "a%2fb",
	"prod/configmaps/settings?", "prod#", "prod\x00", "UPPER", strings.Repeat("x", 80), "ordinary", "another",
}

// ordinary are valid names.
var ordinary = []string{"settings", "shop", "data", "ordinary", "another", "high", "real-0", "prod"}

// chooser chooses the contents of a trace at random.
type chooser struct{ *rand.Rand }

func pick[T any](c chooser, from []T) T { return from[c.IntN(len(from))] }

// one returns true once in n times on average.
func (c chooser) one(n int) bool { return c.IntN(n) == 0 }

// name returns an ordinary name half of the time, because objects with an invalid one are rejected
// at once.
func (c chooser) name() string {
	if c.one(2) {
		return pick(c, ordinary)
	}
	return pick(c, names)
}

func (c chooser) namespace() string {
	if c.one(2) {
		return pick(c, []string{"prod", "ordinary", "shop"})
	}
	return pick(c, namespaces)
}
