package hub

import (
	"net"
)

// streamConn is a way to a hub through a Unix-domain socket.
type streamConn struct {
	net.Conn
	buf []byte
	n   int // bytes of buf that are read and not yet used
}

// join plugs in, and returns the body of the welcome.
func (c *streamConn) join(text string) (welcome []byte, err error) {
	if _, err := c.Write(appendMessage(nil, kindJoin, text)); err != nil {
		return nil, err
	}
	c.buf = make([]byte, chunk+headerLen+maxMTU)
	for {
		k, body, rest, ok, err := next(c.buf[:c.n], maxText)
		switch {
		case err != nil:
			return nil, err
		case !ok:
			if err := c.fill(); err != nil {
				return nil, err
			}
			continue
		case k == kindRefuse:
			return nil, refusal(body)
		case k != kindWelcome:
			return nil, errJunk
		}
		welcome = append(welcome, body...)
		c.n = copy(c.buf, rest)
		return welcome, nil
	}
}

func (c *streamConn) fill() error {
	n, err := c.Read(c.buf[c.n:])
	c.n += n
	if n > 0 {
		return nil
	}
	return gone(err)
}

func (c *streamConn) receive(f func(packets [][]byte)) error {
	var packets [][]byte
	for {
		b := c.buf[:c.n]
		packets = packets[:0]
		for {
			k, body, rest, ok, err := next(b, maxMTU)
			if err != nil || ok && k != kindPacket {
				return gone(errJunk)
			}
			if !ok {
				break
			}
			packets = append(packets, body)
			b = rest
		}
		if len(packets) > 0 {
			f(packets)
		}
		c.n = copy(c.buf, b)
		if err := c.fill(); err != nil {
			return err
		}
	}
}

func (c *streamConn) write(batch []byte) error {
	_, err := c.Write(batch)
	if err != nil {
		return gone(err)
	}
	return nil
}

// live does nothing: a stream ends when the hub does.
func (c *streamConn) live(*queue, <-chan struct{}) error { return nil }
