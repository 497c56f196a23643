package seq

import "testing"

// TestWrap has the numbers of a connection whose first one is almost the last:
// "sequence numbers as they cycle from 2**32 - 1 to 0 again" (RFC 9293, section
// 3.4)
func TestWrap(t *testing.T) {
	first := Value(4294967290)
	last := first.Add(20)
	if last != 14 {
		t.Errorf("20 on from %d is %d, want 14", first, last)
	}
	if n := last.Sub(first); n != 20 {
		t.Errorf("the distance is %d, want 20", n)
	}
}

func TestOrder(t *testing.T) {
	const half = 1 << 31
	for _, test := range []struct {
		v, u         Value
		less, lessEq bool
	}{
		{0, 0, false, true},
		{0, 1, true, true},
		{1, 0, false, false},
		{1<<32 - 1, 0, true, true},
		{0, 1<<32 - 1, false, false},
		{5, 5 + half - 1, true, true},
		{5 + half + 1, 5, true, true},
		{1<<32 - 10, half - 11, true, true},
	} {
		if got := test.v.Less(test.u); got != test.less {
			t.Errorf("%d.Less(%d) = %v", test.v, test.u, got)
		}
		if got := test.v.LessEq(test.u); got != test.lessEq {
			t.Errorf("%d.LessEq(%d) = %v", test.v, test.u, got)
		}
		later, earlier := test.v, test.u
		if test.less {
			later, earlier = test.u, test.v
		}
		if got := Max(test.v, test.u); got != later {
			t.Errorf("Max(%d, %d) = %d", test.v, test.u, got)
		}
		if got := Min(test.v, test.u); got != earlier {
			t.Errorf("Min(%d, %d) = %d", test.v, test.u, got)
		}
	}
}

func TestIn(t *testing.T) {
	for _, test := range []struct {
		v, first Value
		n        Size
		want     bool
	}{
		{100, 100, 1, true},
		{100, 100, 0, false},
		{99, 100, 10, false},
		{109, 100, 10, true},
		{110, 100, 10, false},
		{3, 1<<32 - 5, 10, true},
		{5, 1<<32 - 5, 10, false},
		{1<<32 - 6, 1<<32 - 5, 10, false},
	} {
		if got := test.v.In(test.first, test.n); got != test.want {
			t.Errorf("%d.In(%d, %d) = %v", test.v, test.first, test.n, got)
		}
	}
}
