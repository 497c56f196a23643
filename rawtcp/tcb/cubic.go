package tcb

import "time"

// cubic is the window growth of RFC 9438. It reckons in whole numbers, so that
// every machine gets the same: bytes and milliseconds.
type cubic struct {
	wMax  int           // the window before the last reduction
	prior int           // cwnd_prior
	wEst  int           // what Reno would have
	frac  int           // of wEst, in bytes*bytes acknowledged
	k     int64         // when wMax is reached again, in ms after epoch
	epoch time.Duration // when this congestion avoidance began
	begun bool
}

// grow is congestion avoidance for an ACK of n bytes (RFC 9438, 4.2 to 4.5).
func (u *cubic) grow(c *congestion, now, srtt time.Duration, n, smss int) {
	if !u.begun {
		u.begun, u.epoch, u.wEst, u.frac = true, now, c.cwnd, 0
		u.k = 0
		if c.cwnd < u.wMax {
			// "K = cubic_root((W_max - cwnd_epoch) / C)", in segments and
			// seconds, with C = 0.4.
			u.k = int64(cubeRoot(uint64(u.wMax-c.cwnd) * 1e9 / uint64(smss) * 10 / 4))
		} else {
			u.wMax = c.cwnd
		}
	}
	// "W_est = W_est + alpha_cubic * segments_acked / cwnd", alpha_cubic = 3 *
	// (1 - 0.7) / (1 + 0.7), and 1 once W_est has reached cwnd_prior.
	alpha := 529
	if u.wEst >= u.prior {
		alpha = 1000
	}
	u.frac += n * smss / 1000 * alpha
	u.wEst += u.frac / c.cwnd
	u.frac %= c.cwnd

	at := (now - u.epoch).Milliseconds()
	if u.window(at, smss) < u.wEst {
		// "the Reno-friendly region".
		c.cwnd = min(max(c.cwnd, u.wEst), unlimited)
		return
	}
	// "cwnd MUST be incremented by (target - cwnd) / cwnd for each received
	// new ACK", and the target is bound to cwnd .. 1.5 * cwnd.
	target := u.window(at+srtt.Milliseconds(), smss)
	target = max(min(target, c.cwnd*3/2), c.cwnd)
	c.acked += n * (target - c.cwnd)
	step := c.acked / c.cwnd
	c.acked %= c.cwnd
	c.cwnd = min(c.cwnd+step, unlimited)
}

// window is W_cubic(t) = C * (t - K)^3 + W_max, at ms after the epoch.
func (u *cubic) window(at int64, smss int) int {
	d := max(min(at-u.k, 1e6), -1e6)
	cube := d * d / 1000 * d / 1000 // ms^3 / 10^6
	return u.wMax + int(cube*4*int64(smss)/10000)
}

// lost is told of a loss with a window of cwnd.
func (u *cubic) lost(cwnd int) {
	// "if cwnd < W_max and fast convergence is enabled, further reduce W_max:
	// W_max = cwnd * (1 + beta_cubic) / 2" (RFC 9438, 4.7)
	if cwnd < u.wMax {
		u.wMax = cwnd * 17 / 20
	} else {
		u.wMax = cwnd
	}
	u.prior = cwnd
	u.begun = false
}

// cubeRoot returns the cube root of x, rounded down.
func cubeRoot(x uint64) uint64 {
	var y uint64
	for bit := uint64(1) << 21; bit > 0; bit >>= 1 {
		if z := y | bit; z <= 2642245 && z*z*z <= x {
			y = z
		}
	}
	return y
}
