package docs_test

import (
	"cmp"
	"flag"
	"fmt"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "draw the picture of the architecture again")

const (
	architecturePage    = "architecture.md"
	architecturePicture = "images/architecture.svg"
	module              = "simkube.io/simkube/"
)

// layer is a row of the page's table: packages that may import those of later rows only.
type layer struct {
	name     string
	packages []string
}

// TestArchitecture_Layers checks that every package is in a layer of docs/architecture.md, and that
// imports go down.
func TestArchitecture_Layers(t *testing.T) {
	t.Parallel()
	layers, imports := readLayers(t), readImports(t)
	of := map[string]int{}
	for i, l := range layers {
		for _, pkg := range l.packages {
			if _, twice := of[pkg]; twice {
				t.Errorf("%s is in two layers", pkg)
			}
			if imports[pkg] == nil {
				t.Errorf("the layer %q has %s, which does not exist", l.name, pkg)
			}
			of[pkg] = i
		}
	}
	for pkg, list := range imports {
		from, ok := of[pkg]
		if !ok {
			t.Errorf("%s is in no layer", pkg)
			continue
		}
		for _, imported := range list {
			if to, ok := of[imported]; ok && to <= from {
				t.Errorf("%s (%s) imports %s (%s): imports must go down", pkg, layers[from].name, imported, layers[to].name)
			}
		}
	}
}

