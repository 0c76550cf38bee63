package timeline

// column is a list that grows without ever moving what it has: in a list of a million, a slice would for a while take
// twice the memory.
type column[T any] struct {
	chunks [][]T
	n      int
}

// The entries of a chunk; a power of two, so that finding one is cheap.
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

// at gives the entry i, to be read or changed. It panics where there is none.
func (c *column[T]) at(i int) *T { return &c.chunks[i>>chunkBits][i&(chunkSize-1)] }

func (c *column[T]) len() int { return c.n }
