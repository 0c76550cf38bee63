package xray

// pane is the visible part of some lines and, if they can be selected, the line of the cursor.
type pane struct {
	at, top, leftmost int
	height            int
}

// fit adjusts the pane to n lines after they or the height have changed.
func (p *pane) fit(n, height int) {
	p.height = max(height, 1)
	p.at = min(max(p.at, 0), max(n-1, 0))
	p.top = min(max(p.top, 0), max(n-p.height, 0))
}

// scroll moves the visible part.
func (p *pane) scroll(by, n int) {
	p.top += by
	p.fit(n, p.height)
}

// move moves the cursor and scrolls to it.
func (p *pane) move(by, n int) {
	p.at += by
	p.fit(n, p.height)
	p.show(n)
}

// show scrolls to the cursor.
func (p *pane) show(n int) {
	p.top = min(p.top, p.at)
	p.top = max(p.top, p.at-p.height+1)
	p.fit(n, p.height)
}

// steps returns by how many lines a command moves something of n lines, height of which are
// visible. ok is false if it is not a command for moving.
func steps(c command, n, height int) (by int, ok bool) {
	switch c {
	case cmdUp:
		return -1, true
	case cmdDown:
		return 1, true
	case cmdPageUp:
		return -max(1, height-1), true
	case cmdPageDown:
		return max(1, height-1), true
	case cmdHalfUp:
		return -max(1, height/2), true
	case cmdHalfDown:
		return max(1, height/2), true
	case cmdFirst:
		return -n, true
	case cmdLast:
		return n, true
	}
	return 0, false
}
