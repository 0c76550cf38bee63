package timeline

import "iter"

// table finds numbers by the hash of what they stand for. It knows only the numbers: four bytes a slot.
type table struct {
	// slots hold numbers plus one; 0 is a free slot. There are a power of two of them, and always free ones.
	slots []uint32
	used  int
}

// candidates gives the numbers that may be the one with that hash: not more than a few.
func (t *table) candidates(hash uint64) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		if len(t.slots) == 0 {
			return
		}
		mask := len(t.slots) - 1
		for slot := int(hash) & mask; t.slots[slot] != 0; slot = (slot + 1) & mask {
			if !yield(t.slots[slot] - 1) {
				return
			}
		}
	}
}

// put adds a number that is not there yet. hash gives the hash of each of them.
func (t *table) put(id uint32, hash func(uint32) uint64) {
	t.used++
	if 4*t.used > 3*len(t.slots) {
		t.grow(hash)
	}
	t.insert(hash(id), id+1)
}

func (t *table) insert(hash uint64, entry uint32) {
	mask := len(t.slots) - 1
	slot := int(hash) & mask
	for t.slots[slot] != 0 {
		slot = (slot + 1) & mask
	}
	t.slots[slot] = entry
}

// minSlots is how many slots there are at first.
const minSlots = 1 << 8

func (t *table) grow(hash func(uint32) uint64) {
	old := t.slots
	t.slots = make([]uint32, max(minSlots, 2*len(old)))
	for _, entry := range old {
		if entry != 0 {
			t.insert(hash(entry-1), entry)
		}
	}
}
