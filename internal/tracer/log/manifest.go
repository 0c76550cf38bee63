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

// The frame of pebble's manifest: blocks of chunks, each preceded by a masked checksum, a length
// and a type.
const (
	manifestBlock  = 32 << 10
	chunkHeader    = 7
	chunkFull      = 1
	chunkFirst     = 2
	chunkLast      = 4
	checksumMask   = 0xa282ead8
	checksumRotate = 17
)

// checkManifest returns an error if the manifest of a store is damaged before its last record.
// Pebble takes any damage for the end of the file after a crash, and then removes the tables that
// it has not read about. But pebble begins a record only after the previous one is on disk.
func checkManifest(fsys vfs.FS, store string) error {
	desc, err := pebble.Peek(store, fsys)
	if err != nil || !desc.Exists {
		return err // opening the store reports what is missing
	}
	f, err := fsys.Open(desc.ManifestFilename)
	if err != nil {
		return &CorruptError{Path: desc.ManifestFilename, Err: err}
	}
	defer f.Close()
	block := make([]byte, manifestBlock)
	damaged := false
	for at := 0; ; at += manifestBlock {
		n, err := io.ReadFull(f, block)
		if err == io.EOF {
			return nil
		}
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("read %s: %w", desc.ManifestFilename, err)
		}
		if offset := badChunk(block[:n], &damaged); offset >= 0 {
			return &CorruptError{Path: desc.ManifestFilename, Err: fmt.Errorf("a record before offset %d cannot be read", at+offset)}
		}
	}
}

// badChunk returns the offset of a record that begins after an unreadable chunk, or -1. bad is
// carried over from block to block.
func badChunk(block []byte, damaged *bool) int {
	for at := 0; at+chunkHeader <= len(block); {
		sum := binary.LittleEndian.Uint32(block[at:])
		kind := block[at+6]
		end := at + chunkHeader + int(binary.LittleEndian.Uint16(block[at+4:]))
		if sum == 0 && kind == 0 && end == at+chunkHeader {
			return -1 // unused space
		}
		if kind < chunkFull || kind > chunkLast || end > len(block) {
			*damaged = true
			return -1
		}
		if maskedChecksum(block[at+6:end]) != sum {
			*damaged = true
		} else if *damaged && (kind == chunkFull || kind == chunkFirst) {
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
