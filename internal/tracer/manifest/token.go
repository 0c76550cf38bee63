package manifest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"hash"

	"github.com/tinylib/msgp/msgp"
)

const (
	tokenPrefix = "redacted-"
	// tokenBytes is the number of bytes of the HMAC in a token.
	tokenBytes = 8
)

// tokenizer makes tokens of values, with a Redactor's key.
type tokenizer struct {
	mac hash.Hash
	// sum, token and value are buffers.
	sum, token, value []byte
}

// tokenizer returns a tokenizer; it is unused without a redactor.
func (r *Redactor) tokenizer() tokenizer {
	if r == nil {
		return tokenizer{}
	}
	return tokenizer{mac: hmac.New(sha256.New, r.key[:])}
}

// of returns the token of a value, valid until the next call.
func (t *tokenizer) of(value []byte) []byte {
	t.mac.Reset()
	t.mac.Write(value)
	t.sum = t.mac.Sum(t.sum[:0])
	t.token = hex.AppendEncode(append(t.token[:0], tokenPrefix...), t.sum[:tokenBytes])
	return t.token
}

// redacted writes the token of the next value.
func (w *writer) redacted(f form, depth int) *Error {
	var value []byte
	var err *Error
	start := w.pos
	if w.peek() == '"' {
		value, err = w.string()
	} else {
		// In a cluster the value is always text. If it is not, it must be redacted, too.
		err = w.skip(depth)
		value = w.data[start:w.pos]
	}
	if err != nil {
		return err
	}
	if len(value) > 0 {
		value = w.tokens.replace(f, value)
	}
	w.out = msgp.AppendStringFromBytes(w.out, value)
	return nil
}

// replace returns the replacement of a value. For base64 it is the token of the decoded data.
func (t *tokenizer) replace(f form, value []byte) []byte {
	if f != formBase64 {
		return t.of(value)
	}
	decoded, err := base64.StdEncoding.AppendDecode(t.value[:0], value)
	if err != nil {
		return base64.StdEncoding.AppendEncode(t.value[:0], t.of(value))
	}
	token := t.of(decoded)
	t.value = base64.StdEncoding.AppendEncode(decoded[:0], token)
	return t.value
}
