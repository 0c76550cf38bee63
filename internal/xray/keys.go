package xray

import (
	"strings"

	tea "charm.land/bubbletea/v2"
)

// command is what a key does. Its effect depends on where the cursor is.
type command uint8

const (
	cmdNone command = iota
	cmdUp
	cmdDown
	cmdLeft
	cmdRight
	cmdPageUp
	cmdPageDown
	cmdHalfUp
	cmdHalfDown
	cmdFirst
	cmdLast
	cmdToggle
	cmdOpen
	cmdBack
	cmdOther
	cmdPreviousVersion
	cmdNextVersion
	cmdMode
	cmdSearch
	cmdNextMatch
	cmdPreviousMatch
	cmdFilter
	cmdTime
	cmdPods
	cmdFindings
	cmdHelp
	cmdQuit
	cmdSuspend
	cmdRedraw
)

// binding is a command and its keys.
type binding struct {
	command command
	// keys are bubbletea's names, show are the names for people.
	keys []string
	show string
	// says describes the command. short is its name in the line at the bottom, or empty if it is not
	// shown there.
	says, short string
}

// bindings are all keys, in the order of the help.
var bindings = []binding{
	{cmdUp, []string{"up", "k"}, "↑ k", "up", ""},
	{cmdDown, []string{"down", "j"}, "↓ j", "down", ""},
	{cmdRight, []string{"right", "l"}, "→ l", "show an event's objects; on to the first; to its manifest; right in it", ""},
	{cmdLeft, []string{"left", "h"}, "← h", "left in the manifest; back to the list; to the event; hide its objects", ""},
	{cmdPageUp, []string{"pgup", "ctrl+b", "b"}, "PgUp", "a page up (also Ctrl-B, b)", ""},
	{cmdPageDown, []string{"pgdown", "ctrl+f"}, "PgDn", "a page down (also Ctrl-F)", ""},
	{cmdHalfUp, []string{"ctrl+u"}, "Ctrl-U", "half a page up", ""},
	{cmdHalfDown, []string{"ctrl+d"}, "Ctrl-D", "half a page down", ""},
	{cmdFirst, []string{"home"}, "Home", "to the beginning", ""},
	{cmdLast, []string{"end", "G"}, "End", "to the end (also G)", ""},
	{cmdToggle, []string{"space"}, "Space", "show or hide an event's objects", ""},
	{cmdOpen, []string{"enter"}, "Enter", "look at what the cursor is on", "look"},
	{cmdBack, []string{"esc"}, "Esc", "back; stop a search or filter; remove the filter", ""},
	{cmdOther, []string{"tab"}, "Tab", "to the other side, where there are two", ""},
	{cmdPreviousVersion, []string{"["}, "[", "the object's previous version", ""},
	{cmdNextVersion, []string{"]"}, "]", "the object's next version", "version"},
	{cmdMode, []string{"d"}, "d", "a manifest with its changes, as it is, or only the changes", "diff"},
	{cmdSearch, []string{"/"}, "/", "search for text in manifests", "search"},
	{cmdNextMatch, []string{"n"}, "n", "next match", ""},
	{cmdPreviousMatch, []string{"N"}, "N", "previous match", ""},
	{cmdFilter, []string{"f"}, "f", "filter by kind, namespace, name, text, or a selector", "filter"},
	{cmdTime, []string{"t", "g"}, "t g", "go to a time", "time"},
	{cmdPods, []string{"p"}, "p", "how long the object's pods ran", "pods"},
	{cmdFindings, []string{"v"}, "v", "what validation found", "findings"},
	{cmdRedraw, []string{"ctrl+l"}, "Ctrl-L", "redraw the screen", ""},
	{cmdSuspend, []string{"ctrl+z"}, "Ctrl-Z", "to the shell; its fg comes back", ""},
	{cmdHelp, []string{"?"}, "?", "these keys", "keys"},
	{cmdQuit, []string{"q", "ctrl+c"}, "q", "quit (also Ctrl-C)", "quit"},
}

// ascii returns the names of the keys without arrows.
func (b *binding) ascii() string {
	return strings.NewReplacer("↑", "Up", "↓", "Down", "→", "Right", "←", "Left").Replace(b.show)
}

// commandOf returns the command of a key.
func commandOf(msg tea.KeyPressMsg) command {
	name := msg.String()
	for _, b := range bindings {
		for _, key := range b.keys {
			if key == name {
				return b.command
			}
		}
	}
	return cmdNone
}
