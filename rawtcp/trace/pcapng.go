package trace

import (
	"bytes"
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
	// Interface is the name of the only one of a capture of LinkTypeRaw: libpcap
	// takes no other. "" is "network".
	Interface string
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

// Pcapng is a Sink that writes packets in the pcapng form, which Wireshark reads.
// Each has a comment: who sent it, by which rule, what happened at that host since
// its last packet, and what became of it at once: that it was damaged, or dropped.
//
// So the last packets are kept until the time is another, or Flush or Close is
// called. Each block is written at once; where the Writer is a file, a block that
// cannot be written whole leaves nothing behind. So what is there can always be
// read.
type Pcapng struct {
	output
	Capture
	interfaces map[string]uint32
	since      map[string][]string // by host: what its next packet's comment tells
	ahead      map[uint64][]string // by ID: the same of a packet to come
	kept       []told
	buf        []byte
}

// told is a packet, and what is told of it.
type told struct {
	Event
	comments []string
}

const (
	// maxComments is how many are kept, since a host may have a lot to tell and
	// nothing to send.
	maxComments = 32
	// maxKept is how many packets are kept that are told of at the same time.
	maxKept = 64
	// maxAhead is of how many packets is known what was done to them that have not
	// come yet.
	maxAhead = 1024
)

// NewPcapng returns a Pcapng that writes to w.
func NewPcapng(w io.Writer, c Capture) *Pcapng {
	p := &Pcapng{
		output: output{w: w}, Capture: c,
		interfaces: map[string]uint32{}, since: map[string][]string{}, ahead: map[uint64][]string{},
	}
	if p.See == nil {
		p.See = OnLink("")
	}
	p.section()
	if p.LinkType == LinkTypeRaw {
		p.iface(&Event{}) // who reads a capture without packets asks for its type too
	}
	return p
}

// Close writes what is kept, and an interface if there was no packet. It returns the
// first error, once.
func (p *Pcapng) Close() error {
	p.Flush()
	if len(p.interfaces) == 0 {
		p.iface(&Event{})
	}
	return p.close()
}

// Flush writes what is kept. What is told of these packets later is told at others.
func (p *Pcapng) Flush() {
	for i := range p.kept {
		p.packet(&p.kept[i])
	}
	clear(p.kept)
	p.kept = p.kept[:0]
}

// Event takes a packet, or what happened to one, or why there will be one.
func (p *Pcapng) Event(e Event) {
	if n := len(p.kept); n > 0 && p.kept[n-1].At != e.At {
		p.Flush()
	}
	switch e.Kind {
	case Sent, Received:
		if len(e.Packet) > 0 && p.See(&e) {
			p.keep(e)
		}
	case Dropped:
		if !p.befell(&e) {
			line, _ := NewLister(Listing{Absolute: true, See: func(*Event) bool { return true }}).Line(e)
			p.happened(e.Host, e.Summary()+": "+line)
		}
	case Note:
		switch {
		case e.ID == 0:
			p.happened(e.Host, e.Summary())
		case !p.befell(&e):
			p.foretold(&e)
		}
	case Call, State, TimerFired:
		p.happened(e.Host, e.Summary())
	}
}

// keep keeps a packet, with what happened before it.
func (p *Pcapng) keep(e Event) {
	if p.LinkType == LinkTypeRaw && e.isARP() {
		return
	}
	if len(p.kept) == maxKept {
		p.Flush()
	}
	e.Packet = bytes.Clone(e.Packet)
	comments := append(p.since[e.Host], p.ahead[e.ID]...)
	comments = append(comments, e.Summary())
	delete(p.since, e.Host)
	delete(p.ahead, e.ID)
	if e.Host != "" {
		comments = append(p.since[""], comments...) // of the network
		delete(p.since, "")
	}
	p.kept = append(p.kept, told{e, comments})
}

// befell notes what happened to a packet that is kept, the last that e may be
// about. A Stack does not know the ID of what it drops. It reports false if there is
// none.
func (p *Pcapng) befell(e *Event) bool {
	for i := len(p.kept) - 1; i >= 0; i-- {
		k := &p.kept[i]
		if e.ID != 0 && e.ID == k.ID || e.ID == 0 && e.Host == k.Host && bytes.Equal(e.Packet, k.Packet) {
			k.comments = append(k.comments, e.Summary())
			return true
		}
	}
	return false
}

// foretold notes what was done to a packet that is still to come: on its way in, by
// the faults of a host.
func (p *Pcapng) foretold(e *Event) {
	if len(p.ahead) == maxAhead {
		clear(p.ahead) // of packets that have never come
	}
	p.ahead[e.ID] = append(p.ahead[e.ID], e.Summary())
}

// happened notes what the next packet of host is to tell.
func (p *Pcapng) happened(host, what string) {
	if all := p.since[host]; len(all) < maxComments {
		p.since[host] = append(all, what)
	}
}

func (p *Pcapng) section() {
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
func (p *Pcapng) iface(e *Event) uint32 {
	name := strings.Trim(e.Host+":"+e.Interface, ":")
	if p.LinkType == LinkTypeRaw {
		name = p.Interface
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

func (p *Pcapng) packet(e *told) {
	iface := p.iface(&e.Event)
	header := p.ethernet(&e.Event)
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
	p.option(optionComment, strings.Join(e.comments, "\n"))
	flags := byte(flagOutbound)
	if e.Kind == Received {
		flags = flagInbound
	}
	p.option(optionFlags, string([]byte{flags, 0, 0, 0}))
	p.end()
}

// ethernet returns the header that goes before the packet of e, if any.
func (p *Pcapng) ethernet(e *Event) []byte {
	if p.LinkType != LinkTypeEthernet {
		return nil
	}
	header := append(e.Dst[:], e.Src[:]...)
	switch {
	case e.isARP():
		return append(header, 0x08, 0x06)
	case e.Version() == 6:
		return append(header, 0x86, 0xdd)
	}
	return append(header, 0x08, 0x00)
}

// begin begins a block. All numbers are little-endian: the reader is to look
// at the byteOrderMagic.
func (p *Pcapng) begin(kind uint32) {
	p.buf = p.buf[:0]
	p.u32(kind)
	p.u32(0) // the length: see end
}

// end ends the block, with its options, and writes it.
func (p *Pcapng) end() {
	p.u16(optionEnd)
	p.u16(0)
	length := uint32(len(p.buf) + 4)
	p.u32(length)
	binary.LittleEndian.PutUint32(p.buf[4:], length)
	p.write(p.buf)
}

func (p *Pcapng) option(code uint16, value string) {
	value = value[:min(len(value), maxOptionLength)]
	p.u16(code)
	p.u16(uint16(len(value)))
	p.buf = append(p.buf, value...)
	p.pad()
}

func (p *Pcapng) pad() {
	for len(p.buf)%4 != 0 {
		p.buf = append(p.buf, 0)
	}
}

func (p *Pcapng) u16(n uint16) { p.buf = binary.LittleEndian.AppendUint16(p.buf, n) }
func (p *Pcapng) u32(n uint32) { p.buf = binary.LittleEndian.AppendUint32(p.buf, n) }
