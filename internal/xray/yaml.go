package xray

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// yamlWriter writes an object as YAML for display, like kubectl: with sorted keys and list elements
// level with their key, but never wrapped, and with everything that clean would change escaped as
// in YAML.
type yamlWriter struct{ lines []string }

// value writes a value that may take several lines. first is the beginning of its first line,
// indent the indentation of the others.
func (w *yamlWriter) value(first string, indent int, v any) {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 {
			w.line(first + "{}")
			return
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			w.entry(w.begin(&first, indent)+yamlScalar(key)+":", indent, v[key])
		}
	case []any:
		if len(v) == 0 {
			w.line(first + "[]")
			return
		}
		for _, element := range v {
			w.value(w.begin(&first, indent)+"- ", indent+2, element)
		}
	case string:
		w.text(first, indent, v)
	default:
		w.line(first + yamlScalar(v))
	}
}

// begin returns the beginning of a line. Only the first one has a prefix.
func (w *yamlWriter) begin(first *string, indent int) string {
	begin := *first
	if begin == "" {
		begin = strings.Repeat(" ", indent)
	}
	*first = ""
	return begin
}

// entry writes a key's value, beside the key or below it.
func (w *yamlWriter) entry(key string, indent int, v any) {
	switch x := v.(type) {
	case map[string]any:
		if len(x) > 0 {
			w.line(key)
			w.value("", indent+2, v)
			return
		}
	case []any:
		if len(x) > 0 {
			w.line(key)
			w.value("", indent, v)
			return
		}
	case string:
		w.text(key+" ", indent+2, x)
		return
	}
	w.value(key+" ", indent, v)
}

// text writes a string, as a block if it has several lines and nothing to escape.
func (w *yamlWriter) text(first string, indent int, s string) {
	body := strings.TrimRight(s, "\n")
	if !strings.Contains(s, "\n") || body == "" || strings.HasPrefix(body, " ") || strings.HasPrefix(body, "\n") {
		w.line(first + yamlScalar(s))
		return
	}
	lines := strings.Split(body, "\n")
	for _, l := range lines {
		if clean(l) != l {
			w.line(first + yamlScalar(s))
			return
		}
	}
	ends := len(s) - len(body)
	w.line(first + []string{"|-", "|", "|+"}[min(ends, 2)])
	for range ends - 1 {
		lines = append(lines, "")
	}
	for _, l := range lines {
		if l != "" {
			l = strings.Repeat(" ", indent) + l
		}
		w.line(l)
	}
}

func (w *yamlWriter) line(s string) { w.lines = append(w.lines, s) }

// yamlScalar returns a value that fits on one line.
func yamlScalar(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case string:
		escaped := clean(v)
		switch {
		case escaped != v:
			return `"` + clean(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(v)) + `"`
		case yamlPlain(v):
			return v
		}
		return "'" + strings.ReplaceAll(v, "'", "''") + "'"
	}
	return "?"
}

// yamlOther matches strings that would be something else without quotes: a number, a date, true,
// null.
var yamlOther = regexp.MustCompile(`^(?i:[-+]?[._0-9][-+.:,_0-9etz ]*|[-+]?0[xob][0-9a-f_]+|[-+]?\.(inf|nan)|true|false|yes|no|on|off|y|n|null|~|)$`)

// yamlPlain reports whether a string without control characters needs no quotes.
func yamlPlain(s string) bool {
	if yamlOther.MatchString(s) || strings.TrimSpace(s) != s || strings.Contains(s, ": ") || strings.Contains(s, " #") || strings.HasSuffix(s, ":") {
		return false
	}
	if len(s) > 1 && strings.ContainsRune("-?:", rune(s[0])) {
		return s[1] != ' ' && s != "---"
	}
	return !strings.ContainsRune("-?:,[]{}#&*!|>'\"%@`=<", rune(s[0]))
}
