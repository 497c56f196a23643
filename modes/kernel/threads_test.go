//go:build linux

package kernel

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

func TestPidsMax(t *testing.T) {
	root := t.TempDir()
	for file, text := range map[string]string{
		"a/pids.max":      "500\n",
		"a/b/pids.max":    "max\n",
		"a/b/c/pids.max":  "900\n",
		"pids/x/pids.max": "70\n",
	} {
		name := filepath.Join(root, file)
		check(t, os.MkdirAll(filepath.Dir(name), 0o777))
		check(t, os.WriteFile(name, []byte(text), 0o666))
	}
	for _, x := range []struct {
		membership string
		want       uint64
	}{
		{"", math.MaxUint64},
		{"0::/\n", math.MaxUint64},
		{"0::/a/b\n", 500},
		{"0::/a/b/c\n", 500}, // the least of all that contain it
		{"4:cpu:/x\n3:pids:/x\n0::/\n", 70},
		{"4:cpu:/x\n", math.MaxUint64},
	} {
		if got := pidsMax(root, x.membership); got != x.want {
			t.Errorf("%q: %d, want %d", x.membership, got, x.want)
		}
	}
	if n := capacity(); n < 1 || n > maxClients {
		t.Errorf("capacity is %d", n)
	}
}