// TestArchitecture_Picture checks that the picture shows the layers and imports that there are.
func TestArchitecture_Picture(t *testing.T) {
	t.Parallel()
	want := draw(readLayers(t), readImports(t))
	if *update {
		if err := os.WriteFile(architecturePicture, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(t, architecturePicture); got != want {
		t.Errorf("%s is out of date: run go test ./docs -run Architecture -update, and look at it", architecturePicture)
	}
}

var layerRow = regexp.MustCompile(`(?m)^\| \d+ \| ([^|]+) \| ([^|]+) \|`)

// readLayers returns the layers of the page, from the top.
func readLayers(t *testing.T) []layer {
	t.Helper()
	_, section, _ := strings.Cut(read(t, architecturePage), "\n## Layers\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var layers []layer
	for _, row := range layerRow.FindAllStringSubmatch(section, -1) {
		l := layer{name: row[1]}
		for _, code := range span.FindAllString(row[2], -1) {
			l.packages = append(l.packages, strings.Trim(code, "`"))
		}
		layers = append(layers, l)
	}
	if len(layers) < 4 {
		t.Fatalf("%s has %d layers", architecturePage, len(layers))
	}
	return layers
}

// unit returns the package that a folder belongs to in the page: packages below another are part
// of it.
func unit(folder string) string {
	parts := strings.Split(filepath.ToSlash(folder), "/")
	n := 1
	switch parts[0] {
	case "internal", "cmd", "examples":
		n = 2
	case "cluster":
		if n = 2; len(parts) > 1 && (parts[1] == "internal" || parts[1] == "cmd") {
			n = 3
		}
	}
	return strings.Join(parts[:min(n, len(parts))], "/")
}

// readImports returns what each package imports of this repository, without tests and packages that
// have nothing else.
func readImports(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string]map[string]bool{}
	for _, path := range files(t, func(path string) bool { return filepath.Ext(path) == ".go" }) {
		path, _ = filepath.Rel(root, path)
		folder := filepath.ToSlash(filepath.Dir(path))
		if strings.HasSuffix(path, "_test.go") || strings.Contains(path, "testdata") || isLeftOut(folder) {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, path), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		pkg := unit(folder)
		if found[pkg] == nil {
			found[pkg] = map[string]bool{}
		}
		for _, spec := range file.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			if ours, ok := strings.CutPrefix(imported, module); ok && unit(ours) != pkg {
				found[pkg][unit(ours)] = true
			}
		}
	}
	imports := map[string][]string{}
	for pkg, set := range found {
		imports[pkg] = slices.AppendSeq([]string{}, maps.Keys(set))
		slices.Sort(imports[pkg])
	}
	return imports
}

// isLeftOut reports whether a folder has only tests or what they share, or is part of a module that
// builds tools.
func isLeftOut(folder string) bool {
	first, _, _ := strings.Cut(folder, "/")
	name := filepath.Base(folder)
	return slices.Contains([]string{"images", "tools", "test"}, first) ||
		strings.HasSuffix(name, "test") || slices.Contains([]string{"hostile", "prerequisite", "testkubelet"}, name)
}

// The measures of the picture, in pixels.
const (
	pictureWidth = 1160
	titleWidth   = 150
	boxHeight    = 26
	layerHeight  = 74
	letterWidth  = 6.7
)

// box is a package in the picture.
type box struct{ x, y, width float64 }

// draw returns the picture of the layers. It leaves out the bottom layer's imports, which most
// packages have, and those that follow from others.
func draw(layers []layer, imports map[string][]string) string {
	boxes := map[string]box{}
	for i, l := range layers {
		total := 0.0
		for _, pkg := range l.packages {
			total += boxWidth(pkg)
		}
		gap := (pictureWidth - titleWidth - total) / float64(len(l.packages)+1)
		x := titleWidth + gap
		for _, pkg := range l.packages {
			boxes[pkg] = box{x, float64(i*layerHeight) + (layerHeight-boxHeight)/2, boxWidth(pkg)}
			x += boxWidth(pkg) + gap
		}
	}
	height := len(layers) * layerHeight
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", pictureWidth, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", pictureWidth, height)
	for i, l := range layers {
		if i%2 == 0 {
			fmt.Fprintf(&b, `<rect y="%d" width="%d" height="%d" fill="#f4f6f8"/>`+"\n", i*layerHeight, pictureWidth, layerHeight)
		}
		fmt.Fprintf(&b, `<text x="12" y="%d" font-weight="bold" fill="#333">%s</text>`+"\n", i*layerHeight+layerHeight/2+4, l.name)
	}
	for _, pkg := range slices.Sorted(maps.Keys(imports)) {
		for _, imported := range direct(imports, pkg) {
			from, ok := boxes[pkg]
			to, ok2 := boxes[imported]
			if !ok || !ok2 || slices.Contains(layers[len(layers)-1].packages, imported) {
				continue
			}
			fmt.Fprintf(&b, `<path d="M%.0f %.0fC%.0f %.0f %.0f %.0f %.0f %.0f" fill="none" stroke="#8a97a6"/>`+"\n",
				from.middle(), from.y+boxHeight, from.middle(), from.y+boxHeight+30, to.middle(), to.y-30, to.middle(), to.y)
		}
	}
	for _, l := range layers {
		for _, pkg := range l.packages {
			at := boxes[pkg]
			fmt.Fprintf(&b, `<rect x="%.0f" y="%.0f" width="%.0f" height="%d" rx="4" fill="%s" stroke="#5b6b7c"/>`, at.x, at.y, at.width, boxHeight, colour(pkg))
			fmt.Fprintf(&b, `<text x="%.0f" y="%.0f" text-anchor="middle">%s</text>`+"\n", at.middle(), at.y+boxHeight/2+4, shortName(pkg))
		}
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func (b box) middle() float64 { return b.x + b.width/2 }

func boxWidth(pkg string) float64 { return float64(len(shortName(pkg)))*letterWidth + 14 }

func shortName(pkg string) string {
	_, name, _ := strings.Cut("/"+pkg, "internal/")
	return cmp.Or(name, pkg)
}

// colour returns the fill of a package: packages of the cluster module and packages that other
// programs can import have a colour.
func colour(pkg string) string {
	switch {
	case strings.HasPrefix(pkg, "cluster/"):
		return "#dceefb"
	case strings.Contains(pkg, "/"):
		return "#fff"
	default:
		return "#fdf0d5"
	}
}

// direct returns the imports of a package that none of its other imports has, too.
func direct(imports map[string][]string, pkg string) []string {
	return slices.DeleteFunc(slices.Clone(imports[pkg]), func(imported string) bool {
		return slices.ContainsFunc(imports[pkg], func(other string) bool {
			return other != imported && reaches(imports, other, imported)
		})
	})
}

func reaches(imports map[string][]string, from, to string) bool {
	return slices.ContainsFunc(imports[from], func(next string) bool { return next == to || reaches(imports, next, to) })
}
