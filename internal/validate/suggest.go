package validate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"simkube.io/simkube/trace"
)

// Suggestion is a SKEL program that fixes the findings of a rule.
type Suggestion struct {
	Rule *Rule
	// Program contains commands, one per line, and comments.
	Program string
	early   bool
}

// program collects commands.
type program struct {
	lines []string
	tail  *trace.Tail
}

func (p *program) write(line string)                  { p.lines = append(p.lines, line) }
func (p *program) command(format string, args ...any) { p.write(fmt.Sprintf(format, args...)) }
func (p *program) comment(format string, args ...any) {
	p.write("# " + oneLine(fmt.Sprintf(format, args...)))
}
func (p *program) text() string  { return strings.Join(p.lines, "\n") + "\n" }
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// nothingToDo is the suggestion of rules about what a replay does by itself.
func nothingToDo(_ *Checker, _ *Rule, p *program) { p.comment("Nothing need be done.") }

func compareTexts(pairs ...string) (order int) {
	for i := 0; i+1 < len(pairs) && order == 0; i += 2 {
		order = cmp.Compare(pairs[i], pairs[i+1])
	}
	return order
}

// suggest creates the suggestions for the findings of a checker.
func (r *Report) suggest(c *Checker) {
	broken := map[*Rule]bool{}
	for _, finding := range r.Findings {
		broken[finding.Rule] = true
	}
	for _, rule := range c.rules {
		if !broken[rule] || rule.suggest == nil {
			continue
		}
		p := program{tail: c.tail}
		rule.suggest(c, rule, &p)
		r.Suggestions = append(r.Suggestions, Suggestion{Rule: rule, Program: p.text(), early: rule.early})
	}
	slices.SortStableFunc(r.Suggestions, func(a, b Suggestion) int { return cmp.Compare(a.Rule.Code, b.Rule.Code) })
}

// quote returns a string as a SKEL literal.
func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(text) + `"`
}

// anyOf returns a test of a path for one of some names.
func anyOf(path string, names []string) string {
	if len(names) == 1 {
		return path + " == " + quote(names[0])
	}
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = quote(name)
	}
	return path + " in [" + strings.Join(quoted, ", ") + "]"
}

func objectSelector(gvk schema.GroupVersionKind, namespace string) string {
	selector := "@gvk == " + quote(trace.FormatGVK(gvk))
	if namespace != "" {
		selector += " && metadata.namespace == " + quote(namespace)
	}
	return selector
}

// suggest removes the references of a rule. If all references at a spot are missing, it removes
// all; otherwise those by name, and by namespace if the name exists in other namespaces.
func (n referenceRule) suggest(c *Checker, _ *Rule, p *program) {
	spots := slices.DeleteFunc(slices.Collect(maps.Keys(c.spots)), func(s spot) bool { return s.use != n.use || len(c.spots[s].bad) == 0 })
	slices.SortFunc(spots, func(a, b spot) int {
		return cmp.Or(compareTexts(a.prefix, b.prefix), cmp.Compare(a.form, b.form), compareTexts(a.list, b.list))
	})
	for _, s := range spots {
		if s.prefix == "" {
			p.comment("SKEL cannot express the path of some of the pods.")
			continue
		}
		for _, test := range c.spots[s].tests() {
			c.removeReferences(p, s, test)
		}
	}
}

// spotTest selects the references of a spot.
type spotTest struct {
	// name is empty for all; namespace is empty for all namespaces.
	name, namespace string
	// aliases are the possible values of the deprecated field, if it occurs.
	aliases []string
}

