package hub

import (
	"errors"
	"fmt"
	"net"
	"os"

	"sock/rawtcp/tun"
)

// tunPort is the kernel, plugged in through a TUN device.
type tunPort struct {
	hub  *Hub
	file *os.File
	out  *queue
	port *port
}

// TUN plugs the kernel in: it makes a TUN device in the network namespace of the
// process, with one of the addresses on the wire or more, as Dial has them, and
// returns its name. The device is gone when the Hub is closed. name is what it is
// to be called; "" is for the kernel to choose.
//
// It needs Linux and CAP_NET_ADMIN; without, the error says what can be done.
func (h *Hub) TUN(name, addresses string) (device string, err error) {
	text, err := joinText(addresses)
	if err != nil {
		return "", err
	}
	wanted, err := parseJoin([]byte(text))
	if err != nil {
		return "", err
	}
	f, device, err := tun.Open(name)
	if err != nil {
		return "", err
	}
	t := &tunPort{hub: h, file: f, out: newQueue(nil, waiting)}
	if err := t.join(device, wanted); err != nil {
		_ = f.Close() // it is for nothing
		return "", err
	}
	return device, nil
}

// join plugs the device in, and sets it up.
func (t *tunPort) join(device string, wanted []string) (err error) {
	h := t.hub
	h.lock()
	if h.closed {
		err = net.ErrClosed
	} else {
		t.port, err = h.cable.join(h.now, wanted, "the kernel, through "+device, t.out)
	}
	mtu := h.cable.mtu
	h.unlock()
	if err != nil {
		return err
	}
	err = tun.SetUp(device, mtu, t.port.addresses)
	if err == nil && !h.start(t.file, func() { t.run(mtu) }) {
		err = net.ErrClosed
	}
	if err != nil {
		h.leave(t.port, err)
	}
	return err
}

// run carries packets until the device is closed or removed.
func (t *tunPort) run(mtu int) {
	written := make(chan struct{})
	go func() {
		defer close(written)
		// What the kernel does not take, such as an address that was damaged
		// on the way, or anything while the device is down, is lost.
		_ = t.out.run(func(batch []byte) error {
			for len(batch) > 0 {
				_, packet, rest, _, _ := next(batch, maxMTU)
				_, _ = t.file.Write(packet)
				batch = rest
			}
			return nil
		})
	}()
	err := t.read(make([]byte, mtu+1))
	if errors.Is(err, os.ErrClosed) {
		err = nil
	}
	t.hub.leave(t.port, err)
	t.out.end()
	<-written
	t.hub.forget(t.file)
	_ = t.file.Close() // it is gone, in one way or the other
}

// read puts on the wire what the kernel sends.
func (t *tunPort) read(buf []byte) error {
	for {
		n, err := t.file.Read(buf)
		if err != nil {
			return fmt.Errorf("the device: %w", err)
		}
		t.hub.put(t.port, buf[:n])
	}
}
