package modes

import "io"

// console is standard input and output as the interactive loops use them.
type console struct {
	*run
	open bool   // standard input is still watched
	gave bool   // and has given at least one byte
	in   []byte // what was read last
	nvt  []byte // the same, under -c
	from fromNVT
	out  []byte
}

func (r *run) console() *console {
	return &console{run: r, open: !r.o.Echo, in: make([]byte, r.o.ReadSize)}
}

// read reads standard input once. ended tells that the user is done, and that
// the loop is to end or to half-close.
//
// A server that a script starts in the background has /dev/null as standard
// input, and the book's program would close each connection at once. So, for a
// server, an end of input before its first byte only means that nobody types,
// unless it comes from a terminal, where it was typed, or -h wants the FIN.
func (c *console) read() (p []byte, ended bool, err error) {
	n, err := c.readStdin(c.in)
	if err == io.EOF {
		c.open = false
		nobody := c.o.Server && !c.gave && !c.o.HalfClose && !c.StdinIsTerminal()
		return nil, !nobody, nil
	}
	if err != nil {
		return nil, false, err
	}
	c.gave = true
	if !c.o.CRLF {
		return c.in[:n], false, nil
	}
	c.nvt = toNVT(c.nvt[:0], c.in[:n])
	return c.nvt, false, nil
}

// write puts what came from the network on standard output. last tells that
// nothing follows it.
func (c *console) write(p []byte, last bool) error {
	if c.o.CRLF {
		c.out = c.from.convert(c.out[:0], p)
		if last {
			c.out = c.from.flush(c.out)
		}
		p = c.out
	}
	if len(p) == 0 {
		return nil
	}
	return c.stdout(p)
}
