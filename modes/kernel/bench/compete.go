//go:build linux

package main

import (
	"context"
	"time"
)

// figures is what one contestant did at one size.
type figures struct {
	contestant
	transfer
	startUp time.Duration // of a transfer of one write
	took    []time.Duration
}

// compete runs all contestants in turn, round after round, so that whatever
// else the machine does falls on all of them.
func compete(ctx context.Context, all []contestant, size int, s settings) ([]*figures, error) {
	var fs []*figures
	for _, c := range all {
		f, err := calibrate(ctx, c, size, s)
		if err != nil {
			return nil, err
		}
		fs = append(fs, f)
	}
	for range s.rounds {
		for _, f := range fs {
			took, err := measure(ctx, f.contestant, f.transfer, s.pinned)
			if err != nil {
				return nil, err
			}
			f.took = append(f.took, took)
		}
	}
	return fs, nil
}

// calibrate finds how many writes last as long as a run should, and how long
// the start and the end of the programs take.
func calibrate(ctx context.Context, c contestant, size int, s settings) (*figures, error) {
	f := &figures{contestant: c, transfer: transfer{size: size, count: 1}}
	var err error
	if f.startUp, err = measure(ctx, c, f.transfer, s.pinned); err != nil {
		return nil, err
	}
	f.count = 1 + 4<<20/size
	for {
		took, err := measure(ctx, c, f.transfer, s.pinned)
		if err != nil {
			return nil, err
		}
		took = max(took-f.startUp, time.Millisecond)
		f.count = max(int(float64(f.count)*s.time.Seconds()/took.Seconds()), 1)
		if took > s.time/4 {
			return f, nil
		}
	}
}
