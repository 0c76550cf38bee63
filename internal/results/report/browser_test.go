package report

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"simkube.io/simkube/internal/prerequisite"
	"simkube.io/simkube/internal/results"
	"simkube.io/simkube/internal/results/sample"
)

// TestRender_Browser opens reports in Chromium. It needs one on the PATH, and skips without unless
// SIMKUBE_REQUIRE=browser. With SIMKUBE_SCREENSHOTS=DIR it leaves pictures there.
func TestRender_Browser(t *testing.T) {
	ctx := startBrowser(t)
	for name, c := range map[string]struct {
		run *results.Run
		// charts are the figures that must show data; the others must say why they don't.
		charts []string
	}{
		"day":   {sample.Day(1), []string{"pods", "cpu", "memory", "gpu", "nodes", "cost", "pending", "lag", "heat"}},
		"small": {sample.Small(), []string{"pods", "cpu", "memory", "nodes", "cost", "pending", "lag", "heat"}},
		"empty": {sample.Empty(), nil},
		// Names that would run scripts and widen the page.
		"hostile": {hostile(), []string{"pods", "cpu", "memory", "gpu", "nodes", "cost", "pending", "lag", "heat"}},
	} {
		t.Run(name, func(t *testing.T) {
			tab := openReport(t, ctx, c.run)
			checkCharts(t, tab, c.charts)
			checkHover(t, tab, name, len(c.charts) > 0)
			if len(c.charts) > 0 {
				checkSort(t, tab)
			}
			for _, view := range views {
				t.Run(view.name, func(t *testing.T) {
					view.emulate(t, tab.ctx)
					checkWidth(t, tab, view.width)
					checkCharts(t, tab, c.charts)
					tab.screenshot(t, name+"-"+view.name)
				})
			}
			checkPrint(t, tab, name)
			tab.checkQuiet(t)
		})
	}
}

// view is a way to look at the page.
type view struct {
	name          string
	width, height int64
	media, scheme string
}

var views = []view{
	{"light", 1280, 900, "screen", "light"},
	{"dark", 1280, 900, "screen", "dark"},
	{"tablet", 800, 1000, "screen", "light"},
	{"phone", 390, 844, "screen", "light"},
	{"phone-dark", 390, 844, "screen", "dark"},
	{"print", 794, 1123, "print", "dark"},
}

func (v view) emulate(t *testing.T, ctx context.Context) {
	t.Helper()
	_, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: v.width, Height: v.height, DeviceScaleFactor: 1, Mobile: v.width < 600,
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Media:    v.media,
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: v.scheme}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// tab is a page with what the browser had to say about it.
type tab struct {
	ctx context.Context
	url string

	mu       sync.Mutex
	messages []string
	requests []string
}

func startBrowser(t *testing.T) context.Context {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		prerequisite.Missing(t, prerequisite.Browser, "there is no Chromium on the PATH")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.NoSandbox, // the page is ours, and root has no sandbox
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.UserDataDir(t.TempDir()),
	)
	// The test's own context ends before its cleanup, and the browser is to be closed there.
	ctx, cancel := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(func() {
		// Waits for the process, so that its profile can be removed.
		if err := chromedp.Cancel(ctx); err != nil {
			t.Logf("stop Chromium: %v", err)
		}
		cancel()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	return ctx
}

func openReport(t *testing.T, browser context.Context, run *results.Run) *tab {
	t.Helper()
	return openPage(t, browser, render(t, run))
}

func openPage(t *testing.T, browser context.Context, html string) *tab {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, []byte(html), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	tb := &tab{ctx: ctx, url: "file://" + file}
	if err := chromedp.Listen(ctx, tb.listen); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.Navigate(tb.url)); err != nil {
		t.Fatal(err)
	}
	return tb
}

func (tb *tab) listen(event any) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if e.Request.URL != tb.url && !strings.HasPrefix(e.Request.URL, "data:") {
			tb.requests = append(tb.requests, e.Request.URL)
		}
	case *runtime.EventConsoleAPICalled:
		tb.messages = append(tb.messages, fmt.Sprintf("console.%s: %+v", e.Type, e.Args))
	case *runtime.EventExceptionThrown:
		tb.messages = append(tb.messages, fmt.Sprintf("exception: %+v", e.ExceptionDetails))
	case *log.EventEntryAdded:
		tb.messages = append(tb.messages, fmt.Sprintf("%s: %s", e.Entry.Level, e.Entry.Text))
	}
}

