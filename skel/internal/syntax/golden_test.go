package syntax

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// goldenCase is a program and its expected result. In a golden file, "=== name" begins a case, and
// "=>" separates the two parts.
type goldenCase struct{ name, input, want string }

func readGolden(t testing.TB, file string) []goldenCase {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	sections := strings.Split("\n"+string(text), "\n=== ")
	cases := make([]goldenCase, 0, len(sections))
	for _, section := range sections[1:] {
		name, rest, _ := strings.Cut(section, "\n")
		input, want, _ := strings.Cut("\n"+rest+"\n", "\n=>\n")
		cases = append(cases, goldenCase{name, strings.TrimPrefix(input, "\n"), strings.TrimRight(want, "\n")})
	}
	return cases
}

// testGolden compares the result of each program in a file with the expected result.
func testGolden(t *testing.T, file string, of func(t *testing.T, input string) string) {
	cases := readGolden(t, file)
	var b strings.Builder
	for _, c := range cases {
		var got string
		t.Run(c.name, func(t *testing.T) {
			got = strings.TrimSuffix(of(t, c.input), "\n")
			if diff := cmp.Diff(c.want, got); diff != "" && !*update {
				t.Errorf("of\n%s\n(-want +got):\n%s", c.input, diff)
			}
		})
		b.WriteString("=== " + c.name + "\n" + c.input + "\n=>\n" + got + "\n")
	}
	if *update {
		if err := os.WriteFile(filepath.Join("testdata", file), []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
