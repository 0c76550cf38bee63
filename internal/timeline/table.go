package timeline

import "iter"

// table maps hashes to numbers. It does not know the keys, so lookups return candidates.
type table struct {
	// slots have a number plus one in the lower half and its hash in the upper half; 0 is a free slot.
	// Their count is a power of two, and some are always free.
	slots []uint64
	used  int
}

const slotHalf = 32

// candidates returns the numbers with a hash, rarely more than one.
func (t *table) candidates(hash uint32) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		if len(t.slots) == 0 {
			return
		}
		mask := len(t.slots) - 1
		for slot := int(hash) & mask; t.slots[slot] != 0; slot = (slot + 1) & mask {
			if s := t.slots[slot]; uint32(s>>slotHalf) == hash && !yield(uint32(s)-1) {
				return
			}
		}
	}
}

// put adds a number, which must not be in the table yet.
func (t *table) put(hash, number uint32) {
	t.used++
	if 4*t.used > 3*len(t.slots) {
		t.grow()
	}
	t.insert(uint64(hash)<<slotHalf | uint64(number+1))
}

func (t *table) insert(entry uint64) {
	mask := len(t.slots) - 1
	slot := int(entry>>slotHalf) & mask
	for t.slots[slot] != 0 {
		slot = (slot + 1) & mask
	}
	t.slots[slot] = entry
}

// minSlots is the initial number of slots.
const minSlots = 1 << 8

func (t *table) grow() {
	old := t.slots
	t.slots = make([]uint64, max(minSlots, 2*len(old)))
	for _, entry := range old {
		if entry != 0 {
			t.insert(entry)
		}
	}
}
