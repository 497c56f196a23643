package link

import "time"

// schedule is frames in the order of their times, and of two for the same time
// in the order they came. Most go in at the end, in next to no time.
type schedule struct {
	frames []scheduled
	first  int // those before it are gone
}

type scheduled struct {
	at time.Duration
	Frame
}

func (s *schedule) len() int { return len(s.frames) - s.first }

func (s *schedule) push(at time.Duration, f Frame) {
	if s.first > 0 && len(s.frames) == cap(s.frames) {
		n := copy(s.frames, s.frames[s.first:])
		clear(s.frames[n:])
		s.frames, s.first = s.frames[:n], 0
	}
	s.frames = append(s.frames, scheduled{at, f})
	for i := len(s.frames) - 1; i > s.first && s.frames[i-1].at > at; i-- {
		s.frames[i], s.frames[i-1] = s.frames[i-1], s.frames[i]
	}
}

// next returns the time of the first frame, or false.
func (s *schedule) next() (time.Duration, bool) {
	if s.len() == 0 {
		return 0, false
	}
	return s.frames[s.first].at, true
}

// pop takes out the first frame.
func (s *schedule) pop() Frame {
	f := s.frames[s.first].Frame
	s.frames[s.first] = scheduled{}
	s.first++
	if s.first == len(s.frames) {
		s.frames, s.first = s.frames[:0], 0
	}
	return f
}
