package netstack

import (
	"encoding/binary"
	"math/rand"
	"sync"
)

// chance is random numbers for gVisor's several goroutines: those that may be
// guessed and those that should not be, all by one seed.
type chance struct {
	mu  sync.Mutex
	src rand.Source64
}

func newChance(seed int64) *chance {
	return &chance{src: rand.NewSource(seed).(rand.Source64)}
}

// Uint64 returns a number.
func (c *chance) Uint64() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.src.Uint64()
}

// Int63 returns a number that is not negative.
func (c *chance) Int63() int64 { return int64(c.Uint64() >> 1) }

// Seed starts anew.
func (c *chance) Seed(seed int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.src.Seed(seed)
}

// Read fills p.
func (c *chance) Read(p []byte) (int, error) {
	for i := 0; i < len(p); i += 8 {
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], c.Uint64())
		copy(p[i:], b[:])
	}
	return len(p), nil
}