func (u *spotUse) tests() []spotTest {
	if len(u.good) == 0 {
		all := map[string]bool{}
		for _, aliases := range u.aliases {
			maps.Copy(all, aliases)
		}
		return []spotTest{{aliases: slices.Sorted(maps.Keys(all))}}
	}
	var tests []spotTest
	for _, name := range slices.Sorted(maps.Keys(u.bad)) {
		aliases := slices.Sorted(maps.Keys(u.aliases[name]))
		bad, elsewhere := u.bad[name], false
		for namespace := range u.good[name] {
			elsewhere = elsewhere || !bad[namespace]
		}
		if !elsewhere {
			tests = append(tests, spotTest{name: name, aliases: aliases})
			continue
		}
		for _, namespace := range slices.Sorted(maps.Keys(bad)) {
			tests = append(tests, spotTest{name: name, namespace: namespace, aliases: aliases})
		}
	}
	return tests
}

// removeReferences adds the commands for a spot.
func (c *Checker) removeReferences(p *program, s spot, test spotTest) {
	where := ""
	if test.namespace != "" {
		where = "metadata.namespace == " + quote(test.namespace) + " && "
	}
	if s.form == inField {
		removeFieldReferences(p, s, test, where)
		return
	}
	list, field, nameKey := s.list, "", "name"
	secret := s.use == useEnvSecret || s.use == useVolumeSecret
	switch s.form {
	case inEnv:
		list, field = list+"[*].env", "valueFrom.configMapKeyRef"
		if secret {
			field = "valueFrom.secretKeyRef"
		}
	case inEnvFrom:
		list, field = list+"[*].envFrom", "configMapRef"
		if secret {
			field = "secretRef"
		}
	case inProjected:
		list, field = "volumes[*].projected.sources", "configMap"
		if secret {
			field = "secret"
		}
	default:
		list, field = "volumes", "configMap"
		switch {
		case secret:
			field, nameKey = "secret", "secretName"
		case s.use == useClaim:
			field, nameKey = "persistentVolumeClaim", "claimName"
		}
	}
	holds := "exists($x." + field + ")"
	if test.name != "" {
		holds = "$x." + field + "." + nameKey + " == " + quote(test.name)
	}
	selector := fmt.Sprintf("%s$x := %s.%s[*] | %s", where, s.prefix, list, holds)
	if s.form == inVolume {
		for i, containers := range containerLists {
			for j, mounts := range []string{"volumeMounts", "volumeDevices"} {
				if c.mounts[s.prefix]&(1<<(i+j*len(containerLists))) != 0 {
					p.command("remove(%s && $m := %s.%s[*].%s[*] | $m.name == $x.name, $m);", selector, s.prefix, containers, mounts)
				}
			}
		}
	}
	p.command("remove(%s, $x);", selector)
}

// removeFieldReferences is removeReferences for a field of the pod's spec.
func removeFieldReferences(p *program, s spot, test spotTest, where string) {
	one := func(field, name string) {
		path := s.prefix + "." + field
		if name == "" {
			p.command("remove(%s);", path)
			return
		}
		p.command("remove(%s%s == %s, %s);", where, path, quote(name), path)
	}
	one(s.list, test.name)
	switch {
	case len(test.aliases) == 0:
	case test.name == "":
		one("serviceAccount", "")
	default:
		for _, alias := range test.aliases {
			one("serviceAccount", alias)
		}
	}
}

// GenerateSKEL returns one program with the suggestions for errors and warnings, and with comments
// that name the rules. After it is applied, the trace has neither. What is only info has no effect
// on a replay, and is left as it is.
func (r *Report) GenerateSKEL(traceName string) string {
	program := fmt.Sprintf("# Suggestions of skctl validate for %s.\n", oneLine(traceName))
	if r.Errors()+r.Warnings() == 0 {
		program += "# No errors and no warnings: nothing to do.\n"
	}
	return program + r.program(false)
}

// program returns the suggestions, with those for info or without.
func (r *Report) program(info bool) string {
	var b strings.Builder
	for _, early := range []bool{true, false} {
		for _, s := range r.Suggestions {
			if s.early == early && (info || s.Rule.Severity != Info) {
				fmt.Fprintf(&b, "\n# %s %s: %s\n%s", s.Rule.Code, s.Rule.Name, s.Rule.Title, s.Program)
			}
		}
	}
	return b.String()
}
