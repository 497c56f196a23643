package trace

import (
	"encoding/binary"
	"io"
	"strings"
	"time"
)

// LinkType is how packets stand in a capture: one of the numbers that
// tcpdump.org assigns.
type LinkType uint16

const (
	// LinkTypeEthernet puts an Ethernet header before each packet, so that
	// ARP can be captured too.
	LinkTypeEthernet LinkType = 1
	// LinkTypeRaw is IP packets, with nothing before them. Other packets are
	// left out.
	LinkTypeRaw LinkType = 101
)

// Capture is how packets are captured.
type Capture struct {
	LinkType LinkType
	Epoch    time.Time // when At is 0
	// See says which events are captured, and what a tcpdump would see there.
	// nil is OnLink("").
	See func(e *Event) bool
}

// The blocks and options of draft-ietf-opsawg-pcapng that are written here.
const (
	blockSection   = 0x0a0d0d0a
	blockInterface = 1
	blockPacket    = 6 // enhanced

	optionEnd       = 0
	optionComment   = 1
	optionUserAppl  = 4 // of a section
	optionName      = 2 // of an interface
	optionTSResol   = 9
	optionFlags     = 2 // of a packet
	flagInbound     = 1
	flagOutbound    = 2
	maxOptionLength = 1<<16 - 1

	byteOrderMagic = 0x1a2b3c4d
	snapLen        = 1 << 18
)

// NewPcapng returns a Sink that writes packets to w in the pcapng form, which
// Wireshark reads. Each has a comment: who sent it, by which rule, and what
// happened at that host since its last packet.
//
// Each block is written at once; where w is a file, a block that cannot be
// written whole leaves nothing behind. So what is there can always be read.
func NewPcapng(w io.Writer, c Capture) Sink {
	p := &pcapng{output: output{w: w}, Capture: c, interfaces: map[string]uint32{}, since: map[string][]string{}}
	if p.See == nil {
		p.See = OnLink("")
	}
	p.section()
	return p
}

type pcapng struct {
	output
	Capture
	interfaces map[string]uint32
	since      map[string][]string // by host: what its next packet's comment tells
	buf        []byte
}

func (p *pcapng) Close() error { return p.close() }

func (p *pcapng) Event(e Event) {
	switch {
	case len(e.Packet) > 0 && p.See(&e):
		p.packet(&e)
	case e.Kind == Call || e.Kind == State || e.Kind == TimerFired || e.Kind == Note:
		// Bounded, since a host may have a lot to tell and nothing to send.
		if told := p.since[e.Host]; len(told) < 32 {
			p.since[e.Host] = append(told, e.Summary())
		}
	}
}

func (p *pcapng) section() {
	p.begin(blockSection)
	p.u32(byteOrderMagic)
	p.u16(1) // version 1.0
	p.u16(0)
	p.u32(0xffffffff) // the length of the section is not known: 64 bits
	p.u32(0xffffffff)
	p.option(optionUserAppl, "sock")
	p.end()
}

// iface returns the number of the interface of e, and describes it the first
// time.
func (p *pcapng) iface(e *Event) uint32 {
	name := strings.Trim(e.Host+":"+e.Interface, ":")
	if p.LinkType == LinkTypeRaw && e.Link != "" {
		// tcpdump takes but one interface of this type: libpcap compares the
		// number in the file with what it has made of the first.
		name = e.Link
	}
	if name == "" {
		name = "network"
	}
	n, ok := p.interfaces[name]
	if ok {
		return n
	}
	n = uint32(len(p.interfaces))
	p.interfaces[name] = n
	p.begin(blockInterface)
	p.u16(uint16(p.LinkType))
	p.u16(0)
	p.u32(snapLen)
	p.option(optionName, name)
	p.option(optionTSResol, "\x09") // ns
	p.end()
	return n
}

func (p *pcapng) packet(e *Event) {
	if p.LinkType == LinkTypeRaw && e.Version() == 0 {
		return
	}
	iface := p.iface(e)
	header := p.ethernet(e)
	length := len(header) + len(e.Packet)
	at := uint64(p.Epoch.Add(e.At).UnixNano())

	p.begin(blockPacket)
	p.u32(iface)
	p.u32(uint32(at >> 32))
	p.u32(uint32(at))
	p.u32(uint32(length)) // captured
	p.u32(uint32(length)) // as it was
	p.buf = append(p.buf, header...)
	p.buf = append(p.buf, e.Packet...)
	p.pad()
	p.option(optionComment, p.comment(e))
	flags := byte(flagOutbound)
	if e.Kind == Received {
		flags = flagInbound
	}
	p.option(optionFlags, string([]byte{flags, 0, 0, 0}))
	p.end()
}

func (p *pcapng) comment(e *Event) string {
	told := append(p.since[e.Host], e.Summary())
	delete(p.since, e.Host)
	return strings.Join(told, "\n")
}

// ethernet returns the header that goes before the packet of e, if any.
func (p *pcapng) ethernet(e *Event) []byte {
	if p.LinkType != LinkTypeEthernet {
		return nil
	}
	header := append(e.Dst[:], e.Src[:]...)
	switch e.Version() {
	case 4:
		return append(header, 0x08, 0x00)
	case 6:
		return append(header, 0x86, 0xdd)
	}
	return append(header, 0x08, 0x06)
}

// begin begins a block. All numbers are little-endian: the reader is to look
// at the byteOrderMagic.
func (p *pcapng) begin(kind uint32) {
	p.buf = p.buf[:0]
	p.u32(kind)
	p.u32(0) // the length: see end
}

// end ends the block, with its options, and writes it.
func (p *pcapng) end() {
	p.u16(optionEnd)
	p.u16(0)
	length := uint32(len(p.buf) + 4)
	p.u32(length)
	binary.LittleEndian.PutUint32(p.buf[4:], length)
	p.write(p.buf)
}

func (p *pcapng) option(code uint16, value string) {
	value = value[:min(len(value), maxOptionLength)]
	p.u16(code)
	p.u16(uint16(len(value)))
	p.buf = append(p.buf, value...)
	p.pad()
}

func (p *pcapng) pad() {
	for len(p.buf)%4 != 0 {
		p.buf = append(p.buf, 0)
	}
}

func (p *pcapng) u16(n uint16) { p.buf = binary.LittleEndian.AppendUint16(p.buf, n) }
func (p *pcapng) u32(n uint32) { p.buf = binary.LittleEndian.AppendUint32(p.buf, n) }