// ask runs an expression in the page.
func ask[T any](t *testing.T, tb *tab, expression string) T {
	t.Helper()
	answer, err := chromedp.Run(tb.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// checkQuiet fails if the page wrote to the console, threw, or asked the network for anything.
func (tb *tab) checkQuiet(t *testing.T) {
	t.Helper()
	tb.mu.Lock()
	defer tb.mu.Unlock()
	for _, m := range tb.messages {
		t.Errorf("the page said: %s", m)
	}
	for _, r := range tb.requests {
		t.Errorf("the page asked for %s", r)
	}
}

// figure is what the browser says of a chart.
type figure struct {
	ID     string  `json:"id"`
	Marks  int     `json:"marks"`  // paths with data
	Width  float64 `json:"width"`  // of all of them together
	Height float64 `json:"height"` // in pixels on the screen
	Ticks  int     `json:"ticks"`
	Title  string  `json:"title"`
	Empty  string  `json:"empty"`
}

const readFigures = `[...document.querySelectorAll("figure.chart")].map(f => {
	const marks = [...f.querySelectorAll("svg .mark")].filter(m => m.getAttribute("d").length > 10);
	const boxes = marks.map(m => m.getBoundingClientRect());
	return {
		id: f.id,
		marks: marks.length,
		width: boxes.length ? Math.max(...boxes.map(b => b.right)) - Math.min(...boxes.map(b => b.left)) : 0,
		height: boxes.length ? Math.max(...boxes.map(b => b.bottom)) - Math.min(...boxes.map(b => b.top)) : 0,
		ticks: f.querySelectorAll(".xt").length,
		title: f.querySelector("svg title")?.textContent ?? "",
		empty: f.querySelector(".empty")?.textContent ?? "",
	};
})`

func checkCharts(t *testing.T, tb *tab, want []string) {
	t.Helper()
	shown := map[string]figure{}
	for _, f := range ask[[]figure](t, tb, readFigures) {
		shown[f.ID] = f
		if f.Marks == 0 && f.Empty == "" {
			t.Errorf("chart %s is empty and doesn't say why", f.ID)
		}
	}
	for _, id := range want {
		f := shown[id]
		if f.Marks == 0 || f.Width < 20 || f.Height < 20 || f.Ticks < 2 || f.Title == "" {
			t.Errorf("chart %s shows no data: %+v", id, f)
		}
	}
}

// checkHover moves the pointer over the first chart and expects a read-out.
func checkHover(t *testing.T, tb *tab, name string, want bool) {
	t.Helper()
	text := ask[string](t, tb, `(() => {
		const plot = document.querySelector("#pods .plot");
		if (!plot) return "";
		const box = plot.getBoundingClientRect();
		plot.dispatchEvent(new PointerEvent("pointermove", {clientX: box.left + box.width / 2, clientY: box.top + 10}));
		const tip = document.querySelector(".tip");
		return tip.hidden ? "" : tip.textContent;
	})()`)
	tb.screenshot(t, name+"-read-out")
	gone := ask[bool](t, tb, `(() => {
		document.querySelector("#pods .plot")?.dispatchEvent(new PointerEvent("pointerleave"));
		return document.querySelector(".tip").hidden;
	})()`)
	if !gone {
		t.Error("the read-out stays when the pointer has left")
	}
	if got := strings.Contains(text, "Running"); got != want {
		t.Errorf("read-out under the pointer: got %q", text)
	}
}

// checkSort presses the head of a column and expects the largest number first, then the smallest.
func checkSort(t *testing.T, tb *tab) {
	t.Helper()
	for _, want := range []string{"descending", "ascending"} {
		got := ask[bool](t, tb, fmt.Sprintf(`(order => {
			const table = document.querySelector("#owners table");
			const head = table.tHead.rows[0].cells[1];
			head.querySelector("button").click();
			const column = [...table.tBodies[0].rows].map(row => Number(row.cells[1].dataset.v));
			const sorted = [...column].sort((a, b) => order === "descending" ? b - a : a - b);
			return head.getAttribute("aria-sort") === order && column.join() === sorted.join();
		})(%q)`, want))
		if !got {
			t.Errorf("the table of owners is not in %s order of pods", want)
		}
	}
}

// checkWidth fails if the page is wider than the window. A phone would say that its window had
// grown.
func checkWidth(t *testing.T, tb *tab, width int64) {
	t.Helper()
	wide := ask[[]string](t, tb, fmt.Sprintf(`(width => {
		if (Math.max(document.documentElement.scrollWidth, innerWidth) <= width) return [];
		return ["page: " + document.documentElement.scrollWidth + " in " + innerWidth + " > " + width,
			...[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > width + 1 && !e.closest(".scroll"))
				.map(e => e.tagName + "." + e.className).slice(0, 10)];
	})(%d)`, width))
	if len(wide) > 0 {
		t.Errorf("the page scrolls sideways: %s", strings.Join(wide, ", "))
	}
}

func checkPrint(t *testing.T, tb *tab, name string) {
	t.Helper()
	pdf, err := chromedp.Run(tb.ctx, chromedp.PrintToPDF(func(p *cdppage.PrintToPDFParams) { p.PreferCSSPageSize = new(true) }))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(pdf, []byte("%PDF-")) {
		t.Errorf("the page did not print: %.40q", pdf)
	}
	save(t, name+".pdf", pdf)
}

func (tb *tab) screenshot(t *testing.T, name string) {
	t.Helper()
	if os.Getenv("SIMKUBE_SCREENSHOTS") == "" {
		return
	}
	png, err := chromedp.Run(tb.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	save(t, name+".png", png)
}

func save(t *testing.T, name string, data []byte) {
	t.Helper()
	dir := os.Getenv("SIMKUBE_SCREENSHOTS")
	if dir == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
		t.Error(err)
	}
}
