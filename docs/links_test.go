// Package docs_test checks the documents of the repository.
package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// root is the folder of the repository.
const root = ".."

var (
	fence   = regexp.MustCompile("(?ms)^ *```.*?^ *```")
	span    = regexp.MustCompile("`[^`\n]*`")
	link    = regexp.MustCompile(`\]\(<?([^)#\s>]*)(?:#([^)\s>]+))?>?(?: "[^"]*")?\)`)
	define  = regexp.MustCompile(`(?m)^ {0,3}\[[^\]]+\]: *<?([^#\s>]*)(?:#([^\s>]+))?>?`)
	source  = regexp.MustCompile(`(?:src|href)="([^"#]*)(?:#([^"]+))?"`)
	heading = regexp.MustCompile(`(?m)^#+ +(.*?)(?: +#+)?$`)
	anchor  = regexp.MustCompile(`<a (?:id|name)="([^"]+)"`)
	inText  = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	notSlug = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
	// mention matches a page that code names by its path, with or without a fragment.
	mention = regexp.MustCompile(`(?:^|[^\w./-])((?:\.{1,2}/)*docs/[\w./-]+\.(?:md|png|svg))(?:#([\w-]+))?`)
)

// TestLinks checks that every relative link in a Markdown file leads to a file or folder of the
// repository, and its fragment to a heading of that file.
func TestLinks(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, path := range files(t, func(path string) bool { return filepath.Ext(path) == ".md" }) {
		text := read(t, path)
		text = span.ReplaceAllString(fence.ReplaceAllString(text, ""), "")
		for _, pattern := range []*regexp.Regexp{link, define, source} {
			for _, match := range pattern.FindAllStringSubmatch(text, -1) {
				if strings.Contains(match[1], ":") { // another site, or mail
					continue
				}
				checked++
				check(t, path, filepath.Dir(path), match[1], match[2])
			}
		}
	}
	if checked < 100 {
		t.Errorf("only %d links were found: the test looks in the wrong place", checked)
	}
}

// TestMentions checks that the documents which code, manifests, charts and scripts name exist, and
// that their fragments do.
func TestMentions(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, path := range files(t, func(path string) bool { return filepath.Ext(path) != ".md" }) {
		text := read(t, path)
		if !utf8.ValidString(text) {
			continue // not text
		}
		for _, match := range mention.FindAllStringSubmatch(text, -1) {
			checked++
			from := root
			if strings.HasPrefix(match[1], ".") {
				from = filepath.Dir(path)
			}
			check(t, path, from, match[1], match[2])
		}
	}
	if checked < 50 {
		t.Errorf("only %d mentions were found: the test looks in the wrong place", checked)
	}
}

// check reports a target, relative to the folder from, that does not exist or has no such heading.
func check(t *testing.T, path, from, target, fragment string) {
	t.Helper()
	file := path
	if target != "" {
		file = filepath.Join(from, target)
	}
	name, _ := filepath.Rel(root, path)
	if _, err := os.Stat(file); err != nil {
		t.Errorf("%s: dead link %s: %v", name, target, err)
		return
	}
	if fragment != "" && filepath.Ext(file) == ".md" && !slices.Contains(anchors(read(t, file)), fragment) {
		t.Errorf("%s: dead link %s#%s: no such heading", name, target, fragment)
	}
}

// anchors returns the fragments that a Markdown file's links may have, as GitHub makes them of its
// headings: in lower case, with dashes for spaces and without punctuation, numbered when repeated.
func anchors(text string) []string {
	var found []string
	seen := map[string]int{}
	for _, match := range heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		title := inText.ReplaceAllString(match[1], "$1")
		slug := strings.ReplaceAll(notSlug.ReplaceAllString(strings.ToLower(title), ""), " ", "-")
		seen[slug]++
		if n := seen[slug]; n > 1 {
			slug += "-" + strconv.Itoa(n-1)
		}
		found = append(found, slug)
	}
	for _, match := range anchor.FindAllStringSubmatch(text, -1) {
		found = append(found, match[1])
	}
	return found
}

// files returns the files of the repository that match, without those that are built or downloaded.
func files(t *testing.T, match func(path string) bool) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{".git", "bin", "node_modules", "demo-result"}, entry.Name()):
			return filepath.SkipDir
		case entry.Type().IsRegular() && match(path):
			found = append(found, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
