package wire

import "strconv"

// Reason says why bytes were refused. The zero Reason, OK, says that they
// were not.
type Reason uint8

// The reasons, by what finds them.
const (
	OK Reason = iota

	// Any decoder.
	Truncated    // fewer bytes than the header, or than it promises
	HeaderLength // a header length below the least, or past the end
	BadLength    // a length field that contradicts itself
	BadChecksum  // of an IPv4 header or an ICMP message

	// IP.
	BadVersion        // neither 4 nor 6, or the other one
	ExtensionOrder    // a hop-by-hop header that is not the first
	UnknownIPv6Option // one that says: discard the packet
	SourceRouted      // a routing header with hops still to visit

	// TCP options.
	OptionLength // below 2, or past the end of the header: nothing follows
	OptionSize   // a known option in another size than its RFC's: set aside

	// ARP and neighbor discovery.
	NotEthernetIPv4 // other address families than those
	BadType         // no solicitation and no advertisement
	Forwarded       // by a router, which it must not be
	BadNeighbor     // fields that do not go together

	// Fragmentation and reassembly.
	FragmentSize      // empty, or not the last and not a multiple of 8 bytes
	FragmentTooFar    // would make a datagram over 65535 bytes
	FragmentDuplicate // came before
	FragmentOverlap   // of another one, or past the end: all are discarded
	FragmentNested    // a fragment of a fragment
	FragmentLimit     // no room in the reassembler
	MTUTooSmall       // no room for a header and 8 bytes

	NumReasons = iota
)

// String returns r in a few words, as a trace prints it.
func (r Reason) String() string {
	switch r {
	case OK:
		return "ok"
	case Truncated:
		return "truncated"
	case HeaderLength:
		return "bad header length"
	case BadLength:
		return "bad length"
	case BadChecksum:
		return "bad checksum"
	case BadVersion:
		return "bad IP version"
	case ExtensionOrder:
		return "hop-by-hop header not first"
	case UnknownIPv6Option:
		return "unknown IPv6 option"
	case SourceRouted:
		return "source routed"
	case OptionLength:
		return "bad option length"
	case OptionSize:
		return "wrong option size"
	case NotEthernetIPv4:
		return "not Ethernet and IPv4"
	case BadType:
		return "not neighbor discovery"
	case Forwarded:
		return "not from this link"
	case BadNeighbor:
		return "bad neighbor discovery"
	case FragmentSize:
		return "fragment of a bad size"
	case FragmentTooFar:
		return "fragment beyond 65535 bytes"
	case FragmentDuplicate:
		return "duplicate fragment"
	case FragmentOverlap:
		return "overlapping fragments"
	case FragmentNested:
		return "fragment within a fragment"
	case FragmentLimit:
		return "no room for fragments"
	case MTUTooSmall:
		return "MTU too small"
	}
	return "reason-" + strconv.Itoa(int(r))
}
