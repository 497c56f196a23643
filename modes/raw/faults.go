package raw

import (
	"fmt"

	"sock/opts"
	"sock/rawtcp/link"
)

// conditions returns what --delay and the others say.
func conditions(o *opts.Options) (c link.Conditions, err error) {
	for _, x := range o.Conditions {
		if err := c.Set(x.Name, x.Value); err != nil {
			return c, fmt.Errorf("--%w", err)
		}
	}
	return c, nil
}

// rules returns those of --drop, in words.
func rules(o *opts.Options) (all []string) {
	for _, which := range o.Drop {
		all = append(all, "drop "+which)
	}
	return all
}

// faults returns what befalls the packets of a host on its own link, both ways:
// nil if that is nothing.
func faults(o *opts.Options, seed uint64) (*link.Pipe, error) {
	if len(o.Conditions) == 0 && len(o.Drop) == 0 {
		return nil, nil
	}
	c, err := conditions(o)
	if err != nil {
		return nil, err
	}
	p := link.NewPipe(c, seed)
	for _, text := range rules(o) {
		r, err := link.ParseRule(text)
		if err != nil {
			return nil, err
		}
		if err := p.Add(r); err != nil {
			return nil, err
		}
	}
	return p, nil
}
