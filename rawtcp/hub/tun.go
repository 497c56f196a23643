package hub

import (
	"errors"
	"fmt"
	"net"
	"os"
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
	f, device, err := openTUN(name)
	if err != nil {
		return "", err
	}
	t := &tunPort{hub: h, file: f, out: newQueue(nil, waiting)}
	h.lock()
	mtu := h.cable.mtu
	t.port, err = h.cable.join(h.now, wanted, "the kernel, through "+device, t.out)
	h.unlock()
	if err != nil {
		_ = f.Close() // it is for nothing
		return "", err
	}
	if err := setUpTUN(device, mtu, t.port.addresses); err != nil {
		h.leave(t.port, err)
		_ = f.Close()
		return "", err
	}
	if !h.keep(f) {
		_ = f.Close()
		return "", net.ErrClosed
	}
	h.all.Go(func() { t.run(mtu) })
	return device, nil
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
		t.hub.lock()
		t.hub.cable.send(t.hub.now, t.port, buf[:n])
		t.hub.unlock()
	}
}
