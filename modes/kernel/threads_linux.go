package kernel

import (
	"math"
	"os"
	"path"
	"strconv"
	"strings"
)

// threadsAllowed is how many threads the control groups of the process allow
// it (pids.max), as containers set it.
func threadsAllowed() uint64 {
	line, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return math.MaxUint64
	}
	return pidsMax("/sys/fs/cgroup", string(line))
}

// pidsMax looks through the groups named in membership, the contents of
// /proc/self/cgroup (cgroups(7)), and all that contain them.
func pidsMax(root, membership string) uint64 {
	least := uint64(math.MaxUint64)
	for line := range strings.Lines(membership) {
		id, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, dir, _ := strings.Cut(rest, ":")
		base := root
		switch {
		case id == "0": // version 2
		case controllers == "pids":
			base = path.Join(root, "pids")
		default:
			continue
		}
		for ; ; dir = path.Dir(dir) {
			b, err := os.ReadFile(path.Join(base, dir, "pids.max"))
			if n, perr := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64); err == nil && perr == nil {
				least = min(least, n)
			}
			if dir == "/" || dir == "." {
				break
			}
		}
	}
	return least
}
