// Package wire is what goes over the wire: IPv4, IPv6, TCP, UDP, ICMP,
// ICMPv6 and ARP, decoded from bytes and encoded to them, their checksums,
// and the fragments of IP.
//
// Decoding never copies: options and payload alias the bytes they came from.
// It never fails silently either: what is refused is refused with a Reason.
// Encoding appends to a buffer of the caller, as append does.
package wire
