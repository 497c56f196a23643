package lab

import "slices"

// What was wanted and what was seen are two lists. To say in what they differ,
// they are laid side by side so that as little as possible is missing, too
// much, or not alike.

// pair is one place of two lists side by side; -1 is nothing.
type pair struct {
	want, got int
	differs   []string
}

// The prices of laying side by side.
const (
	priceAlone  = 4 // of an element that has nothing beside it
	priceUnlike = 1 // of two that are not alike, and as much for each difference
)

// align lays lists of nwant and ngot elements side by side. isGap reports
// whether an element of want stands for any number of got; differs returns in
// what two are unlike.
func align(nwant, ngot int, isGap func(int) bool, differs func(want, got int) []string) (pairs []pair) {
	type cell struct {
		price int
		step  pair // from here; -1 for a list that stays where it is
	}
	cells := make([][]cell, nwant+1)
	for i := range cells {
		cells[i] = make([]cell, ngot+1)
	}
	for i := nwant; i >= 0; i-- {
		for j := ngot; j >= 0; j-- {
			if i == nwant && j == ngot {
				continue
			}
			best := cell{price: 1 << 30}
			try := func(price int, step pair, di, dj int) {
				if price += cells[i+di][j+dj].price; price < best.price {
					best = cell{price, step}
				}
			}
			switch {
			case i < nwant && isGap(i):
				try(0, pair{want: i, got: -1}, 1, 0)
				if j < ngot {
					try(0, pair{want: i, got: j}, 0, 1)
				}
			default:
				if i < nwant && j < ngot {
					d := differs(i, j)
					price := 0
					if len(d) > 0 {
						price = priceUnlike * (1 + len(d))
					}
					try(price, pair{i, j, d}, 1, 1)
				}
				if i < nwant {
					try(priceAlone, pair{want: i, got: -1}, 1, 0)
				}
				if j < ngot {
					try(priceAlone, pair{want: -1, got: j}, 0, 1)
				}
			}
			cells[i][j] = best
		}
	}
	for i, j := 0, 0; i < nwant || j < ngot; {
		s := cells[i][j].step
		pairs = append(pairs, s)
		if s.want >= 0 && (!isGap(s.want) || s.got < 0) {
			i++
		}
		if s.got >= 0 {
			j++
		}
	}
	return pairs
}

// alike reports whether nothing is missing, too much or not alike.
func alike(pairs []pair, isGap func(int) bool) bool {
	return !slices.ContainsFunc(pairs, func(p pair) bool {
		return len(p.differs) > 0 || p.want < 0 || p.got < 0 && !isGap(p.want)
	})
}

// rows makes the table of two lists side by side.
func rows(pairs []pair, want, got func(int) string, isGap func(int) bool) (all []Row) {
	for _, p := range pairs {
		var r Row
		gap := p.want >= 0 && isGap(p.want)
		switch {
		case gap && p.got < 0:
			continue
		case gap:
			r.Want = "..."
		case p.want >= 0:
			r.Want = want(p.want)
		}
		if p.got >= 0 {
			r.Got = got(p.got)
		}
		r.Differs = p.differs
		switch {
		case p.want < 0:
			r.Differs = []string{"not wanted"}
		case p.got < 0:
			r.Differs = []string{"missing"}
		}
		all = append(all, r)
	}
	return all
}
