package timeline

// column is a list that grows without moving its entries. Growing a slice of a million entries
// would temporarily take twice the memory.
type column[T any] struct {
	chunks [][]T
	n      int
}

// A chunk's number of entries is a power of two, so that indexing is cheap.
const (
	chunkBits = 12
	chunkSize = 1 << chunkBits
)

func (c *column[T]) add(v T) {
	if c.n&(chunkSize-1) == 0 {
		c.chunks = append(c.chunks, make([]T, 0, chunkSize))
	}
	last := len(c.chunks) - 1
	c.chunks[last] = append(c.chunks[last], v)
	c.n++
}

// at returns a pointer to entry i. It panics if i is out of range.
func (c *column[T]) at(i int) *T { return &c.chunks[i>>chunkBits][i&(chunkSize-1)] }

func (c *column[T]) len() int { return c.n }
