package skcluster

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"simkube.io/simkube/internal/simulation"
	"simkube.io/simkube/internal/words"
)

// maxLine bounds a message. The largest one is a summary, which lists the creators of pods.
const maxLine = 64 << 20

// maxShown is how many bytes of a message an error quotes.
const maxShown = 120

// ErrProtocol is wrapped by the error for an invalid message.
var ErrProtocol = errors.New("invalid message from sk-cluster; check that skctl and sk-cluster have the same version")

// readMessages calls handle with each message from r until r ends or a message is invalid. maxLine
// bounds the memory it uses.
func readMessages(r io.Reader, handle func(simulation.Message)) error {
	lines := bufio.NewReaderSize(r, 64<<10)
	var line []byte
	for {
		part, err := lines.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > maxLine {
			return fmt.Errorf("%w: a message of more than %d bytes", ErrProtocol, maxLine)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return fmt.Errorf("read messages: %w", err)
		}
		end := err != nil
		if text := bytes.TrimSpace(line); len(text) > 0 {
			msg, err := parseMessage(text)
			if err != nil {
				return err
			}
			handle(msg)
		}
		if end {
			return nil
		}
		line = line[:0]
	}
}

func parseMessage(text []byte) (simulation.Message, error) {
	var msg simulation.Message
	if err := json.Unmarshal(text, &msg); err != nil {
		return msg, fmt.Errorf("%w: %w: %s", ErrProtocol, err, words.ClipBytes(string(text), maxShown))
	}
	set := 0
	for _, is := range []bool{msg.Note != nil, msg.Progress != nil, msg.Done != nil, msg.Failed != nil} {
		if is {
			set++
		}
	}
	if set != 1 {
		return msg, fmt.Errorf("%w: a message of %d kinds: %s", ErrProtocol, set, words.ClipBytes(string(text), maxShown))
	}
	return msg, nil
}
