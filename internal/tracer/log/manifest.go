package log

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// The frame of pebble's manifest: blocks of chunks, each with a masked checksum, a length and a type before it.
const (
	manifestBlock  = 32 << 10
	chunkHeader    = 7
	chunkFull      = 1
	chunkFirst     = 2
	chunkLast      = 4
	checksumMask   = 0xa282ead8
	checksumRotate = 17
)

// checkManifest says whether the manifest of a store has damage before its last record. Pebble takes damage for the end of what
// was written before a crash, whatever follows, and then removes the tables it has not read of. But a record is only begun
// when the one before it is on the disk.
func checkManifest(fsys vfs.FS, store string) error {
	desc, err := pebble.Peek(store, fsys)
	if err != nil || !desc.Exists {
		return err // opening it will tell what is missing
	}
	f, err := fsys.Open(desc.ManifestFilename)
	if err != nil {
		return &CorruptError{Path: desc.ManifestFilename, Err: err}
	}
	defer f.Close()
	block := make([]byte, manifestBlock)
	bad := false
	for at := 0; ; at += manifestBlock {
		n, err := io.ReadFull(f, block)
		if err == io.EOF {
			return nil
		}
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("read %s: %w", desc.ManifestFilename, err)
		}
		if offset := badChunk(block[:n], &bad); offset >= 0 {
			return &CorruptError{Path: desc.ManifestFilename, Err: fmt.Errorf("a record before offset %d cannot be read", at+offset)}
		}
	}
}

// badChunk gives the offset of a record's beginning that is behind a chunk that cannot be read, or -1. bad goes from block to block.
func badChunk(block []byte, bad *bool) int {
	for at := 0; at+chunkHeader <= len(block); {
		sum := binary.LittleEndian.Uint32(block[at:])
		kind := block[at+6]
		end := at + chunkHeader + int(binary.LittleEndian.Uint16(block[at+4:]))
		if sum == 0 && kind == 0 && end == at+chunkHeader {
			return -1 // nothing was written here
		}
		if kind < chunkFull || kind > chunkLast || end > len(block) {
			*bad = true
			return -1
		}
		if maskedChecksum(block[at+6:end]) != sum {
			*bad = true
		} else if *bad && (kind == chunkFull || kind == chunkFirst) {
			return at
		}
		at = end
	}
	return -1
}

func maskedChecksum(b []byte) uint32 {
	c := crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
	return (c<<checksumRotate | c>>(32-checksumRotate)) + checksumMask
}
