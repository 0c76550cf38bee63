package xray

import "charm.land/lipgloss/v2"

// role is the kind of a piece of text. It adds no information to the text.
type role uint8

const (
	rolePlain role = iota
	roleDim
	roleTitle
	roleKey // a key to press
	roleAdded
	roleRemoved
	roleChanged
	roleError
	roleWarning
	roleMatch // what was searched for
	roleBar
	roleField // a key of YAML
	roles     // how many there are
)

// look is how things are drawn on one terminal.
type look struct {
	styles styles
	glyphs glyphs
}

func newLook(colour, unicode bool) *look {
	return &look{styles: newStyles(colour), glyphs: newGlyphs(unicode)}
}

// styles maps roles to colours: the terminal's own sixteen, so that they fit the user's light or
// dark theme. The zero value draws no colours.
type styles struct {
	colour    bool
	of        [roles]lipgloss.Style
	selection lipgloss.Style
}

func newStyles(colour bool) styles {
	s := styles{colour: colour}
	if !colour {
		return s
	}
	base := lipgloss.NewStyle().Inline(true).TabWidth(lipgloss.NoTabConversion)
	for r := range s.of {
		s.of[r] = base
	}
	s.of[roleDim] = base.Faint(true)
	s.of[roleTitle] = base.Bold(true)
	s.of[roleKey] = base.Foreground(lipgloss.Cyan)
	s.of[roleAdded] = base.Foreground(lipgloss.Green)
	s.of[roleRemoved] = base.Foreground(lipgloss.Red)
	s.of[roleChanged] = base.Foreground(lipgloss.Yellow)
	s.of[roleError] = base.Bold(true).Foreground(lipgloss.Red)
	s.of[roleWarning] = base.Bold(true).Foreground(lipgloss.Yellow)
	s.of[roleMatch] = base.Reverse(true).Foreground(lipgloss.Yellow)
	s.of[roleBar] = base.Foreground(lipgloss.Blue)
	s.of[roleField] = base.Foreground(lipgloss.Cyan)
	s.selection = base.Reverse(true)
	return s
}

// draw colours clean text of one line.
func (s *styles) draw(r role, selected bool, text string) string {
	switch {
	case !s.colour, text == "":
		return text
	case selected:
		return s.selection.Render(text)
	case r == rolePlain:
		return text
	}
	return s.of[r].Render(text)
}
