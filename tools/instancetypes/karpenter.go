package main

import (
	"archive/zip"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"regexp"
	"strconv"
)

// karpenter is what is read from Karpenter's provider for AWS.
type karpenter struct {
	// prices are in US dollars per hour, on demand.
	prices map[string]float64
	// pricesOf is the time at which the prices were read, as in the source.
	pricesOf string
	// bandwidth is in megabits per second.
	bandwidth map[string]int64
	// branches are the numbers of network interfaces that pods can have for themselves.
	branches map[string]int64
}

var generatedAt = regexp.MustCompile(`generated at (\S+) for ` + region)

func readKarpenter(path string) (*karpenter, error) {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return nil, err
	}
	defer archive.Close()
	out := &karpenter{bandwidth: map[string]int64{}, branches: map[string]int64{}, prices: map[string]float64{}}

	const providers = karpenterModule + "@" + karpenterVersion + "/pkg/providers/"
	literal, text, err := readMap(archive, providers+"pricing/zz_generated.pricing_aws.go", "InitialOnDemandPricesAWS")
	if err != nil {
		return nil, err
	}
	match := generatedAt.FindSubmatch(text)
	if match == nil {
		return nil, fmt.Errorf("the prices have no date")
	}
	out.pricesOf = string(match[1])
	for name, value := range entries(literal) {
		if name != region {
			continue
		}
		for name, value := range entries(value) {
			if out.prices[name], err = strconv.ParseFloat(number(value), 64); err != nil {
				return nil, fmt.Errorf("price of %s: %w", name, err)
			}
		}
	}
	if literal, _, err = readMap(archive, providers+"instancetype/zz_generated.bandwidth.go", "InstanceTypeBandwidthMegabits"); err != nil {
		return nil, err
	}
	for name, value := range entries(literal) {
		if out.bandwidth[name], err = strconv.ParseInt(number(value), 10, 64); err != nil {
			return nil, fmt.Errorf("bandwidth of %s: %w", name, err)
		}
	}
	if literal, _, err = readMap(archive, providers+"instancetype/zz_generated.vpclimits.go", "Limits"); err != nil {
		return nil, err
	}
	for name, value := range entries(literal) {
		fields := map[string]ast.Expr{}
		for field, value := range entries(value) {
			fields[field] = value
		}
		if identifier, ok := fields["IsTrunkingCompatible"].(*ast.Ident); !ok || identifier.Name != "true" {
			continue
		}
		if out.branches[name], err = strconv.ParseInt(number(fields["BranchInterface"]), 10, 64); err != nil {
			return nil, fmt.Errorf("branch interfaces of %s: %w", name, err)
		}
	}
	if len(out.prices) < 500 || len(out.bandwidth) < 500 || len(out.branches) < 500 {
		return nil, fmt.Errorf("it has %d prices, %d bandwidths and %d numbers of branch interfaces: its format has changed", len(out.prices), len(out.bandwidth), len(out.branches))
	}
	return out, nil
}

// readMap returns the value of a variable in a Go file, and the file.
func readMap(archive *zip.ReadCloser, path, name string) (ast.Expr, []byte, error) {
	f, err := archive.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, nil, err
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), path, text, parser.SkipObjectResolution)
	if err != nil {
		return nil, nil, err
	}
	var found ast.Expr
	ast.Inspect(parsed, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Names) == 1 && len(spec.Values) == 1 && spec.Names[0].Name == name {
			found = spec.Values[0]
		}
		return found == nil
	})
	if found == nil {
		return nil, nil, fmt.Errorf("%s has no variable %s", path, name)
	}
	return found, text, nil
}

// entries yields the keys and values of a literal of a map or a struct. Keys are strings or names
// of fields.
func entries(e ast.Expr) func(func(string, ast.Expr) bool) {
	return func(yield func(string, ast.Expr) bool) {
		if pointer, ok := e.(*ast.UnaryExpr); ok {
			e = pointer.X
		}
		literal, ok := e.(*ast.CompositeLit)
		if !ok {
			return
		}
		for _, element := range literal.Elts {
			pair, ok := element.(*ast.KeyValueExpr)
			if !ok {
				continue
			}
			key := ""
			switch k := pair.Key.(type) {
			case *ast.BasicLit:
				key, _ = strconv.Unquote(k.Value)
			case *ast.Ident:
				key = k.Name
			}
			if !yield(key, pair.Value) {
				return
			}
		}
	}
}

// number returns the text of a number, or nothing.
func number(e ast.Expr) string {
	if literal, ok := e.(*ast.BasicLit); ok {
		return literal.Value
	}
	return ""
}
